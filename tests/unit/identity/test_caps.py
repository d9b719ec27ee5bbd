"""Learnt limits of blocks: pairs are given up where others propose the same matches, never where nothing else does."""

from __future__ import annotations

import numpy as np

from identity.blocking.caps import PAIRS_PER_RECORD, learnt_caps
from identity.blocking.pairing import RuleBlocks
from identity.settings import KindSettings, load_settings

RECORDS = 3_000


def rules() -> KindSettings:
    return load_settings({"person": {"blocking": [["family_name", "given_name"], ["city"], ["email"]]}}).person


def blocks(*groups: list[int]) -> RuleBlocks:
    sizes = [len(group) for group in groups]
    member = np.array([row for group in groups for row in group], dtype=np.int32)
    none = np.zeros(0, dtype=np.int64)
    return RuleBlocks(member, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), none, none, none)


NAMES = blocks(*([n, n + 1] for n in range(0, RECORDS, 2)))
CITIES = blocks(*(list(range(n, n + 300)) for n in range(0, RECORDS, 300)))


def learnt(
    *rule_blocks: RuleBlocks, probable: float = 0.99, matches: int = RECORDS, share: float = 1
) -> dict[str, int]:
    left = np.arange(0, matches, 2)
    return learnt_caps(rules(), list(rule_blocks), (left, left + 1), np.full(len(left), probable), share, RECORDS)


def test_large_blocks_whose_matches_a_cheap_rule_proposes_too_are_given_up() -> None:
    assert learnt(NAMES, CITIES, blocks()) == {"city": 200}


def test_large_blocks_that_alone_propose_matches_stay() -> None:
    assert learnt(blocks(), CITIES, blocks()) == {}


def test_matches_that_cost_more_pairs_than_any_is_worth_are_given_up_though_nothing_else_proposes_them() -> None:
    assert learnt(blocks(), CITIES, blocks(), matches=600) == {"city": 200}


def test_what_a_match_costs_is_told_from_the_share_of_the_pairs_that_was_looked_at() -> None:
    assert learnt(blocks(), CITIES, blocks(), matches=600, share=0.1) == {}


def test_few_pairs_are_left_alone_whatever_they_find() -> None:
    small = blocks(*(list(range(n, n + 2 * PAIRS_PER_RECORD)) for n in range(0, RECORDS - 20, 2 * PAIRS_PER_RECORD)))
    assert learnt(NAMES, small, blocks()) == {}


def test_pairs_that_are_no_matches_do_not_keep_a_block() -> None:
    assert learnt(blocks(), CITIES, blocks(), probable=0.2) == {"city": 200}
