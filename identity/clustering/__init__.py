"""Clustering: from weighed pairs to clients, under judgements and contradictions; what is left for people."""
