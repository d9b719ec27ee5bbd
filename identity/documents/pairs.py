"""Candidate pairs of documents: those of different books that share an amount, or the digits of a number, in a window.

A block is what shares a value within a slot of days. Slots stand in two rows, staggered by half, so that two documents
at most half a slot apart share one. A block over its limit is refused; those of an amount are refined by the client,
then by shorter slots. Everything is a function of the blocks' present members alone, so that a change is local.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, Faces
from identity.documents.schema import Flags, Ints
from identity.documents.settings import MONEY, DocumentSettings
from identity.hashing import combine, mix

Hashes = npt.NDArray[np.uint64]
ROWS: Final = (0, 1)
"""The two rows of slots."""
_NEVER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of documents by place, left < right, distinct and in order."""

    left: Ints
    right: Ints

    def only(self, wanted: Flags | Ints) -> Pairs:
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


def slot(day: Ints, length: int, row: int) -> Ints:
    """The number of a slot in a row."""
    return (day + (length // 2) * row) // length


def block_keys(key: Hashes, day: Ints, length: int, row: int) -> Hashes:
    """The keys of blocks: a value, and a slot of a row."""
    numbers = slot(day, length, row) * 2 + row
    return combine(key, mix(numbers.view(np.uint64) + np.uint64(length << 40)))


def candidate_pairs(columns: Columns, faces: Faces, settings: DocumentSettings) -> Pairs:
    """All pairs that some block proposes."""
    lags, cap, lengths = lags_of(settings), settings.largest_block, slot_lengths(settings)
    found: list[tuple[Ints, Ints]] = []

    def propose(keys: Hashes, documents: Ints) -> Flags:
        """The pairs of the blocks; which of the rows stand in a refused one."""
        order = np.argsort(keys, kind="stable")
        sizes = _sizes(keys[order])
        active = order[(sizes > 1) & (sizes <= cap)]
        for a, b in _within(keys[active], documents[active]):
            left, right = np.minimum(a, b), np.maximum(a, b)
            good = lags.allowed(columns, left, right) & (left != right)
            found.append((left[good], right[good]))
        refused = np.zeros(len(keys), np.bool_)
        refused[order] = sizes > cap
        return refused

    for row in ROWS:
        day = columns.day[faces.document]
        refused = np.flatnonzero(propose(block_keys(faces.amount_key, day, lengths[0], row), faces.document))
        refused = refused[faces.client_key[refused] != 0]
        for length in lengths:
            of = faces.document[refused]
            keys = block_keys(faces.client_key[refused], columns.day[of], length, row)
            refused = refused[propose(keys, of)]
        numbered = np.flatnonzero((columns.number_core != 0) & columns.has_day)
        keys = columns.number_core[numbered].view(np.uint64)
        propose(block_keys(keys, columns.day[numbered], lengths[0], row), numbered)
    return distinct([left for left, _ in found], [right for _, right in found], len(columns.record_id))


def distinct(left: list[Ints], right: list[Ints], count: int) -> Pairs:
    """Each pair once, in order; `count` documents."""
    empty = np.zeros(0, np.int64)
    one, other = np.concatenate([empty, *left]), np.concatenate([empty, *right])
    codes = np.unique(one * max(count, 1) + other)
    return Pairs(codes // max(count, 1), codes % max(count, 1))


def _sizes(ordered: Hashes) -> Ints:
    """Of each of the ordered keys how many there are."""
    if len(ordered) == 0:
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(starts, len(ordered)))
    return np.repeat(sizes, sizes)


def _within(keys: Hashes, documents: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of the same key; the keys are ordered."""
    offset = 1
    while offset < len(keys):
        at = np.flatnonzero(keys[offset:] == keys[:-offset])
        if len(at) == 0:
            return
        yield documents[at], documents[at + offset]
        offset += 1


@dataclass(frozen=True, slots=True)
class Rivals:
    """How many documents of its own book share a row's value in its slot, for both rows of slots."""

    slots: tuple[Ints, Ints]
    counts: tuple[Ints, Ints]

    def of(self, left: Ints, right: Ints) -> Ints:
        """Of pairs of rows with one value: the larger count of the two in the slots that they share; 0 where none."""
        most = np.zeros(len(left), np.int64)
        for slots, counts in zip(self.slots, self.counts, strict=True):
            shared = slots[left] == slots[right]
            np.maximum(most, np.where(shared, np.maximum(counts[left], counts[right]), 0), out=most)
        return most


def rivals_of(key: Hashes, documents: Ints, columns: Columns, length: int, cap: int) -> Rivals:
    """The rivals of every row; `cap` where a block is over its limit, so that nobody has to count further."""
    slots, counts = [], []
    day = columns.day[documents]
    for row in ROWS:
        keys = block_keys(key, day, length, row)
        by_book = combine(keys, columns.book[documents].view(np.uint64))
        order, by = np.argsort(keys, kind="stable"), np.argsort(by_book, kind="stable")
        block, mine = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        block[order], mine[by] = _sizes(keys[order]), _sizes(by_book[by])
        slots.append(slot(day, length, row))
        counts.append(np.where(block > cap, cap, mine))
    return Rivals((slots[0], slots[1]), (counts[0], counts[1]))


def blocks_of(places: pa.Table, settings: DocumentSettings) -> dict[str, tuple[Ints, Ints, Ints]]:
    """The blocks that documents with these places (PLACE) stand in: column of PLACE -> key, first day, day after."""
    found = {}
    lengths = slot_lengths(settings)
    for name, used in (("amount_key", lengths[:1]), ("client_key", lengths), ("number_key", lengths[:1])):
        known = places.filter(pc.and_(pc.is_valid(places[name]), pc.is_valid(places["day"])))
        key, day = known[name].to_numpy(), known["day"].to_numpy().astype(np.int64)
        rows = [
            np.stack([key, slot(day, length, row) * length - (length // 2) * row, np.full(len(key), length)])
            for length in used
            for row in ROWS
        ]
        key, first, length_of = np.unique(np.concatenate(rows, axis=1), axis=1)
        found[name] = key, first, first + length_of
    return found
