"""Erasing a person: what is redacted where, and what keeps it from coming back."""

from __future__ import annotations
