"""How the weights of plausible pairs lie to the thresholds, in three figures that can be followed from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from identity.report import BIN
from identity.schema import WEIGHT_ONE_BIT


@dataclass(frozen=True, slots=True)
class Spread:
    """Plausible pairs of one kind."""

    pairs: int
    linked: int
    """At or above the threshold of linking."""
    review: int
    """Between the thresholds: what people are asked about."""
    median: float | None
    """Of the linked ones, in bits, to half a bit; None where there is none."""


def spread(weights: Mapping[int, int], *, link: int, review: int) -> Spread:
    """The figures of a histogram (bin of half a bit -> pairs); thresholds in 1/1024 bit. A bin counts by its middle."""
    linked = {at: count for at, count in sorted(weights.items()) if _middle(at) >= link}
    between = sum(count for at, count in weights.items() if review <= _middle(at) < link)
    return Spread(sum(weights.values()), sum(linked.values()), between, _median(linked))


def _middle(at: int) -> float:
    return (at + 0.5) * BIN


def _median(weights: Mapping[int, int]) -> float | None:
    half, passed = sum(weights.values()) / 2, 0
    for at, count in weights.items():
        passed += count
        if passed >= half:
            return _middle(at) / WEIGHT_ONE_BIT
    return None
