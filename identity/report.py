"""What a run of resolution reports: counts, blocking rules, refused blocks, components that had to be
split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from identity.blocking.blocks import Blocks, pairs_of
from identity.blocking.keys import RuleKeys, rule_index
from identity.clustering.cluster import SplitComponent
from identity.comparison.score import Weights
from identity.encoded import Flags, Ints
from identity.judgements import Conflict
from identity.settings import KindSettings, rule_name

MOST_NAMED: Final = 1_000
"""Refused blocks of a kind that a report names, the largest first; it counts them all."""


@dataclass(frozen=True)
class RuleReport:
    """What one blocking rule did."""

    kind: str
    rule: str
    keys: int
    pairs: int  # pairs within its active blocks
    linked: int  # linked pairs that it proposes
    linked_only: int  # linked pairs that only this rule proposes
    refused: int  # its blocks over the cap
    refused_records: int


@dataclass(frozen=True)
class RefusedBlock:
    """A block over the cap: none of its pairs were proposed by this key."""

    kind: str
    rule: str
    size: int
    example: int  # id of a record in it


@dataclass(frozen=True)
class SplitReport:
    """A component that was over the bound, and the plausible threshold (1/1024 bit) at which its parts
    fitted."""

    kind: str
    first_key: str  # its smallest natural key
    size: int
    threshold: int

    @classmethod
    def of(cls, kind: str, first_key: str, split: SplitComponent) -> SplitReport:
        """The report of one split component."""
        return cls(kind, first_key, split.size, split.threshold)


@dataclass
class Report:
    """Counts of a run."""

    records: int = 0
    candidate_pairs: int = 0
    plausible_pairs: int = 0
    linked_pairs: int = 0
    clusters: int = 0
    rules: list[RuleReport] = field(default_factory=list)
    refused: list[RefusedBlock] = field(default_factory=list)  # the largest
    refused_count: int = 0
    split: list[SplitReport] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    weights: dict[str, dict[int, int]] = field(default_factory=dict)  # by kind: `weight_bins` of its plausible pairs

    def order(self) -> None:
        """The largest refused blocks first."""
        self.refused.sort(key=lambda block: (-block.size, block.kind, block.rule, block.example))

    def add(self, other: Report) -> None:
        """Count in what was found among records of other kinds, under the same judgements."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("rules", "refused", "split"):
            getattr(self, name).extend(getattr(other, name))
        self.conflicts += [conflict for conflict in other.conflicts if conflict not in self.conflicts]
        self.weights |= other.weights
        self.order()


_COUNTS: Final = ("records", "candidate_pairs", "plausible_pairs", "linked_pairs", "clusters", "refused_count")

BIN: Final = 512
"""Weights (1/1024 bit) are counted by half bits: bin b holds those from b times this on."""


def weight_bins(weight: Weights) -> dict[int, int]:
    """How many weights lie in each bin that is not empty, in ascending order."""
    bins, counts = np.unique(weight // BIN, return_counts=True)
    return dict(zip(bins.tolist(), counts.tolist(), strict=True))


def refused_blocks(kind: str, settings: KindSettings, refused: pa.Table, ids: Ints) -> list[RefusedBlock]:
    """The largest of the refused blocks (key, size, row of a record), by the name of their rule."""
    largest = refused.slice(0, MOST_NAMED)
    return [
        RefusedBlock(kind, rule_name(settings.blocking[rule_index(key)]), size, int(ids[row]))
        for key, size, row in zip(*(largest[name].to_pylist() for name in ("key", "size", "row")), strict=True)
    ]


def rule_reports(
    kind: str,
    settings: KindSettings,
    limits: Sequence[int],
    keys: RuleKeys,
    *,
    represents: Flags,
    linked: tuple[Ints, Ints],
) -> list[RuleReport]:
    """Per rule the pairs in its active blocks, and the linked pairs (rows) that it, or it alone, proposes.

    `limits`: to how many records a block of each rule is active; `represents`: of each record whether it stands for its
    point; only those are counted.
    """
    return reports_of_blocks(kind, settings, Blocks.of_keys(keys, limits, represents), linked)


def reports_of_blocks(kind: str, settings: KindSettings, blocks: Blocks, linked: tuple[Ints, Ints]) -> list[RuleReport]:
    """`rule_reports` where the blocks are known."""
    proposes = blocks.proposing(linked, len(settings.blocking))
    alone = proposes[proposes.sum(axis=1) == 1].sum(axis=0)
    reports = []
    for index, named in enumerate(settings.blocking):
        mine = blocks.of_rule(index)
        over = blocks.size[mine[blocks.refused[mine]]]
        reports.append(
            RuleReport(
                kind=kind,
                rule=rule_name(named),
                keys=int((blocks.rule == index).sum()),
                pairs=pairs_of(blocks.size[mine[blocks.active[mine]]]),
                linked=int(proposes[:, index].sum()),
                linked_only=int(alone[index]),
                refused=len(over),
                refused_records=int(over.sum()),
            )
        )
    return reports
