"""Records by number instead of by id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from identity.encoded import Codes, Ints


class Ranks:
    """The number of each record: its place in natural order."""

    def __init__(self, ids: Ints) -> None:
        """`ids`: of all records, in natural order."""
        self.ids = ids
        self._order = np.argsort(ids).astype(np.int32)
        self._sorted = ids[self._order]

    def of(self, ids: Ints) -> Codes:
        """The numbers of records; where many rows of one follow each other, it is looked for once."""
        if len(ids) == 0:
            return np.zeros(0, dtype=np.int32)
        fresh = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
        found = self._order[np.searchsorted(self._sorted, ids[fresh])]
        return np.repeat(found, np.diff(np.append(fresh, len(ids))))


def numbered(ids: pa.ChunkedArray, of: pa.ChunkedArray) -> Codes:
    """Of each of many rows the number of its record: its place among `ids`."""
    ranks = Ranks(ids.to_numpy())
    return np.concatenate([np.zeros(0, dtype=np.int32), *(ranks.of(chunk.to_numpy()) for chunk in of.chunks)])
