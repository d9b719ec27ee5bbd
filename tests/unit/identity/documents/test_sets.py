"""Sets by sorting, and sums by whole columns, say what the plain way says."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from identity.documents.instalments import _adding_up
from identity.documents.sets import isin, union, unique, without


def test_sets_by_sorting_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    for size in (0, 1, 50):
        one, other = rng.integers(-20, 20, size), rng.integers(-20, 20, 30)
        known = np.unique(other)
        assert union(one, other).tolist() == np.union1d(one, other).tolist()
        assert without(one, known).tolist() == np.setdiff1d(one, other).tolist()
        assert isin(one, known).tolist() == np.isin(one, other).tolist()
        assert isin(one, known[:0]).tolist() == [False] * size
        assert unique(one.copy()).tolist() == np.unique(one).tolist()


def test_all_sets_that_add_up_are_found_once() -> None:
    amounts = np.random.default_rng(5).integers(1, 9, (40, 7))
    wholes = amounts[:, :3].sum(axis=1)
    found = sorted(
        (row, *sorted(places))
        for rows, sets in _adding_up(amounts, wholes, 4)
        for row, places in zip(rows.tolist(), sets.tolist(), strict=True)
    )
    assert found == sorted(
        (row, *places)
        for row in range(len(amounts))
        for size in (2, 3, 4)
        for places in combinations(range(7), size)
        if amounts[row, list(places)].sum() == wholes[row]
    )
