"""Whether the weights of plausible pairs are spread as they were: the population stability index.

The index is the symmetric Kullback-Leibler divergence of two binned distributions (Jeffreys 1946), which credit scoring
watches its scores with; its rule of thumb (0.1, 0.25) is Siddiqi's, Credit Risk Scorecards, 2006. How large it gets by
chance alone is Yurdakul's, Statistical Properties of Population Stability Index, 2018: (1/n + 1/m) chi-square with one
degree of freedom less than there are bins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Final, Literal

from scipy.special import chdtri

Verdict = Literal["same", "slight", "drifted", "too_few"]

BINS_PER_BIT: Final = 2
"""Weights are counted in bins of half a bit: bin b holds b/2 to (b+1)/2 bits."""
SLIGHT: Final = 0.1
MUCH: Final = 0.25
FEWEST: Final = 100
"""With fewer pairs on either side nothing is said."""
_SHARE: Final = 0.1
_CHANCE: Final = 0.05


@dataclass(frozen=True)
class DriftBin:
    """A span of weights in bits, and the share of the pairs that lay and lie in it."""

    low: float
    high: float
    before: float
    now: float


@dataclass(frozen=True)
class Drift:
    """Two distributions of weights compared."""

    index: float  # the population stability index
    by_chance: float  # what it exceeds in one of twenty cases where nothing has changed
    verdict: Verdict
    before: int  # pairs
    now: int
    mean_before: float  # bits
    mean_now: float
    bins: tuple[DriftBin, ...]


def drift(before: Mapping[int, int], now: Mapping[int, int]) -> Drift:
    """Compare two histograms of weights (bin of half a bit -> pairs).

    Neighbouring bins are taken together until each holds a tenth of the former pairs, as is usual for the index; half a
    pair is added to each, so that an empty one has a logarithm.
    """
    edges = _edges(before, now)
    groups = [(low, high, _between(before, low, high), _between(now, low, high)) for low, high in edges]
    total, present = sum(before.values()), sum(now.values())
    index = 0.0
    for _, _, one, two in groups:
        p, q = (one + 0.5) / (total + 0.5 * len(groups)), (two + 0.5) / (present + 0.5 * len(groups))
        index += (q - p) * log(q / p)
    enough = min(total, present) >= FEWEST and len(groups) > 1
    by_chance = float(chdtri(len(groups) - 1, _CHANCE)) * (1 / total + 1 / present) if enough else 0.0
    return Drift(
        index,
        by_chance,
        _verdict(index, by_chance) if enough else "too_few",
        total,
        present,
        _mean(before),
        _mean(now),
        tuple(
            DriftBin(low / BINS_PER_BIT, high / BINS_PER_BIT, one / max(total, 1), two / max(present, 1))
            for low, high, one, two in groups
        ),
    )


def _verdict(index: float, by_chance: float) -> Verdict:
    if index < SLIGHT or index <= by_chance:
        return "same"
    return "slight" if index < MUCH else "drifted"


def _edges(before: Mapping[int, int], now: Mapping[int, int]) -> list[tuple[int, int]]:
    """Spans of bins, from the lowest that anything lies in to the highest."""
    present = [*before, *now]
    if not present:
        return []
    first, last, total = min(present), max(present) + 1, sum(before.values())
    edges, held = [first], 0
    for at in range(first, last):
        held += before.get(at, 0)
        if held >= _SHARE * total and at + 1 < last:
            edges.append(at + 1)
            held = 0
    if len(edges) > 1 and held < _SHARE * total / 2:
        edges.pop()  # too little is left for a span of its own
    return list(zip(edges, [*edges[1:], last], strict=True))


def _between(counts: Mapping[int, int], low: int, high: int) -> int:
    return sum(count for at, count in counts.items() if low <= at < high)


def _mean(counts: Mapping[int, int]) -> float:
    total = sum(counts.values())
    return sum((at + 0.5) / BINS_PER_BIT * count for at, count in counts.items()) / total if total else 0.0
