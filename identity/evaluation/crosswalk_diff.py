"""Our clients beside another tool's: what is the same, what they join, part or cut otherwise, and what matters most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from identity.encoded import Ints
from identity.evaluation.regrouping import Regrouping

Outcome = Literal["unchanged", "merged", "split", "overlapping"]

OUTCOMES: Final[Mapping[Outcome, str]] = {
    "unchanged": "unchanged",
    "merged": "merged",
    "split": "split",
    "overlapping": "regrouped",
}
"""As we call them -> as `Regrouping` does, from ours to theirs: `merged` are several of our clients that are one
of theirs, `split` is one of ours that is several of theirs, `overlapping` exchange records."""


@dataclass(frozen=True)
class Extent:
    """How much one outcome covers."""

    ours: int  # our clients
    theirs: int
    records: int


@dataclass(frozen=True)
class Disagreement:
    """A smallest group of records that no client leaves, ours or theirs, and about which the two disagree."""

    outcome: Outcome
    group: int
    ours: tuple[int, ...]  # records of each of our clients, largest first
    theirs: tuple[int, ...]
    records: int
    facts: int  # interactions of its records

    @property
    def impact(self) -> int:
        """What hangs on it: its records and their interactions."""
        return self.records + self.facts


@dataclass(frozen=True)
class CrosswalkDiff:
    """Two crosswalks of the same records."""

    extents: Mapping[Outcome, Extent]
    largest: tuple[Disagreement, ...]  # most impact first


def compare_crosswalks(groups: Regrouping, facts: Ints, most: int = 50) -> CrosswalkDiff:
    """`groups` from our clients to theirs; `facts`: of each record how many interactions it has."""
    of_record = groups.of_record
    records = np.bincount(of_record, minlength=len(groups.kind)).astype(np.int64)
    interactions = np.bincount(of_record, weights=facts, minlength=len(groups.kind)).astype(np.int64)
    extents: dict[Outcome, Extent] = {}
    for outcome, kind in OUTCOMES.items():
        mine = groups.kind == kind
        extents[outcome] = Extent(
            int(groups.old_count[mine].sum()), int(groups.new_count[mine].sum()), int(records[mine].sum())
        )
    named = {kind: outcome for outcome, kind in OUTCOMES.items()}
    open_groups = np.flatnonzero(groups.kind != "unchanged")
    # Ties go to the group whose first record comes first.
    order = open_groups[np.lexsort((open_groups, -(records + interactions)[open_groups]))]
    largest = tuple(
        Disagreement(
            named[str(groups.kind[group])],
            group,
            _sizes(groups.old_sizes[groups.of_old == group]),
            _sizes(groups.new_sizes[groups.of_new == group]),
            int(records[group]),
            int(interactions[group]),
        )
        for group in order[:most].tolist()
    )
    return CrosswalkDiff(extents, largest)


def _sizes(sizes: Ints) -> tuple[int, ...]:
    return tuple(sorted(sizes.tolist(), reverse=True))
