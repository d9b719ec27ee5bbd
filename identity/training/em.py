"""Expectation maximisation on counts of comparison patterns: its cost grows with distinct patterns, not with
pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from identity.encoded import Ints, Levels
from identity.training.counting import Counts, counts_of

Reals = npt.NDArray[np.float64]

_ROUNDS: Final = 40
_SETTLED: Final = 1e-6
_STRENGTH: Final = 100.0
"""How many matched pairs the priors are worth: with fewer found, m stays near them."""


@dataclass(frozen=True)
class Patterns:
    """Distinct comparison vectors, in order, and how many pairs show each."""

    columns: tuple[str, ...]
    levels: Levels  # patterns x columns
    counts: Ints

    @classmethod
    def of_counts(cls, columns: tuple[str, ...], counts: Counts) -> Patterns:
        """Patterns as they were counted; what was counted beside the columns is left out."""
        return cls(columns, counts.seen[:, : len(columns)].astype(np.uint8), counts.pairs)


def patterns_of(vectors: Mapping[str, Levels]) -> Patterns:
    """Count the distinct vectors among pairs."""
    count = len(next(iter(vectors.values())))
    return Patterns.of_counts(tuple(vectors), counts_of(np.zeros(count, dtype=np.int64), list(vectors.values())))


def level_counts(patterns: Patterns, column: int, size: int, weight: Reals) -> Reals:
    """How many pairs, weighed by pattern, show each of `size` levels of a column; missing is left out."""
    total = np.bincount(patterns.levels[:, column], weights=weight, minlength=size + 1)
    return np.asarray(total[1 : size + 1], dtype=np.float64)


def expect_matches(
    patterns: Patterns, m: Mapping[str, Reals], u: Mapping[str, Reals], free: Sequence[str]
) -> Mapping[str, Reals]:
    """Expected counts of each level among the matches of one blocking pass, for the `free` columns.

    The columns that the pass blocks on agree by construction and say nothing; u stays fixed, which keeps the
    two classes from changing places. m is estimated anew from this pass, shrunk to what was given.
    """
    at = [index for index, name in enumerate(patterns.columns) if name in free]
    prior = {name: m[name] for name in free if name in m}
    now = dict(prior)
    counts = patterns.counts.astype(np.float64)
    share = 0.5
    found: dict[str, Reals] = {}
    for _ in range(_ROUNDS):
        odds = np.full(len(counts), np.log(share / (1 - share)))
        for index in at:
            name = patterns.columns[index]
            ratio = np.concatenate([[0.0], np.log(now[name] / u[name])])
            odds += ratio[patterns.levels[:, index]]
        posterior = 1 / (1 + np.exp(-np.clip(odds, -60, 60)))
        matched = posterior * counts
        before, share = share, float(np.clip(matched.sum() / counts.sum(), 1e-6, 1 - 1e-6))
        for index in at:
            name = patterns.columns[index]
            found[name] = level_counts(patterns, index, len(now[name]), matched)
            now[name] = shrunk(found[name], prior[name], _STRENGTH)
        if abs(share - before) < _SETTLED:
            break
    return found


def shrunk(counts: Reals, prior: Reals, strength: float) -> Reals:
    """The distribution of `counts` after `strength` observations distributed like `prior`."""
    total = counts + strength * prior / prior.sum()
    return np.asarray(total / total.sum(), dtype=np.float64)


def at_most(counts: Reals, total: float) -> Reals:
    """The counts, or the same distribution with the sum `total` where they come to more."""
    return np.asarray(counts * min(1.0, total / max(float(counts.sum()), 1e-9)), dtype=np.float64)
