"""Blocking keys by record: how they are stored for whoever asks what the keys of a record were."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.encoded import Ints

KEY_LIST: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("keys", pa.list_(pa.int64()), nullable=False),  # never empty
    ]
)
"""All blocking keys of a record, by rule and then by key."""


def key_lists(keys: pa.Table, row: npt.NDArray[np.integer] | None = None) -> pa.Table:
    """BLOCKING_KEY rows as KEY_LIST: the keys of each record in the order in which they come.

    `row`: of each key a number of its record, from 0 on, by which the records are then ordered; else by their ids.
    """
    record = keys["record_id"].to_numpy()
    if row is None:
        row = np.unique(record, return_inverse=True)[1]
    counts = np.bincount(row)
    ends = np.cumsum(counts)
    found = np.empty(len(row), dtype=np.int64)
    record_of = np.empty(len(counts), dtype=np.int64)
    record_of[row] = record
    free, done = ends - counts, 0  # of each record the place of its next key
    for chunk in keys["key"].chunks:  # those of one rule: nothing is sorted, for there are twenty million
        mine = row[done : done + len(chunk)]
        done += len(chunk)
        more = np.bincount(mine, minlength=len(counts))
        place = free[mine] if more.max(initial=0) <= 1 else free[mine] + _rank(mine)
        found[place] = chunk.to_numpy()
        free += more
    has_some = counts > 0
    starts = pa.array(np.append(0, ends[has_some]).astype(np.int32))
    return pa.table([record_of[has_some], pa.ListArray.from_arrays(starts, pa.array(found))], schema=KEY_LIST)


def _rank(row: npt.NDArray[np.integer]) -> Ints:
    """Of each entry how many of the same row stand before it."""
    order = np.argsort(row, kind="stable")
    ordered = row[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    rank: Ints = np.empty(len(row), dtype=np.int64)
    rank[order] = np.arange(len(row)) - np.repeat(first, np.diff(np.append(first, len(row))))
    return rank
