"""Twins: two documents of different registers that are one and the same, told by number, amount and day alone.

Whether two are depends on the documents that share a key with either, and on nothing else: a change is followed by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.papers import common_rules
from identity.documents.schema import Ints
from identity.documents.settings import MONEY, DocumentSettings
from identity.hashing import Hashes, combine, mix

TWIN: Final = pa.schema(
    [
        pa.field("left_record_id", pa.int64(), nullable=False),  # the smaller one
        pa.field("right_record_id", pa.int64(), nullable=False),
        pa.field("left_party_id", pa.int64(), nullable=False),
        pa.field("right_party_id", pa.int64(), nullable=False),
        pa.field("left_source_id", pa.int64(), nullable=False),
        pa.field("right_source_id", pa.int64(), nullable=False),
        pa.field("worth", pa.int32(), nullable=False),
    ]
)
"""identity.document_twin: two documents that are one and the same."""


def twins_of(keys: pa.Table, settings: DocumentSettings) -> pa.Table:
    """The pairs of documents that are one and the same (TWIN), in order; `keys`: KEY.

    They are of two registers and share a number, amount and currency within the days that the settings allow, or else a
    rare amount on one day; and each is the only one of its kind that the other could be.
    """
    keys = keys.combine_chunks()
    column = {name: keys[name].to_numpy() for name in ("record_id", "party_id", "source_id", "money", "day")}
    book = numbered(column["source_id"], column["money"])
    lags = _lags(settings)
    left, right, worth = (np.zeros(0, np.int64) for _ in range(3))
    told = np.zeros(0, np.uint64)
    for name in ("number", "day"):
        one, two = _candidates(keys[f"{name}_key"], column, lags)
        ends = _ends(column["record_id"], book, one, two)
        alone = np.ones(len(one), np.bool_)
        for end in ends:
            _, at, count = np.unique(end, return_inverse=True, return_counts=True)
            # What agrees in its number as well goes before an equal amount.
            alone &= (count[at.reshape(-1)] == 1) & ~np.isin(end, told)
        told = np.concatenate([told, *ends])
        left, right = np.append(left, one[alone]), np.append(right, two[alone])
        worth = np.append(worth, np.full(int(alone.sum()), common_rules().worth[name]))
    order = np.lexsort((column["record_id"][right], column["record_id"][left]))
    left, right, worth = left[order], right[order], worth[order]
    found = [column[name][end] for name in ("record_id", "party_id", "source_id") for end in (left, right)]
    return pa.table([*found, worth.astype(np.int32)], schema=TWIN)


def numbered(one: npt.NDArray[np.integer], two: npt.NDArray[np.integer]) -> Ints:
    """A number for each distinct pair of numbers, from 0 on."""
    _, first = np.unique(one, return_inverse=True)
    _, second = np.unique(two, return_inverse=True)
    both = first.reshape(-1).astype(np.int64) * (int(second.max(initial=0)) + 1) + second.reshape(-1)
    _, number = np.unique(both, return_inverse=True)
    found: Ints = number.reshape(-1).astype(np.int64)
    return found


def _lags(settings: DocumentSettings) -> npt.NDArray[np.int64]:
    """By the places of two meanings the first and last day of the second after the first."""
    # Where two meanings are never one event the window is empty.
    table = np.tile(np.array([1, -1], np.int64), (len(MONEY), len(MONEY), 1))
    for at, one in enumerate(MONEY):
        for place, two in enumerate(MONEY):
            days = settings.lag(one, two) if at <= place else None
            if days is not None:
                table[at, place] = days
    return table


def _candidates(
    key: pa.ChunkedArray, column: Mapping[str, npt.NDArray[Any]], lags: npt.NDArray[np.int64]
) -> tuple[Ints, Ints]:
    """Pairs of rows of two registers that share a key within the allowed days; of each two documents one."""
    at = np.flatnonzero(pc.is_valid(key).to_numpy(zero_copy_only=False))
    value = pc.fill_null(key, 0).to_numpy()[at]
    order = at[np.argsort(value, kind="stable")]
    _, size = np.unique(value, return_counts=True)
    begins = np.cumsum(size) - size
    left, right = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for width in range(2, common_rules().largest_block + 1):
        rows = order[begins[size == width][:, None] + np.arange(width)]
        one, two = np.triu_indices(width, 1)
        left.append(rows[:, one].ravel())
        right.append(rows[:, two].ravel())
    one, two = np.concatenate(left), np.concatenate(right)
    later = column["money"][one] > column["money"][two]
    first, second = np.where(later, two, one), np.where(later, one, two)
    days = column["day"][second].astype(np.int64) - column["day"][first]
    window = lags[column["money"][first], column["money"][second]]
    is_same = column["money"][one] == column["money"][two]
    fits = (days >= window[:, 0]) & (days <= window[:, 1])
    fits |= is_same & (-days >= window[:, 0]) & (-days <= window[:, 1])
    fits &= column["source_id"][one] != column["source_id"][two]
    one, two = one[fits], two[fits]
    swap = column["record_id"][one] > column["record_id"][two]
    one, two = np.where(swap, two, one), np.where(swap, one, two)
    # Two faces of one document may meet the same other one.
    document = numbered(column["record_id"][one], column["record_id"][two])
    _, distinct = np.unique(document, return_index=True)
    return one[distinct], two[distinct]


def _ends(record_id: Ints, book: Ints, one: Ints, two: Ints) -> tuple[Hashes, Hashes]:
    """Of each pair, from both sides, which document looks for one of which kind in which register."""
    document = record_id.view(np.uint64)
    other = mix(book.view(np.uint64))
    return combine(document[one], other[two]), combine(document[two], other[one])
