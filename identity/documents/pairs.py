"""Candidate pairs of documents: those of different books that share an amount, or the digits of a number, in a window.

A block is what shares a value within a slot of days. A block over its limit is refused; those of an amount are refined
by the client, then by shorter slots. Everything is a function of the blocks' present members alone, so that a change is
local.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.blocks import ROWS, Blocks, Crowded, Ordered, block_codes, first_day, in_order, pairs_within
from identity.documents.columns import Columns, Faces
from identity.documents.schema import Flags, Ints
from identity.documents.sets import union, unique
from identity.documents.settings import MONEY, DocumentSettings
from identity.parallel import in_parallel

_NEVER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of documents by place, left < right, distinct and in order."""

    left: Ints
    right: Ints

    def only(self, wanted: Flags | Ints | slice) -> Pairs:
        """Those that are wanted."""
        return Pairs(self.left[wanted], self.right[wanted])


@dataclass(frozen=True, slots=True)
class Lags:
    """Which meanings may follow each other, and after how many days."""

    first: Ints
    last: Ints

    def allowed(self, columns: Columns, left: Ints, right: Ints) -> Flags:
        """The two may be one event by book and date."""
        lag, first, last = self.of(columns, left, right)
        good: Flags = (columns.book[left] != columns.book[right]) & (lag >= first) & (lag <= last)
        return good

    def of(self, columns: Columns, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
        """Days from the earlier meaning to the later one, and the window."""
        before, after = columns.money[left], columns.money[right]
        lag = np.where(before <= after, 1, -1) * (columns.day[right] - columns.day[left])
        place = np.minimum(before, after) * len(MONEY) + np.maximum(before, after)
        return lag, self.first[place], self.last[place]


def lags_of(settings: DocumentSettings) -> Lags:
    """The windows of all pairs of meanings; an empty one where two meanings never are one event."""
    first, last = (np.full(len(MONEY) ** 2, fill, np.int64) for fill in (_NEVER, -_NEVER))
    for at, left in enumerate(MONEY):
        for to, right in enumerate(MONEY):
            window = settings.lag(left, right)
            if window is not None:
                first[at * len(MONEY) + to], last[at * len(MONEY) + to] = window
    return Lags(first, last)


def slot_lengths(settings: DocumentSettings) -> tuple[int, int, int]:
    """Days of a slot: that of every window, and those by which too large blocks are refined."""
    return 2 * settings.widest_lag, 16, 4


@dataclass(frozen=True, slots=True)
class Found:
    """Documents by what they are looked for with, and all pairs that some block proposes."""

    amounts: Ordered
    """The rows of the faces, by amount."""
    clients: Ordered
    """The same by client and amount."""
    numbers: Ordered
    """Documents, by the digits of their number."""
    pairs: Pairs


def candidate_pairs(
    columns: Columns,
    faces: Faces,
    settings: DocumentSettings,
    near: Flags | None = None,
    crowded: Mapping[str, Crowded] | None = None,
) -> Found:
    """All pairs that some block proposes; with `near`, those that have an end among these documents. `crowded`: by the
    columns of PLACE, blocks that are over their limit, of which not all documents are here."""
    over = crowded or {}
    lags, cap, lengths = lags_of(settings), settings.largest_block, slot_lengths(settings)
    day = columns.day[faces.document]
    numbered = np.flatnonzero((columns.number_core != 0) & columns.has_day)
    cores = columns.number_core[numbered].view(np.uint64)
    wanted = (
        (faces.amount_key, day, over.get("amount_key")),
        (faces.client_key, day, over.get("client_key")),
        (cores, columns.day[numbered], over.get("number_key")),
    )
    amounts, clients, numbers = in_parallel(lambda one: in_order(*one), wanted, len(day))
    count = max(len(columns.record_id), 1)
    found: list[Ints] = []

    def propose(blocks: Blocks, documents: Ints, before: Blocks | None) -> None:
        """The pairs of blocks within their limit, but those that the other row of slots has given."""
        for one, other in pairs_within(blocks, cap, but=before):
            a, b = documents[one], documents[other]
            left, right = np.minimum(a, b), np.maximum(a, b)
            good = left != right if near is None else (left != right) & (near[left] | near[right])
            left, right = left[good], right[good]
            good = lags.allowed(columns, left, right)
            found.append(left[good] * count + right[good])

    before: list[Blocks | None] = [None, None]
    for row in ROWS:
        blocks = amounts.blocks(lengths[0], row)
        propose(blocks, faces.document[amounts.order], before[0])
        before[0] = blocks
        refused = np.zeros(len(faces.document), np.bool_)
        refused[amounts.order[blocks.size > cap]] = True
        left_over = np.flatnonzero(refused[clients.order])
        for length in lengths if len(left_over) else ():
            # Their sizes are those of the whole blocks, so that what is near another slot's end is none of it.
            blocks = clients.blocks(length, row).only(left_over)
            propose(blocks, faces.document[clients.order[left_over]], None)
            left_over = left_over[blocks.size > cap]
        blocks = numbers.blocks(lengths[0], row)
        propose(blocks, numbered[numbers.order], before[1])
        before[1] = blocks
    codes = unique(np.concatenate([np.zeros(0, np.int64), *found]))
    numbers = replace(numbers, order=numbered[numbers.order])
    return Found(amounts, clients, numbers, Pairs(codes // count, codes % count))


def distinct(parts: Sequence[Pairs], count: int) -> Pairs:
    """Each pair once, in order; `count` documents."""
    count = max(count, 1)
    codes = unique(np.concatenate([part.left * count + part.right for part in parts]))
    return Pairs(codes // count, codes % count)


@dataclass(frozen=True, slots=True)
class PlaceBlocks:
    """Blocks that documents stand in: key, first day, day after; each once."""

    key: Ints
    first: Ints
    last: Ints
    of: Ints
    """The blocks of each document's place, a row for each row of slots."""

    def whose(self, wanted: Flags) -> Flags:
        """The places that stand in one of the blocks that are wanted."""
        return np.logical_or(*wanted[self.of]) if len(self.key) else np.zeros(self.of.shape[1], np.bool_)

    def codes(self, wanted: Flags) -> Ints:
        """The `block_codes` of those that are wanted, ascending."""
        return union(block_codes(self.key[wanted].view(np.uint64), self.first[wanted]))


def blocks_of(places: pa.Table, column: str, length: int) -> PlaceBlocks:
    """The blocks of these places (PLACE), all with a day and a value in `column`."""
    key, day = places[column].to_numpy(), places["day"].to_numpy().astype(np.int64)
    first = np.stack([first_day(day, length, row) for row in ROWS]).reshape(-1)
    keys = np.tile(key, len(ROWS))
    order = np.lexsort((first, keys))
    keys, first = keys[order], first[order]
    fresh = np.append(True, (keys[1:] != keys[:-1]) | (first[1:] != first[:-1]))[: len(order)]
    of = np.empty(len(order), np.int64)
    of[order] = np.cumsum(fresh) - 1
    return PlaceBlocks(keys[fresh], first[fresh], first[fresh] + length, of.reshape(len(ROWS), -1))


def with_blocks(places: pa.Table, column: str) -> pa.Table:
    """Those of the places (PLACE) that are looked for by `column`."""
    return places.filter(pc.and_(pc.is_valid(places[column]), pc.is_valid(places["day"])))
