"""What the twins of their documents say of client records: how much two of them have in common."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from identity.documents.papers import common_rules
from identity.documents.schema import Ints
from identity.documents.twins import TWIN, numbered

LEVELS: Final = ("many", "several", "two", "one")
"""How much two records have in common, best first; the place plus one is the level's number."""
SHARED: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("other_record_id", pa.int64(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),  # the number of one of LEVELS
    ]
)
"""identity.shared_document: two client records with documents in common, once from each side."""
_SIDES: Final = ("left", "right")


def in_common(twins: pa.Table) -> pa.Table:
    """What records have in common (SHARED), in order, by all the twins (TWIN) of their documents.

    Twins with other records of the same register speak against: who shares documents with many is a collective account
    or pays for a group.
    """
    column = {name: twins[name].to_numpy() for name in TWIN.names}
    apart = column["left_party_id"] != column["right_party_id"]
    sides = [[column[f"{side}_{name}"][apart] for name in ("record_id", "party_id", "source_id")] for side in _SIDES]
    worth = column["worth"][apart].astype(np.int64)
    pair = numbered(np.minimum(sides[0][1], sides[1][1]), np.maximum(sides[0][1], sides[1][1]))
    count = int(pair.max(initial=-1)) + 1
    both, others = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    party = np.zeros((2, count), np.int64)
    # A side is that of the smaller party, whichever its document's id is.
    swapped = sides[0][1] > sides[1][1]
    document, owner, register = (
        [np.where(swapped, two, one), np.where(swapped, one, two)] for one, two in zip(*sides, strict=True)
    )
    # Of each party all that it has in common with anybody of one register, whichever side it is on.
    group = numbered(np.concatenate(owner), np.concatenate(register[::-1]))
    total = _sum_of_distinct(group, np.concatenate(document), np.tile(worth, 2), int(group.max(initial=-1)) + 1)
    for side, all_of_side in enumerate(np.split(total[group], 2)):
        own = _sum_of_distinct(pair, document[side], worth, count)
        both = np.minimum(both, own)
        elsewhere = np.zeros(count, np.int64)
        np.maximum.at(elsewhere, pair, all_of_side)
        others = np.maximum(others, elsewhere - own)
        party[side][pair] = owner[side]
    level = np.zeros(count, np.int32)
    for number, name in reversed(list(enumerate(LEVELS, 1))):
        level[both - others >= common_rules().levels[name]] = number
    at = np.flatnonzero(level)
    ends = np.concatenate([party[0][at], party[1][at]]), np.concatenate([party[1][at], party[0][at]])
    order = np.lexsort(ends[::-1])
    return pa.table([ends[0][order], ends[1][order], np.tile(level[at], 2)[order]], schema=SHARED)


def as_identifiers(shared: pa.Table) -> list[str]:
    """The value by which each row of SHARED is compared: the same on both sides, and nobody else's."""
    rows = zip(*(shared[name].to_pylist() for name in SHARED.names), strict=True)
    return [f"{level}:{min(one, two)}:{max(one, two)}" for one, two, level in rows]


def _sum_of_distinct(group: Ints, document: Ints, worth: Ints, count: int) -> Ints:
    """Of each group what its documents are worth, each counted once with the most that it is worth there."""
    each = numbered(group, document)
    most, of = np.zeros(int(each.max(initial=-1)) + 1, np.int64), np.zeros(int(each.max(initial=-1)) + 1, np.int64)
    np.maximum.at(most, each, worth)
    of[each] = group
    total = np.zeros(count, np.int64)
    np.add.at(total, of, most)
    return total
