"""Counting: how many pairs show the same integers. What is summed in their order is the same to the bit, wherever the
pairs were compared, and in how many parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.encoded import Ints, whole

Column = npt.NDArray[np.integer[Any]]
Columns = Sequence[Column]

COUNT: Final = pa.schema(
    [
        pa.field("about", pa.int64(), nullable=False),
        pa.field("seen", pa.list_(pa.int32()), nullable=False),
        pa.field("pairs", pa.int64(), nullable=False),
    ]
)
"""A row of `Counts`."""
_ROOM: Final = 1 << 62


@dataclass(frozen=True)
class Counts:
    """Distinct rows of integers, in order, and how many pairs show each."""

    about: Ints  # of each row what its pairs were asked about
    seen: npt.NDArray[np.int32]  # rows x columns
    pairs: Ints

    @classmethod
    def of_table(cls, table: pa.Table, columns: int) -> Counts:
        """COUNT rows, each once and in any order."""
        lists = whole(table["seen"])
        seen = lists.flatten().to_numpy().reshape(-1, columns).astype(np.int32)
        about, pairs = table["about"].to_numpy(), table["pairs"].to_numpy()
        order = np.lexsort((*seen.T[::-1], about))
        return cls(about[order], seen[order], pairs[order])

    def table(self) -> pa.Table:
        """COUNT rows."""
        count, columns = self.seen.shape
        offsets = pa.array(np.arange(count + 1, dtype=np.int32) * columns)
        return pa.table([self.about, pa.ListArray.from_arrays(offsets, pa.array(self.seen.ravel())), self.pairs], COUNT)

    def only(self, about: int) -> Counts:
        """Those that were asked about one thing."""
        begin, end = np.searchsorted(self.about, [about, about + 1])
        return Counts(self.about[begin:end], self.seen[begin:end], self.pairs[begin:end])


def counts_of(about: Ints, columns: Columns) -> Counts:
    """The distinct rows among pairs, a column of integers each."""
    (first, *seen), pairs = _distinct([about, *columns])
    return Counts(first, np.column_stack(seen).astype(np.int32), pairs)


def _distinct(columns: Columns) -> tuple[list[Ints], Ints]:
    """The distinct rows, in order, as columns, and how often each is there."""
    ends = [(int(column.min()), int(column.max())) if len(column) else (0, 0) for column in columns]
    sizes = [most - least + 1 for least, most in ends]
    if (
        prod(sizes) > _ROOM
    ):  # more than one integer holds: of the first columns only those are told apart that are there
        code = np.unique(columns[0], return_inverse=True)[1].reshape(-1).astype(np.int64)
        for column in columns[1:]:
            values, place = np.unique(column, return_inverse=True)
            code = np.unique(code * len(values) + place, return_inverse=True)[1]
        first = np.unique(code, return_index=True)[1]
        return [column[first].astype(np.int64) for column in columns], np.bincount(code).astype(np.int64)
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column, (least, _), size in zip(columns, ends, sizes, strict=True):
        code *= size
        code += column
        code -= least
    rest, pairs = np.unique(code, return_counts=True)
    found: list[Ints] = []
    for (least, _), size in zip(reversed(ends), reversed(sizes), strict=True):
        found.append(rest % size + least)
        rest //= size
    return found[::-1], pairs.astype(np.int64)
