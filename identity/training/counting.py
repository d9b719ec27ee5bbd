"""Counting: how many pairs show the same integers. What is summed in their order is the same to the bit, wherever the
pairs were compared, and in how many parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    first, pairs = distinct_rows([about, *columns])
    seen = np.column_stack([column[first] for column in columns]).astype(np.int32)
    return Counts(about[first].astype(np.int64), seen, pairs)


def distinct_rows(columns: Columns) -> tuple[Ints, Ints]:
    """Of each distinct row the place where it stands first, and how often it is there; in order of the rows."""
    code, room = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        least, most = (int(end) for end in (column.min(), column.max())) if len(column) else (0, 0)
        if room * (most - least + 1) > _ROOM:
            known, code = np.unique(code, return_inverse=True)
            room = max(len(known), 1)
        code = code * (most - least + 1) + (column.astype(np.int64) - least)
        room *= most - least + 1
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    return first.astype(np.int64), count.astype(np.int64)
