"""Average link: clusters grow by the mean weight of their cross pairs, in integers: the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.comparison.score import Weights
from identity.encoded import Flags, Ints
from identity.model import MatchModel

_NONE: Final = np.iinfo(np.int64).min
_MEAN_SHIFT: Final = 8  # means keep eight binary places below the weights' unit
_CELLS: Final = 2_000_000  # pairs of points held at once


@dataclass(frozen=True)
class Thresholds:
    """Weights in 1/1024 bit."""

    plausible: int  # pairs from here on make components; no merge has a lower mean
    link: int  # what the evidence for one merge must come to
    bound: int  # most points in a component
    pooled: bool = True  # whether the pairs between two clusters are more evidence than one of them
    review: int = 0  # some pair of a merge reaches it; where weights are no estimates, their mean does

    @classmethod
    def of(cls, model: MatchModel, kind: str) -> Thresholds:
        """Those of a kind of record."""
        mine = model.kind(kind)
        return cls(mine.plausible, mine.link, model.component_bound, mine.pooled, mine.review)


def _means(total: Ints, strongest: Weights, barred: Flags, sizes: tuple[Ints, Ints], thresholds: Thresholds) -> Ints:
    """Mean weights with eight binary places; none where a merge is barred or its evidence too thin.

    The cross pairs of two clusters are not independent evidence: clusters of a and b records bear about
    as many independent comparisons as the harmonic mean of a and b. Pooled, the evidence is the mean
    weight that many times; it must reach the link threshold, the mean itself must stay plausible, and one pair
    must be worth a review by itself: names that are alike do not add up to a client however often they are
    written down. Where weights are no estimates, weak pairs do not add up at all: one pair must be a link by
    itself, and the mean worth a review.
    """
    one, two = sizes
    if thresholds.pooled:
        enough = 2 * total >= np.int64(thresholds.link) * (one + two)
        enough &= (total >= thresholds.plausible * one * two) & (strongest >= thresholds.review)
    else:
        enough = (strongest >= thresholds.link) & (total >= thresholds.review * one * two)
    enough &= ~barred
    return np.where(enough, (total << _MEAN_SHIFT) // (one * two), _NONE)


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
        self._strongest = np.zeros((count, count), dtype=np.int32)
        self._strongest[self._upper] = weights
        self._strongest += self._strongest.T
        self._barred = np.zeros((count, count), dtype=np.bool_)
        self._barred[self._upper] = forbidden
        self._barred |= self._barred.T
        np.fill_diagonal(self._barred, True)
        self._size = sizes.astype(np.int64).copy()
        self._group = np.arange(count)
        self._alive = np.ones(count, dtype=np.bool_)

    def merged(self, must: Ints, joined: Ints) -> Ints:
        """For each point the smallest point of its cluster; the pairs `must` (places in the triangle) are joined, and
        after them the pairs `joined`, unless they must stay apart.

        A human who joins two records means their clients: clusters grow by evidence first and are then joined whole, so
        that unlike cards that are one client do not drive away those who belong to either. Where that would put two
        together that must stay apart, the records themselves are joined first and evidence decides about the rest.
        """
        before = [part.copy() for part in self._state()]
        self._grow()
        if len(must):
            if not self._join(must, heeding=True):
                for part, former in zip(self._state(), before, strict=True):
                    part[...] = former
                self._join(must, heeding=False)
            self._grow()
        if len(joined):
            for at in joined.tolist():
                self._join(np.array([at]), heeding=True)
            self._grow()
        return self._group

    def _state(self) -> tuple[Ints | Weights | Flags, ...]:
        return self._total, self._strongest, self._barred, self._size, self._group, self._alive

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
        mean = self._means(self._total, self._strongest, self._barred | ~self._alive, self._size[:, None])
        mean[~self._alive] = _NONE
        best = mean.argmax(axis=1)
        height = mean[np.arange(len(best)), best]
        while True:
            one = int(height.argmax())
            if height[one] == _NONE:
                return
            two = int(best[one])
            self._merge(one, two)
            barred = self._barred[one] | ~self._alive
            row = self._means(self._total[one], self._strongest[one], barred, self._size[one])
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

    def _means(self, total: Ints, strongest: Weights, barred: Flags, one: Ints) -> Ints:
        return _means(total, strongest, barred, (one, self._size), self._thresholds)

    def _merge(self, one: int, two: int) -> None:
        """The cluster at `two` becomes part of the one at `one`; one < two."""
        self._total[one] += self._total[two]
        self._total[:, one] = self._total[one]
        np.maximum(self._strongest[one], self._strongest[two], out=self._strongest[one])
        self._strongest[:, one] = self._strongest[one]
        self._barred[one] |= self._barred[two]
        self._barred[:, one] = self._barred[one]
        self._barred[one, one] = True
        self._size[one] += self._size[two]
        self._group[self._group == two] = one
        self._alive[two] = False


def grown_together(sizes: Ints, weights: Weights, forbidden: Flags, thresholds: Thresholds) -> Ints:
    """`Linkage` by evidence alone for components (lines) of as many points each, all at a time: of each point the
    smallest point of its cluster."""
    count = sizes.shape[1]
    chunk = max(1, _CELLS // count**2)
    parts = [
        _grown_together(sizes[at : at + chunk], weights[at : at + chunk], forbidden[at : at + chunk], thresholds)
        for at in range(0, len(sizes), chunk)
    ]
    return np.concatenate(parts)


def _grown_together(sizes: Ints, weights: Weights, forbidden: Flags, thresholds: Thresholds) -> Ints:
    components, count = sizes.shape
    one, two = np.triu_indices(count, 1)
    size = sizes.astype(np.int64)
    total = np.zeros((components, count, count), dtype=np.int64)
    total[:, one, two] = total[:, two, one] = weights.astype(np.int64) * size[:, one] * size[:, two]
    strongest = np.zeros((components, count, count), dtype=np.int32)
    strongest[:, one, two] = strongest[:, two, one] = weights
    barred = np.zeros((components, count, count), dtype=np.bool_)
    barred[:, one, two] = barred[:, two, one] = forbidden
    barred[:, np.arange(count), np.arange(count)] = True
    group = np.tile(np.arange(count), (components, 1))
    result = group.copy()
    at = np.arange(components)  # the components that still grow
    while len(at):
        sides = size[:, :, None], size[:, None, :]
        mean = _means(total, strongest, barred, sides, thresholds).reshape(len(at), -1)
        # The first of the best: of pairs that are as good, the one with the smaller first point, then the second.
        best = mean.argmax(axis=1)
        grows = mean[np.arange(len(at)), best] != _NONE
        result[at[~grows]] = group[~grows]
        at, best, total, barred = at[grows], best[grows], total[grows], barred[grows]
        size, group, strongest = size[grows], group[grows], strongest[grows]
        line, (kept, gone) = np.arange(len(at)), np.divmod(best, count)
        total[line, kept] += total[line, gone]
        total[line, :, kept] = total[line, kept]
        strongest[line, kept] = np.maximum(strongest[line, kept], strongest[line, gone])
        strongest[line, :, kept] = strongest[line, kept]
        barred[line, kept] |= barred[line, gone]
        barred[line, :, kept] = barred[line, kept]
        barred[line, kept, kept] = True
        barred[line, gone] = barred[line, :, gone] = True
        size[line, kept] += size[line, gone]
        group = np.where(group == gone[:, None], kept[:, None], group)
    return result
