"""Clusters: components of plausible pairs, all their cross pairs scored, merged by average link under
constraints.

Positions are points in natural-key order; a point stands for `sizes[i]` identical records. Everything is
integer arithmetic on weights of 1/1024 bit, so the result is a pure function of each component.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.features import Codes, Flags, Ints
from identity.schema import WEIGHT_ONE_BIT
from identity.score import Scores, Weights

ScorePairs = Callable[[Ints, Ints], Scores]

SPLIT_STEP: Final = WEIGHT_ONE_BIT
"""By how much the plausible threshold of a component over the bound is raised at a time."""

_BATCH: Final = 2_000_000  # cross pairs scored at once
_NONE: Final = np.iinfo(np.int64).min
_MEAN_SHIFT: Final = 8  # means keep eight binary places below the weights' unit


@dataclass(frozen=True)
class Thresholds:
    """Weights in 1/1024 bit."""

    plausible: int  # pairs from here on make components; no merge has a lower mean
    link: int  # what the evidence for one merge must come to
    bound: int  # most points in a component
    pooled: bool = True  # whether the pairs between two clusters are more evidence than one of them


@dataclass(frozen=True)
class Constraints:
    """What people said, as positions of points."""

    same: tuple[Ints, Ints] = field(default_factory=lambda: (_empty(), _empty()))
    not_same: tuple[Ints, Ints] = field(default_factory=lambda: (_empty(), _empty()))


@dataclass(frozen=True)
class SplitComponent:
    """A component that was over the bound."""

    first: int  # its smallest position
    size: int
    threshold: int  # the plausible threshold at which all parts fitted


@dataclass(frozen=True)
class Clusters:
    """The smallest position of each point's cluster, and which components were too large to be taken
    whole."""

    label: Ints
    split: tuple[SplitComponent, ...]


def _empty() -> Ints:
    return np.zeros(0, dtype=np.int64)


def cluster(
    sizes: Ints,
    edges: tuple[Ints, Ints, Weights],
    score: ScorePairs,
    thresholds: Thresholds,
    constraints: Constraints | None = None,
) -> Clusters:
    """The partition of the points. `edges`: the plausible, not forbidden pairs; `score` weighs any pairs
    exactly."""
    constraints = constraints or Constraints()
    count = len(sizes)
    component, split = _components(count, edges, thresholds, constraints.same)
    # Points in order of component, natural order within; components of one point are done.
    order = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    lengths = np.diff(np.append(starts, count))
    label = np.arange(count, dtype=np.int64)
    several = np.flatnonzero(lengths > 1)
    starts, lengths = starts[several], lengths[several]
    pairs = lengths * (lengths - 1) // 2
    batch = (np.cumsum(pairs) - pairs) // _BATCH
    work = _Work(sizes, score, thresholds, constraints, order, label)
    for number in np.unique(batch):
        chosen = batch == number
        work.settle(starts[chosen], lengths[chosen])
    return Clusters(label, split)


def _components(
    count: int, edges: tuple[Ints, Ints, Weights], thresholds: Thresholds, same: tuple[Ints, Ints]
) -> tuple[Codes, tuple[SplitComponent, ...]]:
    """Component numbers; those over the bound are split by raising the threshold in fixed steps until they
    fit."""
    left, right, weight = edges
    keep = weight >= thresholds.plausible
    left, right, weight = left[keep], right[keep], weight[keep]
    component = _connected(count, np.concatenate([left, same[0]]), np.concatenate([right, same[1]]))
    members = np.bincount(component, minlength=1)
    over = members > thresholds.bound
    if not over.any():
        return component, ()
    original, threshold = component, thresholds.plausible
    last = np.full(len(members), threshold)
    top = int(weight.max(initial=threshold))
    while over.any() and threshold <= top:
        threshold += SPLIT_STEP
        inside = over[component[left]] & (weight < threshold)
        last[np.unique(original[left[inside]])] = threshold
        left, right, weight = left[~inside], right[~inside], weight[~inside]
        component = _connected(count, np.concatenate([left, same[0]]), np.concatenate([right, same[1]]))
        over = np.bincount(component, minlength=1) > thresholds.bound
    first = np.full(len(members), count)
    np.minimum.at(first, original, np.arange(count))
    report = tuple(
        SplitComponent(int(first[at]), int(members[at]), int(last[at]))
        for at in np.flatnonzero(members > thresholds.bound)
    )
    return component, report


def _connected(count: int, left: Ints, right: Ints) -> Codes:
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


@dataclass(frozen=True)
class _Work:
    """What settles the components of one run; `label` is written."""

    sizes: Ints
    score: ScorePairs
    thresholds: Thresholds
    constraints: Constraints
    order: Ints  # points by component, natural order within
    label: Ints

    def settle(self, starts: Ints, lengths: Ints) -> None:
        """Score all cross pairs of some components (spans of `order`) and write the labels of their
        points."""
        order, label = self.order, self.label
        left, right, ends = _cross_pairs(order, starts, lengths)
        scores = self.score(left, right)
        must = _marked(left, right, self.constraints.same, len(label))
        forbidden = (scores.forbidden & ~must) | _marked(left, right, self.constraints.not_same, len(label))
        begins = np.concatenate([[0], ends[:-1]])
        clear = (scores.weight >= self.thresholds.link) & ~forbidden
        whole = np.logical_and.reduceat(clear | must, begins)
        first = order[starts]
        # Most components are of one mind: every pair clears, and no loop is needed.
        done = np.flatnonzero(whole)
        at = np.repeat(starts[done], lengths[done]) + _ranges(lengths[done])
        label[order[at]] = np.repeat(first[done], lengths[done])
        for number in np.flatnonzero(~whole).tolist():
            span = slice(int(begins[number]), int(ends[number]))
            points = order[starts[number] : starts[number] + lengths[number]]
            linkage = Linkage(self.sizes[points], scores.weight[span], forbidden[span], self.thresholds)
            label[points] = points[linkage.merged(np.flatnonzero(must[span]))]


def _ranges(lengths: Ints) -> Ints:
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _cross_pairs(order: Ints, starts: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Every pair of points within each component, row by row of its upper triangle, and where each component
    ends."""
    row = _ranges(lengths)  # every point: its place in its component
    partners = np.repeat(lengths, lengths) - row - 1
    base = np.repeat(starts, lengths)
    left = np.repeat(base + row, partners)
    right = left + 1 + _ranges(partners)
    return order[left], order[right], np.cumsum(lengths * (lengths - 1) // 2)


def _marked(left: Ints, right: Ints, marks: tuple[Ints, Ints], count: int) -> Flags:
    """Which pairs (in either direction) are among the marks."""
    if len(marks[0]) == 0:
        return np.zeros(len(left), dtype=np.bool_)
    wanted = np.minimum(marks[0], marks[1]) * count + np.maximum(marks[0], marks[1])
    return np.isin(np.minimum(left, right) * count + np.maximum(left, right), wanted)


class Linkage:
    """Average link over one component.

    The allowed pair of clusters with the highest mean weight merges first (then the smaller first point, then
    the smaller second) while its evidence holds.
    """

    def __init__(self, sizes: Ints, weights: Weights, forbidden: Flags, thresholds: Thresholds) -> None:
        """`weights` and `forbidden` are the upper triangle of the points' pairs, row by row."""
        count = len(sizes)
        self._thresholds = thresholds
        self._upper = np.triu_indices(count, 1)
        self._total = np.zeros((count, count), dtype=np.int64)
        self._total[self._upper] = weights.astype(np.int64) * sizes[self._upper[0]] * sizes[self._upper[1]]
        self._total += self._total.T
        self._barred = np.zeros((count, count), dtype=np.bool_)
        self._barred[self._upper] = forbidden
        self._barred |= self._barred.T
        np.fill_diagonal(self._barred, True)
        self._size = sizes.astype(np.int64).copy()
        self._group = np.arange(count)
        self._alive = np.ones(count, dtype=np.bool_)

    def merged(self, must: Ints) -> Ints:
        """For each point the smallest point of its cluster; the pairs `must` (places in the triangle) are joined.

        A human who joins two records means their clients: clusters grow by evidence first and are then joined whole, so
        that unlike cards that are one client do not drive away those who belong to either. Where that would put two
        together that must stay apart, the records themselves are joined first and evidence decides about the rest.
        """
        before = [part.copy() for part in self._state()]
        self._grow()
        if len(must) == 0:
            return self._group
        if not self._join(must, heeding=True):
            for part, former in zip(self._state(), before, strict=True):
                part[...] = former
            self._join(must, heeding=False)
        self._grow()
        return self._group

    def _state(self) -> tuple[Ints | Flags, ...]:
        return self._total, self._barred, self._size, self._group, self._alive

    def _join(self, must: Ints, *, heeding: bool) -> bool:
        """Join the clusters of each pair; False, and no further, where that is barred and is heeded."""
        for at in must.tolist():
            one, two = sorted(int(self._group[side[at]]) for side in self._upper)
            if one != two:
                if heeding and self._barred[one, two]:
                    return False
                self._merge(one, two)
        return True

    def _grow(self) -> None:
        """Merge by evidence until no allowed pair of clusters has enough of it."""
        mean = self._means(self._total, self._barred, self._size[:, None])
        mean[~self._alive] = _NONE
        best = mean.argmax(axis=1)
        height = mean[np.arange(len(best)), best]
        while True:
            one = int(height.argmax())
            if height[one] == _NONE:
                return
            two = int(best[one])
            self._merge(one, two)
            row = self._means(self._total[one], self._barred[one], self._size[one])
            mean[one], mean[:, one] = row, row
            mean[two], mean[:, two] = _NONE, _NONE
            # Rows whose best was one of the two look again; the others only at the new cluster.
            stale = np.flatnonzero(self._alive & ((best == one) | (best == two)))
            best[stale] = mean[stale].argmax(axis=1)
            height[stale] = mean[stale, best[stale]]
            better = self._alive & ((row > height) | ((row == height) & (one < best) & (row != _NONE)))
            better[one] = False
            best[better], height[better] = one, row[better]
            best[one] = row.argmax()
            height[one] = row[best[one]]
            height[two] = _NONE

    def _means(self, total: Ints, barred: Flags, one: Ints) -> Ints:
        """Mean weights with eight binary places; none where a merge is barred or its evidence too thin.

        The cross pairs of two clusters are not independent evidence: clusters of a and b records bear about
        as many independent comparisons as the harmonic mean of a and b. Pooled, the evidence is the mean
        weight that many times; otherwise, where weights are no estimates, the mean alone. It must reach the
        link threshold, and the mean itself must stay plausible.
        """
        two = self._size
        effective = one + two if self._thresholds.pooled else 2 * one * two
        enough = 2 * total >= np.int64(self._thresholds.link) * effective
        enough &= total >= self._thresholds.plausible * one * two
        enough &= ~barred & self._alive
        return np.where(enough, (total << _MEAN_SHIFT) // (one * two), _NONE)

    def _merge(self, one: int, two: int) -> None:
        """The cluster at `two` becomes part of the one at `one`; one < two."""
        self._total[one] += self._total[two]
        self._total[:, one] = self._total[one]
        self._barred[one] |= self._barred[two]
        self._barred[:, one] = self._barred[one]
        self._barred[one, one] = True
        self._size[one] += self._size[two]
        self._group[self._group == two] = one
        self._alive[two] = False
