"""Candidate pairs of a register that does not fit into memory: every two of its parts meet there, and pairs are found
and weighed where both cards are at hand. None is stored that is not plausible, and no card is sorted or sent about.

Records are numbered in natural order, and a part is a span of these numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from identity.blocking.keys import BLOCK_LIMIT
from identity.blocking.pairing import blocks_of_rules, refused_of, split_by_rule
from identity.encoded import Codes, Ints
from identity.features import natural_order
from identity.population import Rules
from identity.resolve import REFUSED
from identity.staged.calculator import count, files, give, read, stored
from identity.staged.cards import CARD
from identity.staged.ranks import Ranks
from identity.staged.spool import Spool
from identity.staged.work import PLACE_BITS, met

_FEW: Final = 10_000
"""Cards that are not worth a part of their own."""
_KEY_BYTES: Final = 100
"""What a blocking key takes while it is sorted into its block."""
_KEYS_AT_ONCE: Final = 500_000
_IDS: Final = pa.schema([CARD.field("record_id")])
_NAMED: Final = pa.schema([CARD.field(name) for name in ("record_id", "source", "stream", "source_key")])


@dataclass(frozen=True)
class Grid:
    """The parts of a register, of which every two meet, and each with itself."""

    parts: int
    part_size: int  # records of each part; the last one may have fewer

    @classmethod
    def of(cls, records: int, per_part: int, least_cells: int = 1) -> Grid:
        """`per_part`: records that may be in memory at once, all of them or those of two parts. So many `least_cells`
        there are too, where the register is large enough to be worth it."""
        parts = 1 if records <= per_part else -(-records // max(per_part // 2, 1))
        while parts * (parts + 1) // 2 < least_cells and records > parts * min(per_part // 2, _FEW):
            parts += 1
        size = max(-(-records // parts), 1)
        return cls(-(-records // size), size)

    def cells(self) -> list[tuple[int, int]]:
        """Which parts meet, the first of the two with all others that follow."""
        return [(one, two) for one in range(self.parts) for two in range(one, self.parts)]


@dataclass(frozen=True)
class Part:
    """The cards of a part in natural order, and who of them is in an active block."""

    cards: pa.Table
    entries: Ints  # as for `met`; places are counted from the first of these cards

    @classmethod
    def of(cls, cards: Path, members: pa.Table | None, first: int) -> Part:
        """Of its file and what `deal_blocks` dealt out to it (None: nothing). `first`: the number of its first card."""
        entries = np.zeros(0, dtype=np.int64) if members is None else members["entry"].to_numpy() - first
        return cls(pq.read_table(cards), entries)


def meet(rules: Rules, one: Part, two: Part | None) -> tuple[int, pa.Table]:
    """How many candidate pairs there are between two parts or within one, and COMPARED rows of the plausible ones."""
    if two is None:
        return met(rules, one.cards, one.entries, 0)
    entries = np.concatenate([one.entries, two.entries + one.cards.num_rows])
    entries.sort()
    return met(rules, pa.concat_tables([one.cards, two.cards]), entries, one.cards.num_rows)


def natural_ranks(folder: Path, cards: str) -> Ranks:
    """The numbers of the records of a table of cards, which are in any order."""
    named = read(folder, cards, _NAMED)
    return Ranks(named["record_id"].to_numpy()[natural_order(named)])


def deal_keys(folder: Path, cards: str, grid: Grid, memory: int, members: Spool) -> None:
    """`deal_blocks` of the tables `blocking_key` and `block_limit`; `cards` are in natural order. Writes
    `refused_blocks` and `first_of_blocks`."""
    ranks = Ranks(read(folder, cards, _IDS)["record_id"].to_numpy())
    buckets = max(-(-count(folder, "blocking_key") * _KEY_BYTES // memory), 1)
    rows = stored(files(folder, "blocking_key"), _KEYS_AT_ONCE)
    refused = deal_blocks(rows, ranks, read(folder, "block_limit", BLOCK_LIMIT), buckets, grid.part_size, members)
    give(folder, "refused_blocks", refused.select(REFUSED.names))
    first = ranks.ids[refused["row"].to_numpy()]
    give(folder, "first_of_blocks", pa.table({"key": refused["key"], "record_id": first}))


def deal_blocks(
    keys: Iterable[pa.Table], ranks: Ranks, limits: pa.Table, buckets: int, part_size: int, members: Spool
) -> pa.Table:
    """Deal out the members of the active blocks that BLOCKING_KEY rows make under BLOCK_LIMIT: to their parts, as
    `entry` (`work.met`), ascending. The blocks over their limit: key, size and row, the first record in each.

    Of so many `buckets` of keys one is in memory at a time.
    """
    rules, caps = limits["rule"].to_pylist(), limits["cap"].to_pylist()
    refused, block = [refused_of([])], 0
    for key, row in _bucketed(keys, ranks, buckets, members):
        found = blocks_of_rules(split_by_rule(key, row, rules), caps)
        refused.append(refused_of(found))
        for one in found:
            number = np.repeat(np.arange(block, block + len(one.sizes)), one.sizes)
            members.add(one.member // np.int32(part_size), pa.table({"entry": number << PLACE_BITS | one.member}))
            block += len(one.sizes)
    return pa.concat_tables(refused)


def _bucketed(keys: Iterable[pa.Table], ranks: Ranks, buckets: int, beside: Spool) -> Iterator[tuple[Ints, Codes]]:
    """Keys with the numbers of their records: those of one key come together."""
    with Spool(beside.path.with_suffix(".keys")) as spool:
        for table in keys:
            key = table["key"].to_numpy()
            rows = pa.table({"key": key, "row": ranks.of(table["record_id"].to_numpy())})
            spool.add(((key.view(np.uint64) >> np.uint64(8)) % np.uint64(buckets)).astype(np.int32), rows)
        for _, rows in spool.each():
            yield rows["key"].to_numpy(), rows["row"].to_numpy()
