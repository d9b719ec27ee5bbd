"""Models of other tools, read into ours: what was taken over, what was approximated, what has no counterpart."""
