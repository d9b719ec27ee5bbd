"""Candidate pairs of a whole run without a database: keys sorted into blocks, pairs proposed span by span of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.encoded import Flags, Ints
from identity.hashing import Hashes, mix
from identity.parallel import in_parallel

RULE_BITS: Final = 8
"""The low bits of a key, which name its rule."""
_PAIRS_AT_ONCE: Final = 500_000  # about so many pairs a span, and rarely many more

Entries = tuple[Ints, npt.NDArray[np.integer]]
"""The keys of one rule and of each its row."""


@dataclass(frozen=True)
class RuleBlocks:
    """The active blocks of one rule: `member[starts[i]:starts[i + 1]]` are the rows of block i, ascending."""

    member: npt.NDArray[np.integer]
    starts: Ints
    refused_key: Ints
    refused_size: Ints
    refused_row: npt.NDArray[np.integer]  # the first in each

    @classmethod
    def of(cls, member: npt.NDArray[np.integer], starts: Ints) -> RuleBlocks:
        """Active blocks that are known; of refused ones nothing is."""
        none = np.zeros(0, dtype=np.int64)
        return cls(member.astype(np.int32, copy=False), starts, none, none, none)

    @property
    def sizes(self) -> Ints:
        """How many records each active block holds."""
        return np.diff(self.starts)

    @property
    def pairs(self) -> int:
        """How many pairs they propose, each as often as it shares one."""
        sizes = self.sizes
        return int((sizes * (sizes - 1) // 2).sum())

    def drawn(self, most: int) -> tuple[Ints, Ints]:
        """All distinct pairs of rows, the smaller first, in order; of more than `most` about as many, drawn by hash:
        the same for the same blocks."""
        sizes = self.sizes
        within = sizes * (sizes - 1) // 2
        total = int(within.sum())
        if total <= most:
            number = np.arange(total)
        else:
            draw: Hashes = mix(np.arange(1, most + 1, dtype=np.uint64))
            number = (draw % np.uint64(total)).astype(np.int64)
        ends = np.cumsum(within)
        block = np.searchsorted(ends, number, side="right")
        # The n-th pair of a block: (0, 1), (0, 2), (1, 2), (0, 3), ...
        nth = number - (ends[block] - within[block])
        later = ((1 + np.sqrt(8 * nth + 1)) // 2).astype(np.int64)
        earlier = nth - later * (later - 1) // 2
        left, right = self.member[self.starts[block] + earlier], self.member[self.starts[block] + later]
        return _distinct(left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64), 0)


def split_by_rule(key: Ints, row: npt.NDArray[np.integer], rules: Sequence[int]) -> list[Entries]:
    """Keys and their rows by the rules (`RULE_BITS`) that made them."""
    rule = key.astype(np.uint8)  # the low bits
    order = None
    if (rule[1:] < rule[:-1]).any():
        order = np.argsort(rule, kind="stable")
        rule = rule[order]
    numbers = np.array(rules, dtype=np.uint8)
    spans = zip(np.searchsorted(rule, numbers), np.searchsorted(rule, numbers, side="right"), strict=True)
    chosen = (slice(*span) if order is None else order[slice(*span)] for span in spans)
    return [(key[part], row[part]) for part in chosen]


def blocks_of_rules(entries: Sequence[Entries], caps: Sequence[int], among: Flags | None = None) -> list[RuleBlocks]:
    """The blocks of each rule, active up to its cap. Every (key, row) is there once; those in order are not sorted
    again. `among`: of each row whether it is counted; all if not given."""

    def blocks_of(rule: tuple[Entries, int]) -> RuleBlocks:
        (key, row), cap = rule
        if among is not None:
            counted = among[row]
            key, row = key[counted], row[counted]
        return _blocks(key, row, cap)

    return in_parallel(blocks_of, zip(entries, caps, strict=True), sum(len(key) for key, _ in entries))


def _blocks(key: Ints, row: npt.NDArray[np.integer], cap: int) -> RuleBlocks:
    count = len(key)
    if count == 0:
        return RuleBlocks.of(np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))
    key, row = in_key_order(key, row)
    fresh = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    sizes = np.diff(np.append(fresh, count))
    active, over = (sizes >= 2) & (sizes <= cap), sizes > cap
    starts = np.concatenate([[0], np.cumsum(sizes[active])])
    member = row[np.repeat(active, sizes)].astype(np.int32, copy=False)
    return RuleBlocks(member, starts, key[fresh[over]], sizes[over], row[fresh[over]])


Keys = TypeVar("Keys", bound=np.generic)
RowOf = TypeVar("RowOf", bound=np.integer)


def in_key_order(key: npt.NDArray[Keys], row: npt.NDArray[RowOf]) -> tuple[npt.NDArray[Keys], npt.NDArray[RowOf]]:
    """Keys of 64 bits with their rows, by the bits of the key and then by row."""
    bits, apart = key.view(np.uint64), row[1:] > row[:-1]
    if ((bits[1:] > bits[:-1]) | ((bits[1:] == bits[:-1]) & apart)).all():
        return key, row
    order = _by_key_and_row(key, row)
    return key[order], row[order]


def _by_key_and_row(key: npt.NDArray[Any], row: npt.NDArray[np.integer]) -> Ints:
    """The order by key, then by row. The leading bits of a key and the place of its entry make one integer, which sorts
    several times faster than keys with their places; the few whose leading bits do not tell them apart follow."""
    bits, count = key.view(np.uint64), len(key)
    if (row[1:] < row[:-1]).any():
        return np.lexsort((row, bits))
    low = np.uint64((1 << max(count - 1, 1).bit_length()) - 1)
    packed = np.sort(bits & ~low | np.arange(count, dtype=np.uint64))
    order = (packed & low).astype(np.int64)
    ordered = bits[order]
    fresh = np.ones(count, dtype=np.bool_)
    fresh[1:] = (packed[1:] ^ packed[:-1]) > low
    mixed = np.flatnonzero(~fresh[1:] & (ordered[1:] != ordered[:-1]))
    if len(mixed):
        group = np.cumsum(fresh)
        at = np.flatnonzero(np.isin(group, group[mixed]))
        order[at] = order[at][np.lexsort((order[at], ordered[at], group[at]))]
    return order


def refused_of(blocks: list[RuleBlocks]) -> pa.Table:
    """The blocks over their limit (key, size and the first row in each), largest first."""
    none = np.zeros(0, dtype=np.int64)
    key = np.concatenate([none, *(found.refused_key for found in blocks)])
    size = np.concatenate([none, *(found.refused_size for found in blocks)])
    row = np.concatenate([none, *(found.refused_row for found in blocks)]).astype(np.int64)
    order = np.lexsort((key, -size))
    return pa.table({"key": key[order], "size": size[order], "row": row[order]})


class Pairing:
    """The candidate pairs of rows that rules' blocks propose: distinct over all rules."""

    def __init__(self, blocks: list[RuleBlocks], count: int, border: int = 0) -> None:
        """`count`: rows are positions below it. `border`: of two parts of a register the first row of the second; then
        only pairs of a row of either are proposed."""
        self._member = np.concatenate([found.member for found in blocks] or [np.zeros(0, dtype=np.int32)])
        sizes = np.concatenate([found.sizes for found in blocks] or [np.zeros(0, dtype=np.int64)])
        # Of each entry the last one of its block; the last of a block proposes nothing.
        self._last = np.repeat((np.cumsum(sizes) - 1).astype(np.uint32), sizes)
        self._border = _beyond(self._member, sizes, border) if border else None
        places = np.arange(len(self._last), dtype=np.uint32)
        proposing = places[self._last > self._before(places)]
        packed = self._member[proposing].astype(np.uint64) << np.uint64(32) | proposing
        del places, proposing
        packed.sort()
        self._entry = packed.astype(np.uint32)  # the low bits
        row = (packed >> np.uint64(32)).astype(np.int32)
        del packed
        self._starts = np.zeros(count + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=count), out=self._starts[1:])
        self._pairs = np.zeros(count + 1, dtype=np.int64)
        np.cumsum(
            np.bincount(row, weights=self._last[self._entry] - self._before(self._entry), minlength=count).astype(
                np.int64
            ),
            out=self._pairs[1:],
        )
        self._count = count
        self.refused = refused_of(blocks)

    @classmethod
    def of_keys(cls, key: Ints, row: npt.NDArray[np.integer], limits: pa.Table, count: int) -> Pairing:
        """The pairs that keys propose under BLOCK_LIMIT; `row`: of each key its record, a position below `count`."""
        entries = split_by_rule(key, row, limits["rule"].to_pylist())
        return cls(blocks_of_rules(entries, limits["cap"].to_pylist()), count)

    def _before(self, entry: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """Of each entry the one before its first partner."""
        return entry if self._border is None else self._border[entry]

    def spans(self) -> Iterator[tuple[int, int]]:
        """Ranges of rows that together hold every pair, each by its smaller row."""
        narrow = 1 << max(32 - max(self._count - 1, 1).bit_length(), 0)
        begin = 0
        while begin < self._count and self._pairs[begin] < self._pairs[-1]:
            goal = self._pairs[begin] + _PAIRS_AT_ONCE
            end = max(int(np.searchsorted(self._pairs, goal, side="right")) - 1, begin + 1)
            # Few enough rows and a pair fits into 32 bits, which sort in half the time.
            end = min(end, begin + narrow) if narrow >= 1024 else end
            yield begin, min(end, self._count)
            begin = end

    def pairs(self, span: tuple[int, int]) -> tuple[Ints, Ints]:
        """The pairs whose smaller row lies in a span, in order."""
        begin, end = span
        return self._proposed(self._entry[self._starts[begin] : self._starts[end]], begin, end)

    def _proposed(self, entry: npt.NDArray[np.integer], begin: int, end: int) -> tuple[Ints, Ints]:
        """The distinct pairs that entries of rows from `begin` to `end` propose, in order."""
        before = self._before(entry)
        partners = (self._last[entry] - before).astype(np.int64)
        at = _following(before, partners)
        bits = max(self._count - 1, 1).bit_length()
        kind: type[np.uint32 | np.uint64] = np.uint32 if (end - begin) << bits <= 1 << 32 else np.uint64
        left = np.repeat(((self._member[entry] - begin).astype(np.uint64) << np.uint64(bits)).astype(kind), partners)
        return _distinct(left | self._member[at].astype(kind), begin, bits)

    def chosen(self, choose: Callable[[Ints, Ints], Ints] | None = None) -> tuple[int, Ints, Ints]:
        """How many candidate pairs there are, and in order those whose places `choose` names (of rows, rows): never
        are all of them held at once, unless all are wanted."""

        def of_span(span: tuple[int, int]) -> tuple[int, Ints, Ints]:
            left, right = self.pairs(span)
            if choose is None:
                return len(left), left, right
            at = choose(left, right)
            return len(left), left[at], right[at]

        found = in_parallel(of_span, self.spans())
        none = np.zeros(0, dtype=np.int64)
        left, right = (np.concatenate([none, *(part[side] for part in found)]) for side in (1, 2))
        return sum(part[0] for part in found), left, right


def sampled_pairs(blocks: list[RuleBlocks], count: int, most: int) -> tuple[Ints, Ints, float]:
    """The pairs that blocks of `count` rows propose for some of them, in order, and the share of all rows that these
    are: drawn by hash so that about `most` pairs remain, the same for as many rows; all of them if they are fewer."""
    share = most / max(sum(found.pairs for found in blocks), 1)
    if share >= 1:
        return *Pairing(blocks, count).pairs((0, count)), 1.0
    draw: Hashes = mix(np.arange(1, count + 1, dtype=np.uint64))
    drawn = draw < np.uint64(int(2**64 * share))

    def of_rule(found: RuleBlocks) -> Hashes:
        entry = np.flatnonzero(drawn[found.member])
        last = found.starts[np.searchsorted(found.starts, entry, side="right")] - 1
        partners = last - entry
        left: Hashes = np.repeat(found.member[entry].astype(np.uint64) << np.uint64(32), partners)
        return left | found.member[_following(entry, partners)].astype(np.uint64)

    packed = np.concatenate(in_parallel(of_rule, blocks))
    return *_distinct(packed, 0), share


def _beyond(member: npt.NDArray[np.integer], sizes: Ints, border: int) -> npt.NDArray[np.uint32]:
    """Of each entry of blocks the last one of its block below the border: all that follow are its partners. Of entries
    that are not below it the last one of the block, for they have none."""
    ends = np.cumsum(sizes)
    below = member < border
    count = np.add.reduceat(below, ends - sizes, dtype=np.int64) if len(sizes) else sizes
    last_below, last = np.repeat(ends - sizes + count - 1, sizes), np.repeat(ends - 1, sizes)
    return np.where(below, last_below, last).astype(np.uint32)


def _following(entry: npt.NDArray[np.integer], partners: Ints) -> Ints:
    """The places that follow each entry, as many as it has partners."""
    ends = np.cumsum(partners)
    total = int(ends[-1]) if len(ends) else 0
    places: Ints = np.arange(total) + np.repeat(entry.astype(np.int64) + 1 - (ends - partners), partners)
    return places


def _distinct(packed: npt.NDArray[np.unsignedinteger], begin: int, bits: int = 32) -> tuple[Ints, Ints]:
    """Pairs that were packed into one integer each (the left row counted from `begin`, above `bits` of the right),
    once each and in order."""
    packed = np.sort(packed)
    fresh: Flags = np.ones(len(packed), dtype=np.bool_)
    fresh[1:] = packed[1:] != packed[:-1]
    packed = packed[fresh]
    kind = packed.dtype.type
    return (packed >> kind(bits)).astype(np.int64) + begin, (packed & kind((1 << bits) - 1)).astype(np.int64)
