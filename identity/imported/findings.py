"""What became of each part of another tool's model. Nothing is dropped without a line here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["taken", "approximated", "none"]


@dataclass(frozen=True)
class Finding:
    """One part: its place there, what it is there, what it is here (None: nothing), and why it is not the same."""

    fate: Fate
    place: str
    theirs: str
    ours: str | None = None
    why: str = ""


@dataclass
class Findings:
    """Findings in the order in which the model was read."""

    listed: list[Finding] = field(default_factory=list)

    def taken(self, place: str, theirs: str, ours: str) -> None:
        """It is the same here."""
        self.listed.append(Finding("taken", place, theirs, ours))

    def approximated(self, place: str, theirs: str, ours: str, why: str) -> None:
        """It is nearly the same here."""
        self.listed.append(Finding("approximated", place, theirs, ours, why))

    def none(self, place: str, theirs: str, why: str) -> None:
        """It has no counterpart here."""
        self.listed.append(Finding("none", place, theirs, None, why))
