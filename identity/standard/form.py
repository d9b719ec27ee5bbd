"""What a normaliser answers for one value, and the bounded memory that keeps a value from being worked
twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

MAX_LENGTH = 1_000
"""Characters of one value that are looked at; what is longer is kept cut, and invalid (`too long`)."""


class Form(NamedTuple):
    """One value in standard form."""

    display: str
    """What people are shown."""
    value: str | None
    """What is compared; None when the value is no evidence."""
    invalid: str | None = None
    """Why it is no evidence: `placeholder`, `checksum`, `length`, ... or None."""
    repaired: str | None = None
    """What was mended: `leading zero`, `decimal tail`, ... or None."""


def invalid(display: str, reason: str) -> Form:
    """A value that is kept and shown, and is no evidence."""
    return Form(display, None, reason)


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Remembers the answers of a pure function in this process, at most `size` of them at a time twice over.

    Two generations: when the young one is full the old one is dropped, so that frequent values stay at hand.
    """

    def __init__(self, function: Callable[[K], V], size: int = 100_000) -> None:
        self._function, self._size = function, size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __call__(self, key: K) -> V:
        found = self._young.get(key)
        if found is not None:
            return found
        found = self._old.get(key)
        if found is None:
            found = self._function(key)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = found
        return found
