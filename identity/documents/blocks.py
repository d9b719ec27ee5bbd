"""Blocks of rows that share a key within a slot of days, from one ordering of the rows by key and day.

Slots stand in two rows, staggered by half, so that two rows at most half a slot apart share one. Slots of whatever
length are runs in that order, so that it is made once. A key of 0 stands for nothing to look for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from identity.documents.schema import Flags, Ints

Small = npt.NDArray[np.int16]
ROWS: Final = (0, 1)
"""The two rows of slots."""


def slot(day: Ints, length: int, row: int) -> Ints:
    """The number of a slot in a row."""
    return (day + (length // 2) * row) // length


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

    def blocks(self, length: int, row: int) -> Blocks:
        """The blocks of what shares key and slot, of a row of slots of so many days."""
        starts = _changes(self.run) | _changes(slot(self.day, length, row))
        number = np.cumsum(starts) - 1
        size = np.diff(np.append(np.flatnonzero(starts), len(starts)))
        return Blocks(number, size[number] if len(number) else number)


def in_order(key: npt.NDArray[np.uint64], day: Ints) -> Ordered:
    """The rows that have a key, by key and day."""
    rows = np.flatnonzero(key)
    # Twice by a sort that need not be stable: half the time of one that is.
    rows = rows[np.argsort(key[rows])]
    run = np.cumsum(_changes(key[rows])) - 1
    days = day[rows]
    first = int(days.min(initial=0))
    bits = max(int(days.max(initial=0)) - first, 1).bit_length()
    by_day = np.argsort((run << bits) | (days - first))
    return Ordered(rows[by_day], run[by_day], days[by_day])


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
