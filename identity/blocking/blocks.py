"""Blocks: the records that share a blocking key; which of them propose pairs, and what value makes each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.blocking.keys import RuleKeys
from identity.comparison.similarity import share_a_value
from identity.encoded import Codes, Flags, Ints, Values, from_counts
from identity.features import Features
from identity.hashing import Hashes, combine, hash_strings, hash_text, signed
from identity.parts import derive
from identity.settings import BlockingRule, rule_name


@dataclass(frozen=True)
class Blocks:
    """All blocks of one kind. Of a point of records that are alike in everything only the first is counted."""

    records: int
    key: Ints  # of each block
    size: Ints  # of each block
    limit: Ints  # of each block: with more records it proposes nothing
    of: Ints  # of each entry its block
    row: Codes  # of each entry its record
    rule: npt.NDArray[np.int16]  # of each entry the index of its rule

    @classmethod
    def of_keys(cls, keys: RuleKeys, limits: Sequence[int], represents: Flags) -> Blocks:
        """The blocks that `keys` make; `limits`: of each rule the most records of an active block; `represents`: of
        each record whether it stands for its point."""
        row = keys.row
        chosen = represents[row]
        key, first, of, size = np.unique(keys.key[chosen], return_index=True, return_inverse=True, return_counts=True)
        rule = keys.rule[chosen]
        limit = np.array(limits, dtype=np.int64)[rule[first]]
        return cls(len(represents), key, size, limit, of, row[chosen], rule)

    @property
    def active(self) -> Flags:
        """Of each block whether it proposes its pairs: it holds two records or more, and no more than its limit."""
        found: Flags = (self.size >= 2) & (self.size <= self.limit)
        return found

    @property
    def refused(self) -> Flags:
        """Of each block whether it is over its limit."""
        found: Flags = (self.size >= 2) & (self.size > self.limit)
        return found

    def of_rule(self, index: int) -> Ints:
        """The blocks of one rule."""
        return np.unique(self.of[self.rule == index])

    def proposing(self, pairs: tuple[Ints, Ints], rules: int) -> Flags:
        """Of each pair of rows (a line) whether each of the `rules` (a column) proposes it."""
        found = np.zeros((len(pairs[0]), rules), dtype=np.bool_)
        active = self.active[self.of]
        for index in range(rules):
            found[:, index] = share_a_value(self._values(active & (self.rule == index)), *pairs)
        return found

    def _values(self, entries: Flags) -> Values:
        counts = np.bincount(self.row[entries], minlength=self.records)
        by_row = np.argsort(self.row[entries], kind="stable")
        return from_counts(pa.array([], pa.string()), counts, self.of[entries][by_row].astype(np.int32))


def pairs_of(sizes: Ints) -> int:
    """How many pairs blocks of these sizes hold."""
    wide = sizes.astype(np.int64)
    return int((wide * (wide - 1) // 2).sum())


def values_behind(features: Features, kind: str, rule: BlockingRule, row: int, key: int) -> tuple[str, ...]:
    """The values of a record that made one of its keys, one for each part of the rule; KeyError: it has no such key.

    Keys are hashes: of several values in one attribute those are looked for that make this one. The low eight bits of a
    key name its rule.
    """
    several: list[Sequence[str]] = []
    for value in rule:
        own = features.values(value.field)
        codes = own.of(row)
        mine = from_counts(
            own.unique.take(pa.array(codes)), np.array([len(codes)]), np.arange(len(codes), dtype=np.int32)
        )
        several.append(derive(mine, value).unique.to_pylist())
    start = hash_text(f"{kind}:{rule_name(rule)}")
    for values in product(*several):
        made: Hashes = np.array([start], dtype=np.uint64)
        for hashed in hash_strings(pa.array(values, pa.string())):
            made = combine(made, np.array([hashed], dtype=np.uint64))
        if int(signed(made)[0]) >> 8 == key >> 8:
            return values
    raise KeyError(f"record {row} makes no key {key} by {rule_name(rule)}")
