"""Explanation: why two records are one client or not, and why a client ends where it ends; in words."""
