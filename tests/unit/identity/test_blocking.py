"""Blocking keys, candidate pairs, generic values."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.blocking.keys import BLOCK_LIMIT, RULE_BITS, blocking_keys, candidate_pairs
from identity.encoded import encode, from_single
from identity.generic import generic_values
from identity.hashing import hash_strings
from identity.parts import derive, parts_of, sound
from identity.schema import BLOCKING_KEY
from identity.settings import load_settings, parse_value

RULES = load_settings(
    {"person": {"blocking": [["phone"], ["family_name.sound", "birth_date.year"], ["full_name.token"]]}}
)


def keys_of(table: pa.Table) -> pa.Table:
    return blocking_keys(*table, RULES)


def test_keys_are_the_same_whatever_else_is_in_the_batch(tables: Any, record_id: Any) -> None:
    one = {
        "key": "1",
        "given": "ivan",
        "family": "sidorov",
        "born": "1980-05-01",
        "phone": ["+79161234567", "+79160000001"],
    }
    alone = keys_of(tables([one]))
    among = keys_of(tables([one, {"key": "0", "given": "anna", "family": "li", "phone": "+79161234567"}]))
    assert (
        alone["key"].to_pylist()
        == among.filter(pa.compute.equal(among["record_id"], record_id("1")))["key"].to_pylist()
    )
    assert alone.num_rows == 2 + 1 + 2
    assert alone.schema == BLOCKING_KEY


def test_keys_never_change_between_versions(tables: Any) -> None:
    keys = keys_of(tables([{"key": "1", "family": "sidorov", "born": "1980-05-01"}]))
    assert keys["key"].to_pylist() == FROZEN_KEYS


FROZEN_KEYS = [-6749104003274114559, 1693681076342663170]


def test_invalid_and_generic_values_and_own_firms_make_no_keys(tables: Any) -> None:
    rows = [
        {"key": "1", "phone": "!123"},
        {"key": "2", "family": "li", "own": True},
    ]
    assert keys_of(tables(rows)).num_rows == 0
    crowd = tables([{"key": f"{n:03d}", "family": f"f{n}", "phone": "+74950000000"} for n in range(13)])
    assert generic_values(*crowd, 12).num_rows == 1
    assert generic_values(*crowd, 13).num_rows == 0
    assert keys_of(crowd).num_rows == 13


def test_a_family_telephone_is_not_generic(tables: Any) -> None:
    family = tables([{"key": f"{n:03d}", "given": f"g{n}", "family": "li", "phone": "+74950000000"} for n in range(40)])
    assert generic_values(*family, 12).num_rows == 0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("chaikovskii", "tchaikovsky"),
        ("tschaikowski", "tchaikovsky"),
        ("mueller", "muller"),
        ("shmidt", "schmidt"),
        ("stephen", "stefen"),
        ("alekseev", "alexeev"),
    ],
)
def test_spellings_of_one_name_sound_alike(one: str, two: str) -> None:
    assert sound(one) == sound(two)


def test_different_names_sound_different() -> None:
    names = ["ivanov", "petrov", "sidorov", "smith", "jones", "li", "lee", "meier", "schulz"]
    sounds = {sound(name) for name in names}
    assert len(sounds) >= 8


def parts(value: str, part: str, count: int | None = None) -> list[str]:
    found: list[str] = parts_of(pa.array([value]), part, count).texts.to_pylist()
    return found


def test_parts_of_a_value() -> None:
    assert parts("bb aa cc", "token_pairs") == ["aa bb", "aa cc", "bb cc"]
    assert parts("bb a cc  bb", "token") == ["bb", "cc"]
    assert parts("bb a äé", "sorted") == ["a bb äé"]
    assert parts("ivan@example.com", "local_part") == ["ivan"]
    assert parts("ivan@home@example.com", "domain") == ["example.com"]
    assert parts("1980-05-01", "month_day") == ["05-01"]
    assert parts("79161234567", "last", 4) == ["4567"]
    assert parts("", "first", 3) == []
    values = from_single(*encode(pa.array(["bb aa", None, "cc"])))
    tokens = derive(values, parse_value("full_name.token_pairs"))
    assert tokens.counts.tolist() == [1, 0, 0]


def test_a_hash_depends_on_every_byte_and_its_place() -> None:
    texts = ["", "a", "b", "ab", "ba", "aab", "aba", "я", "ä", "a" * 300, "a" * 301]
    hashes = hash_strings(pa.array(texts))
    assert len(np.unique(hashes)) == len(texts)
    assert hash_strings(pa.array(["x", *texts]).slice(1)).tolist() == hashes.tolist()


def limits_of(cap: int) -> pa.Table:
    return pa.table({"rule": range(RULE_BITS + 1), "cap": [cap] * (RULE_BITS + 1)}, schema=BLOCK_LIMIT)


KEYS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-8, 8)), max_size=40, unique=True)


def table_of(keys: list[tuple[int, int]]) -> pa.Table:
    return pa.table({"key": [k for k, _ in keys], "record_id": [r for _, r in keys]}, schema=BLOCKING_KEY)


def pairs_of(keys: list[tuple[int, int]], cap: int) -> set[tuple[int, int]]:
    blocks: dict[int, set[int]] = {}
    for key, record in keys:
        blocks.setdefault(key, set()).add(record)
    return {pair for block in blocks.values() if len(block) <= cap for pair in combinations(sorted(block), 2)}


@settings(max_examples=25, deadline=None)
@given(keys=KEYS, cap=st.integers(2, 6), dirty=st.sets(st.integers(-8, 8)))
def test_candidate_pairs_are_those_that_share_an_active_block(
    keys: list[tuple[int, int]], cap: int, dirty: set[int]
) -> None:
    def found(pairs: pa.Table) -> list[tuple[int, int]]:
        return sorted(zip(pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist(), strict=True))

    expected = pairs_of(keys, cap)
    assert found(candidate_pairs(table_of(keys), limits_of(cap)).pairs) == sorted(expected)
    touched = pa.table({"record_id": pa.array(sorted(dirty), pa.int64())})
    some = candidate_pairs(table_of(keys), limits_of(cap), touched).pairs
    assert found(some) == sorted(pair for pair in expected if dirty & set(pair))


def test_refused_blocks_are_named_with_their_size() -> None:
    keys = [(1, record) for record in range(5)] + [(2, record) for record in range(3)]
    found = candidate_pairs(table_of(keys), limits_of(3))
    assert found.refused.to_pylist() == [{"key": 1, "size": 5}]
    assert found.pairs.num_rows == 3
