"""What a run of resolution reports: counts, blocking rules, refused blocks, components that had to be
split."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from identity.blocking import RuleKeys, rule_name
from identity.cluster import SplitComponent
from identity.features import Flags, Ints, Values
from identity.judgements import Conflict
from identity.settings import KindSettings
from identity.similarity import share_a_value


@dataclass(frozen=True)
class RuleReport:
    """What one blocking rule did."""

    kind: str
    rule: str
    keys: int
    pairs: int  # pairs within its active blocks
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
    refused: list[RefusedBlock] = field(default_factory=list)
    split: list[SplitReport] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


def refused_blocks(
    kind: str, settings: KindSettings, keys: RuleKeys, refused: pa.Table, ids: Ints
) -> list[RefusedBlock]:
    """The refused keys (key, size) by the name of their rule."""
    if refused.num_rows == 0:
        return []
    order = np.argsort(keys.key, kind="stable")
    at = order[np.searchsorted(keys.key, refused["key"].to_numpy(), sorter=order)].tolist()
    names = [rule_name(rule) for rule in settings.blocking]
    sizes = refused["size"].to_pylist()
    return [
        RefusedBlock(kind, names[keys.rule[position]], size, int(ids[keys.row[position]]))
        for position, size in zip(at, sizes, strict=True)
    ]


def rule_reports(
    kind: str,
    settings: KindSettings,
    cap: int,
    keys: RuleKeys,
    *,
    represents: Flags,
    linked: tuple[Ints, Ints],
) -> list[RuleReport]:
    """Per rule the pairs in its active blocks, and the linked pairs (rows) that no other rule proposes.

    `represents`: of each record whether it stands for its point; only those are counted.
    """
    chosen = represents[keys.row]
    key, row, rule = keys.key[chosen], keys.row[chosen], keys.rule[chosen]
    block, size = np.unique(key, return_counts=True)
    block_of = np.searchsorted(block, key)
    active = (size[block_of] >= 2) & (size[block_of] <= cap)
    left, right = linked
    proposing = np.zeros(len(left), dtype=np.int16)
    first = np.full(len(left), -1, dtype=np.int16)
    for index in range(len(settings.blocking)):
        mine = active & (rule == index)
        offsets = np.zeros(len(represents) + 1, dtype=np.int64)
        np.cumsum(np.bincount(row[mine], minlength=len(represents)), out=offsets[1:])
        values = Values(pa.array([], pa.string()), offsets, block_of[mine].astype(np.int32))
        shared = share_a_value(values, left, right)
        first[shared & (proposing == 0)] = index
        proposing += shared
    linked_only = np.bincount(first[proposing == 1], minlength=len(settings.blocking))
    reports = []
    for index, named in enumerate(settings.blocking):
        mine = rule == index
        sizes = size[np.unique(block_of[mine])]
        within, over = sizes[sizes <= cap], sizes[sizes > cap]
        reports.append(
            RuleReport(
                kind=kind,
                rule=rule_name(named),
                keys=int(mine.sum()),
                pairs=int((within * (within - 1) // 2).sum()),
                linked_only=int(linked_only[index]),
                refused=len(over),
                refused_records=int(over.sum()),
            )
        )
    return reports
