"""Comparison: pairs of records as levels of agreement, and the levels as match weights."""
