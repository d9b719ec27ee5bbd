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

from identity.clustering.linkage import Linkage, Thresholds, grown_together
from identity.comparison.score import Scores, Weights
from identity.encoded import Codes, Flags, Ints
from identity.schema import WEIGHT_ONE_BIT

ScorePairs = Callable[[Ints, Ints], Scores]

SPLIT_STEP: Final = WEIGHT_ONE_BIT
"""By how much the plausible threshold of a component over the bound is raised at a time."""

_BATCH: Final = 2_000_000  # cross pairs scored at once
_SMALL: Final = 32  # points up to which components are settled many at a time


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
    component, split = components(len(sizes), edges, thresholds, constraints.same)
    return Clusters(settle(component, sizes, score, thresholds, constraints), split)


def settle(component: Codes, sizes: Ints, score: ScorePairs, thresholds: Thresholds, constraints: Constraints) -> Ints:
    """The smallest position of each point's cluster, where each point's component (`components`) is known; any whole
    components."""
    count = len(sizes)
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
    return label


def components(
    count: int, edges: tuple[Ints, Ints, Weights], thresholds: Thresholds, same: tuple[Ints, Ints]
) -> tuple[Codes, tuple[SplitComponent, ...]]:
    """Which points have to be settled together: the number of each one's component. Those over the bound are split by
    raising the threshold in fixed steps until they fit."""
    left, right, weight = edges
    keep = weight >= thresholds.plausible
    left, right, weight = left[keep], right[keep], weight[keep]
    component = connected(count, np.concatenate([left, same[0]]), np.concatenate([right, same[1]]))
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
        component = connected(count, np.concatenate([left, same[0]]), np.concatenate([right, same[1]]))
        over = np.bincount(component, minlength=1) > thresholds.bound
    first = np.full(len(members), count)
    np.minimum.at(first, original, np.arange(count))
    report = tuple(
        SplitComponent(int(first[at]), int(members[at]), int(last[at]))
        for at in np.flatnonzero(members > thresholds.bound)
    )
    return component, report


def connected(count: int, left: Ints, right: Ints) -> Codes:
    """The number of each position's component, from 0 on in the order of their smallest positions."""
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
        joined = np.zeros(len(left), dtype=np.bool_) if scores.joined is None else scores.joined
        forbidden = (scores.forbidden & ~must) | _marked(left, right, self.constraints.not_same, len(label))
        begins = np.concatenate([[0], ends[:-1]])
        clear = (scores.weight >= self.thresholds.link) & ~forbidden
        joined = joined & ~forbidden
        whole = np.logical_and.reduceat(clear | must | joined, begins)
        first = order[starts]
        # Most components are of one mind: every pair clears, and no loop is needed.
        done = np.flatnonzero(whole)
        at = np.repeat(starts[done], lengths[done]) + _ranges(lengths[done])
        label[order[at]] = np.repeat(first[done], lengths[done])
        # A human's word and a shared number take a component through its own loop; so does its size.
        special = np.logical_or.reduceat(must | joined, begins) | (lengths > _SMALL)
        for length in np.unique(lengths[~whole & ~special]).tolist():
            alike = np.flatnonzero(~whole & ~special & (lengths == length))
            points = order[starts[alike][:, None] + np.arange(length)]
            pairs = begins[alike][:, None] + np.arange(length * (length - 1) // 2)
            group = grown_together(self.sizes[points], scores.weight[pairs], forbidden[pairs], self.thresholds)
            label[points] = np.take_along_axis(points, group, axis=1)
        for number in np.flatnonzero(~whole & special).tolist():
            span = slice(int(begins[number]), int(ends[number]))
            points = order[starts[number] : starts[number] + lengths[number]]
            linkage = Linkage(self.sizes[points], scores.weight[span], forbidden[span], self.thresholds)
            label[points] = points[linkage.merged(np.flatnonzero(must[span]), np.flatnonzero(joined[span]))]


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
