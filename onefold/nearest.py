"""Hints for names that are nearly right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None."""
    candidates = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(candidates), n=1, cutoff=0.6)
    return candidates[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], limit: int = 12) -> str:
    """A hint: the nearest known name, or the list of what is allowed."""
    names = list(known)
    if guess := nearest(name, names):
        return f"Did you mean `{guess}`?"
    if not names:
        return "None are known here."
    listed = ", ".join(names[:limit])
    return f"Allowed: {listed}, ... ({len(names)} in all)." if len(names) > limit else f"Allowed: {listed}."
