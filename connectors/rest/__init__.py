"""The connector that a manifest drives."""
