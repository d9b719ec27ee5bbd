"""Two groupings of the same records beside each other: which groups stay, merge, fall apart or exchange records."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.encoded import Ints

KINDS: Final = ("merged", "split", "regrouped")
_LOOKED_AT: Final = 200


class Regrouping:
    """The components of the graph of old and new groups that share records; numbered by their first record."""

    def __init__(self, old: Ints, new: Ints) -> None:
        """Of each record its old and its new group, both numbered from 0 in order of their first record."""
        self.old, self.new = old, new
        self.old_sizes, self.new_sizes = np.bincount(old), np.bincount(new)
        olds, news = self.old_sizes.size, self.new_sizes.size
        cells, overlap = np.unique(old * max(news, 1) + new, return_counts=True)
        ends = cells // max(news, 1), olds + cells % max(news, 1)
        graph = coo_matrix((np.ones(len(cells), dtype=np.int8), ends), shape=(olds + news,) * 2)
        # Groups are numbered by their first record, and so are components by their first group.
        of = pd.factorize(connected_components(graph, directed=False)[1])[0].astype(np.int64)
        self.of_old, self.of_new = of[:olds], of[olds:]
        count = int(of.max(initial=-1)) + 1
        self.old_count = np.bincount(self.of_old, minlength=count)
        self.new_count = np.bincount(self.of_new, minlength=count)
        both = _pairs_within(overlap, self.of_old[ends[0]], count)
        self.joined = _pairs_within(self.new_sizes, self.of_new, count) - both
        self.parted = _pairs_within(self.old_sizes, self.of_old, count) - both
        self.flips = self.joined + self.parted
        self.kind = np.select(
            [(self.old_count == 1) & (self.new_count == 1), self.new_count == 1, self.old_count == 1],
            ["unchanged", "merged", "split"],
            "regrouped",
        )

    @property
    def of_record(self) -> Ints:
        """Of each record its component."""
        found: Ints = self.of_old[self.old]
        return found

    def flipping(self, group: int, most: int = _LOOKED_AT) -> tuple[Ints, Ints]:
        """Pairs of records of a component that stand together in one grouping only, the smaller position first; none if
        it is unchanged. Of a large one those among `most` of its records, of each overlap of groups some."""
        if self.kind[group] == "unchanged":
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        everyone = rows = np.flatnonzero(self.of_record == group)
        if len(rows) > most:
            _, cell, size = np.unique(
                self.old[rows] * self.new_sizes.size + self.new[rows], return_inverse=True, return_counts=True
            )
            order = np.argsort(cell, kind="stable")
            nth = np.empty(len(rows), dtype=np.int64)  # of each record the how manyth of its overlap it is
            nth[order] = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
            rows = np.sort(rows[np.lexsort((cell, nth))[:most]])
        one, two = np.triu_indices(len(rows), 1)
        left, right = rows[one], rows[two]
        flips = (self.old[left] == self.old[right]) != (self.new[left] == self.new[right])
        if len(rows) < len(everyone) and not flips.any():
            return self.flipping(group, 4 * most)
        return left[flips], right[flips]


def numbered(labels: Ints | np.ndarray) -> Ints:
    """Labels of any kind as numbers from 0, in order of their first record."""
    found: Ints = pd.factorize(labels)[0].astype(np.int64)
    return found


def _pairs_within(sizes: Ints, of: Ints, count: int) -> Ints:
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, of, sizes.astype(np.int64) * (sizes - 1) // 2)
    return total
