"""Evaluation: partitions beside each other and the truth; what each blocking rule costs, finds and misses; drift."""
