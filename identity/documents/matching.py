"""The best pairs first, each end at most once: greedy by an order that is given, whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from identity.documents.schema import Flags, Ints


def best_first(
    left: Ints, right: Ints, count: int, *, shared_right: bool = False, fits: Callable[[Ints], Flags] | None = None
) -> Ints:
    """The rows that are taken when the rows are tried one after the other; ends are places below `count`.

    A row is taken if neither of its ends was (with `shared_right`: its left one), and if it `fits` then: a function of
    rows with distinct ends, which also notes that those that fit are taken. A row that is the first of both its ends
    is decided whatever else there is, so that all such rows are decided at once.
    """
    rest = np.arange(len(left))
    taken: list[Ints] = []
    while len(rest):
        first_left, first_right = np.full(count, len(left)), np.full(count, len(left))
        np.minimum.at(first_left, left[rest], rest)
        np.minimum.at(first_right, right[rest], rest)
        is_first = (first_left[left[rest]] == rest) & (first_right[right[rest]] == rest)
        tried = rest[is_first]
        good = tried if fits is None else tried[fits(tried)]
        taken.append(good)
        used_left, used_right = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        used_left[left[good]] = True
        used_right[right[good]] = not shared_right
        rest = rest[~is_first & ~used_left[left[rest]] & ~used_right[right[rest]]]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *taken]))
