"""Ranking: which candidate each client takes, and the rule by which every other one lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from identity.survive.candidates import Ints
from identity.survive.settings import Rule

Key = Callable[[Ints], Ints]
"""A rule as numbers: for candidates by position, smaller is better."""
TIE = "natural key"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order of client, then rank."""

    order: Ints
    """Positions of candidates: each client's best first, then the others."""
    is_best: npt.NDArray[np.bool_]
    """In `order`: the first candidate of its client."""
    decided: Ints
    """In `order`: the rule (position in `rules`; len(rules): natural key) by which it stands behind its
    client's best."""


def rank(client: Ints, rules: Sequence[Rule], keys: dict[Rule, Key]) -> Ranking:
    """Rank candidates (given in natural order, `client` ascending) by `rules`; ties keep the natural
    order."""
    size = len(client)
    is_best = np.ones(size, dtype=bool)
    is_best[1:] = client[1:] != client[:-1]
    order: Ints = np.arange(size, dtype=np.int64)
    decided = np.full(size, len(rules), dtype=np.int64)
    alone = is_best.copy()
    alone[:-1] &= is_best[1:]
    contested = np.flatnonzero(~alone)  # most clients have one candidate; only the others are sorted
    if len(contested):
        columns = [keys[rule](contested) for rule in rules]
        sorted_ = np.lexsort((*reversed(columns), client[contested]))
        order[contested] = contested[sorted_]
        columns = [column[sorted_] for column in columns]
        best = np.maximum.accumulate(np.where(is_best[contested], np.arange(len(contested)), 0))
        reason = np.full(len(contested), len(rules), dtype=np.int64)
        for number in range(len(rules) - 1, -1, -1):
            reason[columns[number] != columns[number][best]] = number
        decided[contested] = reason
    return Ranking(order, is_best, decided)


def group_counts(keys: Ints) -> Ints:
    """For each element, how many elements have the same key."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found: Ints = counts[inverse].astype(np.int64)
    return found


def pair_codes(left: Ints, right: Ints) -> Ints:
    """One code per distinct pair."""
    if not len(left):
        return left
    _, inverse = np.unique(left * (int(right.max()) + 2) + right + 1, return_inverse=True)
    codes: Ints = inverse.astype(np.int64)
    return codes
