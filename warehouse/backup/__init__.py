"""A hub in one file: a backup of its database with a manifest, and the way back."""

from __future__ import annotations
