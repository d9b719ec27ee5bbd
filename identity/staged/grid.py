"""Candidate pairs of a register that does not fit into memory: every two of its parts meet there, and pairs are found
and weighed where both cards are at hand. None is stored that is not plausible, and no card is sorted or sent about.

Records are numbered in natural order, and a part is a span of these numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa

from identity.blocking.pairing import blocks_of_rules, refused_of, split_by_rule
from identity.encoded import Codes, Ints
from identity.population import Rules
from identity.staged.ranks import Ranks
from identity.staged.spool import Spool
from identity.staged.work import PLACE_BITS, met


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


def cells(
    rules: Rules, cards: Callable[[int], pa.Table], parts: int, part_size: int, members: Spool
) -> Iterator[tuple[int, pa.Table]]:
    """Of every two parts, and of each with itself: how many candidate pairs there are between them, and PAIR rows of
    those that are plausible. `cards`: of a part, in natural order."""
    for one in range(parts):
        first, of_first = cards(one), _entries(members, one) - one * part_size
        yield met(rules, first, of_first, 0)
        for two in range(one + 1, parts):
            second = cards(two)
            of_second = _entries(members, two) - (two * part_size - first.num_rows)
            entries = np.concatenate([of_first, of_second])
            entries.sort()
            yield met(rules, pa.concat_tables([first, second]), entries, first.num_rows)


def _entries(members: Spool, part: int) -> Ints:
    found = members.read(part)
    return np.zeros(0, dtype=np.int64) if found is None else found["entry"].to_numpy()
