"""Blocks, rivals and kin by whole columns are what they are row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from identity.documents.blocks import ROWS, in_order, pairs_within, rivals_in, slot
from identity.documents.kin import kin_of
from identity.documents.schema import RELATED

CAP = 4


def test_pairs_and_rivals_are_those_of_blocks_within_the_limit() -> None:
    rng = np.random.default_rng(3)
    key, day, book = rng.integers(0, 12, 150).astype(np.uint64), rng.integers(-40, 200, 150), rng.integers(0, 3, 150)
    ordered = in_order(key, day)
    assert set(ordered.order.tolist()) == set(np.flatnonzero(key).tolist())
    both = set()
    before = None
    for row in ROWS:
        blocks = ordered.blocks(20, row)
        members: dict[tuple[int, int], list[int]] = {}
        for place in np.flatnonzero(key).tolist():
            members.setdefault((int(key[place]), int(slot(day, 20, row)[place])), []).append(place)
        whole = [block for block in members.values() if len(block) <= CAP]
        wanted = {frozenset((a, b)) for block in whole for a in block for b in block if a < b}
        found = [
            frozenset((int(ordered.order[a]), int(ordered.order[b])))
            for one, other in pairs_within(blocks, CAP, but=before)
            for a, b in zip(one.tolist(), other.tolist(), strict=True)
        ]
        assert len(found) == len(set(found))
        assert set(found) == wanted - both
        both |= wanted
        before = blocks
        counts = dict(zip(ordered.order.tolist(), rivals_in(blocks, book[ordered.order], CAP).tolist(), strict=True))
        for block in members.values():
            for place in block:
                same = sum(book[other] == book[place] for other in block)
                assert counts[place] == (same if len(block) <= CAP else CAP)


def test_kin_are_related_whichever_way_round() -> None:
    kin = kin_of(pa.table({"left": [7, -3], "right": [9, 7]}, schema=RELATED))
    left, right = np.array([7, 9, 7, -3, 9, 4]), np.array([9, 7, -3, 7, -3, 7])
    assert kin.are(left, right).tolist() == [True, True, True, True, False, False]
    assert kin_of(RELATED.empty_table()).are(left, right).tolist() == [False] * 6
