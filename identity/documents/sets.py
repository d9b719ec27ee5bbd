"""Sets of integers as ascending arrays, by sorting.

NumPy's own `unique`, and all that is built on it, goes through a hash table: on a million records that takes ten times
as long as one sort.
"""

from __future__ import annotations

import numpy as np

from identity.documents.schema import Flags, Ints


def unique(values: Ints) -> Ints:
    """Each value once, ascending; `values` are sorted where they stand."""
    values.sort()
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def union(*parts: Ints) -> Ints:
    """What is in any of the parts."""
    return unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def isin(values: Ints, known: Ints) -> Flags:
    """Which of the values are in `known`, which is ascending."""
    if not len(known):
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: Flags = known[at] == values
    return found


def without(values: Ints, gone: Ints) -> Ints:
    """The values that are not in `gone`, which is ascending; each once, ascending."""
    left = union(values)
    return left[~isin(left, gone)]
