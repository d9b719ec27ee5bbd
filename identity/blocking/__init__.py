"""Blocking: which records are worth comparing, and how large a block of each rule may grow."""
