"""Documents that two records have in common: a level for how much, silent where there are none."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow.compute as pc

from identity.encoded import Ints, Levels
from identity.features import Features
from identity.settings import DOCUMENTS

IN_COMMON: Final = {DOCUMENTS: ("many", "several", "two", "one")}


class Documents:
    """What pairs of records have in common, as identifiers of the type `documents` say it: `level:record:record`,
    borne by these two records alone."""

    def __init__(self, features: Features) -> None:
        values = features.values(f"identifier.{DOCUMENTS}")
        rows, codes = values.rows, values.codes
        order = np.argsort(codes, kind="stable")
        rows, codes = rows[order], codes[order]
        # The other one may be of another kind, or no client record any more.
        both = np.flatnonzero(codes[1:] == codes[:-1])
        pair = _packed(rows[both], rows[both + 1])
        found = pc.utf8_slice_codeunits(values.unique, 0, 1).to_numpy(zero_copy_only=False)[codes[both]]
        order = np.argsort(pair)
        self._pair, self._level = pair[order], found[order].astype(np.uint8)

    @property
    def is_empty(self) -> bool:
        """No two records have any in common."""
        return len(self._pair) == 0

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows; 0 where the two have no document in common."""
        if self.is_empty:
            return {DOCUMENTS: np.zeros(len(left), dtype=np.uint8)}
        pair = _packed(left, right)
        at = np.minimum(np.searchsorted(self._pair, pair), len(self._pair) - 1)
        return {DOCUMENTS: np.where(self._pair[at] == pair, self._level[at], np.uint8(0))}


def _packed(one: Ints, two: Ints) -> Ints:
    """Each pair of rows as one integer, whichever comes first."""
    found: Ints = np.minimum(one, two).astype(np.int64) << 32 | np.maximum(one, two).astype(np.int64)
    return found
