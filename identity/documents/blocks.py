"""Blocks of rows that share a key within a slot of days, from one ordering of the rows by key and day.

Slots stand in two rows, staggered by half, so that two rows at most half a slot apart share one. Slots of whatever
length are runs in that order, so that it is made once. A key of 0 stands for nothing to look for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from identity.documents.schema import Flags, Ints
from identity.documents.sets import isin
from identity.hashing import combine, mix, signed

Small = npt.NDArray[np.int16]
ROWS: Final = (0, 1)
"""The two rows of slots."""
Crowded = Mapping[int, Ints]
"""Blocks that hold more than is here and are over any limit: by the length of their slots their `block_codes`,
ascending."""
_MANY: Final = 1 << 30


def slot(day: Ints, length: int, row: int) -> Ints:
    """The number of a slot in a row."""
    return (day + (length // 2) * row) // length


def first_day(day: Ints, length: int, row: int) -> Ints:
    """The day on which the slot of a day begins."""
    return slot(day, length, row) * length - (length // 2) * row


def block_codes(key: npt.NDArray[np.uint64], first: Ints) -> Ints:
    """Blocks of slots of one length as integers, by key and first day."""
    return signed(combine(mix(key), first.view(np.uint64)))


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows in an order in which every block stands together."""

    block: Ints
    """The number of each row's block, ascending."""
    size: Ints
    """How many rows its block has."""

    def only(self, places: Ints) -> Blocks:
        """Some places of them, ascending; the sizes stay those of the whole blocks."""
        return Blocks(self.block[places], self.size[places])


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows in the order of key and day."""

    order: Ints
    """The row at each place."""
    run: Ints
    """A number for its key, ascending."""
    day: Ints
    crowded: Mapping[tuple[int, int], Flags] = field(default_factory=dict)
    """By length and row of slots: whether the block of each place is over any limit, however few of it are here."""

    def blocks(self, length: int, row: int) -> Blocks:
        """The blocks of what shares key and slot, of a row of slots of so many days."""
        starts = _changes(self.run) | _changes(slot(self.day, length, row))
        number = np.cumsum(starts) - 1
        size = np.diff(np.append(np.flatnonzero(starts), len(starts)))
        sizes = size[number] if len(number) else number
        if (length, row) in self.crowded:
            sizes = np.where(self.crowded[length, row], _MANY, sizes)
        return Blocks(number, sizes)


def in_order(key: npt.NDArray[np.uint64], day: Ints, crowded: Crowded | None = None) -> Ordered:
    """The rows that have a key, by key and day."""
    rows = np.flatnonzero(key)
    # Twice by a sort that need not be stable: half the time of one that is.
    rows = rows[np.argsort(key[rows])]
    run = np.cumsum(_changes(key[rows])) - 1
    days = day[rows]
    first = int(days.min(initial=0))
    bits = max(int(days.max(initial=0)) - first, 1).bit_length()
    by_day = np.argsort((run << bits) | (days - first))
    rows, run, days = rows[by_day], run[by_day], days[by_day]
    full = {
        (length, row): isin(block_codes(key[rows], first_day(days, length, row)), codes)
        for length, codes in (crowded or {}).items()
        for row in ROWS
    }
    return Ordered(rows, run, days, full)


def pairs_within(blocks: Blocks, cap: int, but: Blocks | None = None) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of places of one block of at most `cap` rows; without those that share such a block of `but` as well."""
    at = np.flatnonzero((blocks.size > 1) & (blocks.size <= cap))
    offset = 0
    while len(at):
        offset += 1
        at = at[at + offset < len(blocks.block)]
        at = at[blocks.block[at] == blocks.block[at + offset]]
        one, other = at, at + offset
        if but is not None:
            fresh = (but.block[one] != but.block[other]) | (but.size[one] > cap)
            one, other = one[fresh], other[fresh]
        yield one, other


def rivals_in(blocks: Blocks, book: Ints, cap: int) -> Small:
    """How many rows of its block have the same book as each row, itself among them; `cap` where a block has more than
    `cap` rows, so that nobody has to count further. `book` by place."""
    count = np.ones(len(book), np.int16)
    for one, other in pairs_within(blocks, cap):
        same = book[one] == book[other]
        count[one[same]] += 1
        count[other[same]] += 1
    count[blocks.size > cap] = cap
    return count


def _changes(values: npt.NDArray[np.int64] | npt.NDArray[np.uint64]) -> Flags:
    """Where a value differs from the one before it; the first one does."""
    starts = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=starts[1:])
    return starts
