"""Clients that pay for each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.documents.schema import RELATED, Flags, Ints
from identity.documents.sets import union


@dataclass(frozen=True, slots=True)
class Kin:
    """Pairs of clients (hashes) that are related, whichever way round."""

    clients: Ints
    """All of them, ascending."""
    codes: Ints
    """Pairs of places in `clients`, ascending."""

    def are(self, left: Ints, right: Ints) -> Flags:
        """Whether the two are related."""
        found = np.zeros(len(left), np.bool_)
        one, is_known = self._places(left)
        at = np.flatnonzero(is_known)
        other, is_known = self._places(right[at])
        at, other = at[is_known], other[is_known]
        code = one[at] * len(self.clients) + other
        place = np.minimum(np.searchsorted(self.codes, code), max(len(self.codes) - 1, 0))
        found[at] = self.codes[place] == code if len(self.codes) else False
        return found

    def _places(self, clients: Ints) -> tuple[Ints, Flags]:
        if not len(self.clients):
            return np.zeros(len(clients), np.int64), np.zeros(len(clients), np.bool_)
        at = np.minimum(np.searchsorted(self.clients, clients), len(self.clients) - 1)
        return at, self.clients[at] == clients


def kin_of(related: pa.Table) -> Kin:
    """The pairs of a table (RELATED)."""
    ends = [related[name].to_numpy() for name in RELATED.names]
    clients = union(*ends)
    one, other = (np.searchsorted(clients, end) for end in ends)
    return Kin(clients, union(one * len(clients) + other, other * len(clients) + one))
