"""How good pairs are against the truth at every threshold, by their weights alone: nothing is clustered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from identity.encoded import Ints
from identity.evaluation.evaluate import Quality, quality
from identity.evaluation.truth import KnownRecords
from identity.features import positions
from identity.population import Population
from identity.schema import WEIGHT_ONE_BIT

STEP: Final = WEIGHT_ONE_BIT // 2
"""Thresholds lie so far apart, in 1/1024 bit; those in force are among them."""


@dataclass(frozen=True)
class ThresholdQuality:
    """The pairs that reach a threshold against all true pairs. What a contradiction or a distinct register forbids
    reaches none."""

    threshold: int  # 1/1024 bit
    found: int
    right: int
    quality: Quality


@dataclass(frozen=True)
class PairQuality:
    """One kind of records, as far as the truth knows them. Pairs are pairs of records."""

    kind: str
    records: int
    true_pairs: int
    curve: tuple[ThresholdQuality, ...]  # from the plausible threshold up
    plausible: int
    review: int
    link: int

    def at(self, threshold: int) -> ThresholdQuality:
        """The quality at the lowest measured threshold that is not below `threshold`."""
        return next((point for point in self.curve if point.threshold >= threshold), self.curve[-1])

    @property
    def best(self) -> ThresholdQuality:
        """The threshold with the highest F1; the lowest of equals."""
        return max(self.curve, key=lambda point: (point.quality.f1, -point.threshold))


def pair_quality(population: Population, known: KnownRecords, pairs: pa.Table) -> PairQuality:
    """Measure the plausible `pairs` (PAIR, of any kind) at every threshold.

    Records that the truth does not name are left out on both sides. Of records that are alike in everything PAIR holds
    one pair each; here all their pairs count.
    """
    weight, said, right = _scored(population, known, pairs)
    true_pairs, model = known.true_pairs(), population.model
    top = int(weight.max(initial=model.link)) + STEP
    thresholds = sorted({*range(model.plausible, top + 1, STEP), model.review, model.link})
    order = np.argsort(weight, kind="stable")
    at = np.searchsorted(weight[order], thresholds)
    found, correct = _sums_from(said[order])[at].tolist(), _sums_from(right[order])[at].tolist()
    return PairQuality(
        kind=population.kind,
        records=int(known.size.sum()),
        true_pairs=true_pairs,
        curve=tuple(
            ThresholdQuality(threshold, one, two, quality(two, one, true_pairs))
            for threshold, one, two in zip(thresholds, found, correct, strict=True)
        ),
        plausible=model.plausible,
        review=model.review,
        link=model.link,
    )


def _sums_from(counts: Ints) -> Ints:
    """The sum of the counts from each place to the end, and 0 beyond."""
    return np.append(np.cumsum(counts[::-1])[::-1], 0)


def _scored(population: Population, known: KnownRecords, pairs: pa.Table) -> tuple[Ints, Ints, Ints]:
    """Of each plausible pair of points, and of each point: weight, pairs of records, true ones."""
    points, ids = known.points, population.records["record_id"]
    left, right = positions(ids, pairs["left_id"]), positions(ids, pairs["right_id"])
    here = (left >= 0) & (right >= 0)
    low, high = points.of[left[here]], points.of[right[here]]
    apart = (low != high) & (known.size[low] > 0) & (known.size[high] > 0)
    distinct = np.unique((np.minimum(low, high) * len(points.row) + np.maximum(low, high))[apart])
    one, two = distinct // len(points.row), distinct % len(points.row)
    scores = population.score(points.row[one], points.row[two])
    reached = (scores.weight >= population.model.plausible) & ~scores.forbidden
    one, two, weight = one[reached], two[reached], scores.weight[reached]
    several = np.flatnonzero(known.size > 1)
    alike = np.zeros(len(points.row), dtype=np.int64)
    np.maximum.at(alike, points.of, points.weight)
    size = known.size
    return (
        np.concatenate([weight.astype(np.int64), alike[several]]),
        np.concatenate([size[one] * size[two], size[several] * (size[several] - 1) // 2]),
        np.concatenate([known.between(one, two), known.within()[several]]),
    )
