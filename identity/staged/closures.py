"""Which records have to be settled together, and how they are dealt out to executors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from identity.clustering.cluster import connected

_PAIRS_AT_ONCE: Final = 1_000_000
"""About so many cross pairs are scored by one call on an executor, unless one component has more."""


@dataclass(frozen=True)
class Closures:
    """Records and pairs that hang together, by the part that settles them."""

    members: pa.Table  # part, record_id: every record that hangs together with another one
    pairs: pa.Table  # part, left_id, right_id: the plausible pairs among them
    parts: int


def closures(ties: pa.Table, pairs: pa.Table, parts: int) -> Closures:
    """Parts that are closed under `ties` (left_id, right_id: plausible pairs, points and what people joined), about
    equal in work and at least `parts` of them if there is enough of it. `pairs`: which of the ties are candidates."""
    ends = [ties[name].to_numpy() for name in ("left_id", "right_id")]
    ids, at = np.unique(np.concatenate(ends), return_inverse=True)
    left, right = at[: len(ends[0])], at[len(ends[0]) :]
    component = connected(len(ids), left, right)
    size = np.bincount(component, minlength=1).astype(np.int64)
    work = size * (size - 1) // 2
    before = np.cumsum(work) - work
    share = max(min(_PAIRS_AT_ONCE, -(-int(work.sum()) // max(parts, 1))), 1)
    part = np.unique(before // share, return_inverse=True)[1].astype(np.int32)
    of_record = part[component]
    of_pair = of_record[np.searchsorted(ids, pairs["left_id"].to_numpy())]
    return Closures(
        pa.table({"part": of_record, "record_id": ids}),
        pa.table({"part": of_pair, "left_id": pairs["left_id"], "right_id": pairs["right_id"]}),
        int(part.max(initial=-1)) + 1,
    )
