"""What the blocking rules cost and find on a register that is resolved: pairs, matches, the blocks by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.blocks import Blocks, pairs_of, values_behind
from identity.blocking.keys import block_limits, candidate_pairs, keys_by_rule
from identity.clustering.points import Points
from identity.encoded import Flags, Ints, encode
from identity.features import positions
from identity.population import Population, Rules
from identity.report import RuleReport, reports_of_blocks
from identity.schema import BLOCKING_KEY, KINDS
from identity.settings import BlockingRule, KindSettings, rule_name


class Ground:
    """The records of one kind with their blocks, and the pairs by which the rules are measured."""

    def __init__(self, population: Population, rules: Rules, pairs: pa.Table, crosswalk: pa.Table) -> None:
        """`pairs` (PAIR) and `crosswalk` as they are stored."""
        self.kind, self.rules, self.cap = population.kind, population.settings, rules.settings.block_cap
        self.population = population
        self.features, self.ids = population.features, population.ids
        self.points: Points = population.points()
        self.client = _clients(population.records, crosswalk)  # of each record a number of its client; -1: none
        self._pairs = pairs

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of the rules in force; of records that are alike in everything only the first is in them."""
        limits = self.population.limits()["cap"].to_pylist()
        return Blocks.of_keys(self.population.keys(), limits, self.points.is_representative)

    @cached_property
    def matches(self) -> tuple[Ints, Ints]:
        """Rows of plausible pairs within one client: what the rules are there to find."""
        return _matches(self.population.records["record_id"], self._pairs, self.points, self.client)

    def blocks_by(self, rules: Sequence[BlockingRule], among: Flags | None = None) -> Blocks:
        """The blocks that other rules (128 at most) would make of the same records, or of those `among` them."""
        eligible = self.population.eligible if among is None else self.population.eligible & among
        keys = keys_by_rule(self.features, self.kind, self._with(rules), eligible)
        return Blocks.of_keys(keys, [self.cap] * len(rules), self.points.is_representative)

    def pairs_by(self, rule: BlockingRule) -> tuple[Ints, Ints]:
        """The pairs of rows that another rule would propose, the smaller first, in order."""
        blocks = self.blocks_by([rule])
        return _proposed(blocks, block_limits(self.kind, self._with([rule]), self.cap, {}))

    def count_pairs(self) -> int:
        """How many distinct pairs the rules in force propose."""
        return len(_proposed(self.blocks, self.population.limits())[0])

    def _with(self, rules: Sequence[BlockingRule]) -> KindSettings:
        return self.rules.model_copy(update={"blocking": tuple(rules)})


def grounds(
    records: pa.Table, identifiers: pa.Table, pairs: pa.Table, crosswalk: pa.Table, rules: Rules
) -> list[Ground]:
    """A ground for each kind of which there are records (RECORD, in natural order)."""
    present = set(pc.unique(records["kind"]).to_pylist())
    populations = [Population(kind, records, identifiers, rules) for kind in KINDS if kind in present]
    return [Ground(population, rules, pairs, crosswalk) for population in populations]


def _proposed(blocks: Blocks, limits: pa.Table) -> tuple[Ints, Ints]:
    keys = pa.table({"key": blocks.key[blocks.of], "record_id": blocks.row}, schema=BLOCKING_KEY)
    found = candidate_pairs(keys, limits).pairs.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
    return found["left_id"].to_numpy(), found["right_id"].to_numpy()


def _clients(records: pa.Table, crosswalk: pa.Table) -> Ints:
    at = positions(crosswalk["record_id"], records["record_id"])
    codes = encode(crosswalk["client_id"])[1].astype(np.int64)
    found: Ints = np.append(codes, -1)[at]
    return found


def _matches(record_ids: pa.ChunkedArray, pairs: pa.Table, points: Points, client: Ints) -> tuple[Ints, Ints]:
    left, right = positions(record_ids, pairs["left_id"]), positions(record_ids, pairs["right_id"])
    here = (left >= 0) & (right >= 0)
    left, right = left[here], right[here]
    one = (client[left] == client[right]) & (client[left] >= 0)
    return distinct_pairs(points.row[points.of[left[one]]], points.row[points.of[right[one]]])


def rule_cost(blocks: Blocks, index: int) -> int:
    """How many pairs the active blocks of one rule hold."""
    mine = blocks.of_rule(index)
    return pairs_of(blocks.size[mine[blocks.active[mine]]])


def distinct_pairs(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Pairs of different rows, each once, the smaller first, in order."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    both = np.unique(np.stack([low, high])[:, low != high], axis=1)
    return both[0], both[1]


@dataclass(frozen=True)
class NamedBlock:
    """A block by what makes it: one value for each part of its rule."""

    kind: str
    rule: str
    values: tuple[str, ...]
    size: int
    is_refused: bool  # over the cap: it proposes nothing
    example: int  # id of a record in it


@dataclass(frozen=True)
class BlockReport:
    """What the rules of one kind cost and find. Records that are alike in everything count once."""

    kind: str
    records: int
    points: int
    candidate_pairs: int  # distinct over all rules
    matches: int  # plausible pairs within one client: what the rules are there to find
    unproposed: int  # ... of them those that no rule in force proposes: the rules were edited since
    rules: tuple[RuleReport, ...]
    largest: tuple[NamedBlock, ...]  # of each rule the largest, refused ones included; largest first


def block_report(ground: Ground, largest: int = 5) -> BlockReport:
    """The rules in force on this ground; `largest` blocks of each rule by name."""
    blocks, rules = ground.blocks, ground.rules
    proposes = blocks.proposing(ground.matches, len(rules.blocking))
    return BlockReport(
        ground.kind,
        len(ground.features),
        len(ground.points.row),
        ground.count_pairs(),
        len(ground.matches[0]),
        int((~proposes.any(axis=1)).sum()),
        tuple(reports_of_blocks(ground.kind, rules, blocks, ground.matches)),
        tuple(_largest(ground, blocks, largest)),
    )


def _largest(ground: Ground, blocks: Blocks, most: int) -> list[NamedBlock]:
    found = []
    for index in range(len(ground.rules.blocking)):
        mine = blocks.of_rule(index)
        mine = mine[blocks.size[mine] >= 2]
        for block in mine[np.lexsort((blocks.key[mine], -blocks.size[mine]))][:most].tolist():
            found.append(named_block(ground, blocks, ground.rules, block))
    return sorted(found, key=lambda block: (-block.size, block.rule, block.values))


def named_block(ground: Ground, blocks: Blocks, rules: KindSettings, block: int) -> NamedBlock:
    """One block by its value; the example is its first record in natural order."""
    entries: Ints = np.flatnonzero(blocks.of == block)
    entry = int(entries[np.argmin(blocks.row[entries])])
    rule = rules.blocking[int(blocks.rule[entry])]
    row, size = int(blocks.row[entry]), int(blocks.size[block])
    values = values_behind(ground.features, ground.kind, rule, row, int(blocks.key[block]))
    return NamedBlock(ground.kind, rule_name(rule), values, size, bool(blocks.refused[block]), int(ground.ids[row]))
