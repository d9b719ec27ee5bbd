"""Canonical JSON: exact digits, one form, and what jsonb cannot hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical import NotStorable, TruncatedJsonError, canonical, decode, digest, plain

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcß я"), inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize(
    "text",
    [
        "1.50",
        "0.1",
        "123456789012345678901234567890",
        "-18446744073709551617",
        "7707083893",
        "1.10000000000000000001",
    ],
)
def test_numbers_keep_the_digits_that_the_source_wrote(text: str) -> None:
    assert canonical(decode(text)) == text.encode()


def test_keys_are_sorted_at_every_depth_without_spaces() -> None:
    value = decode('{ "b": {"d": 1, "c": [ {"z":1,"y":2} ]}, "a": "ё" }')
    assert canonical(value) == '{"a":"ё","b":{"c":[{"y":2,"z":1}],"d":1}}'.encode()


@given(json_values)
def test_canonical_json_reads_back_to_itself(value: Any) -> None:
    once = canonical(value)
    assert canonical(decode(once)) == once


@given(st.dictionaries(st.text("abя"), json_values, max_size=5))
def test_the_order_of_members_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(value) == canonical(dict(reversed(list(value.items()))))


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x\x00y"},
        {"a\x00": 1},
        {"a": "\ud800"},
        {"a": float("nan")},
        {"a": Decimal("NaN")},
        {"a": [Decimal("Infinity")]},
        {"a": Decimal("1e200000")},
        {"a": Decimal("1e-20000")},
        {"a": 10**140_000},
    ],
)
def test_what_jsonb_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(NotStorable):
        canonical(plain(value))


def test_a_backslash_before_u0000_is_no_nul_character() -> None:
    assert canonical({"a": "\\u0000"}) == b'{"a":"\\\\u0000"}'


def test_words_that_look_like_numbers_of_no_use_are_kept() -> None:
    assert canonical({"a": "NaN Infinity 1E+99999"}) == b'{"a":"NaN Infinity 1E+99999"}'


def test_a_surrogate_or_nan_inside_a_page_does_not_stop_its_neighbours() -> None:
    good, bad, odd = decode(b'[{"a":1.5},{"a":"\\ud800"},{"a":NaN}]')
    assert canonical(good) == b'{"a":1.5}'
    for record in (bad, odd):
        with pytest.raises(NotStorable):
            canonical(record)


def test_a_cut_off_text_is_told_from_a_wrong_one() -> None:
    with pytest.raises(TruncatedJsonError):
        decode(b'{"a": [1, 2')
    with pytest.raises(ValueError, match="malformed") as caught:
        decode(b'{"a": nope}')
    assert not isinstance(caught.value, TruncatedJsonError)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(ValueError, match="deep"):
        decode(b"[" * 100_000 + b"]" * 100_000)
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(NotStorable):
        canonical(deep)


def test_values_of_databases_and_sheets_become_plain_json() -> None:
    value = {
        "float": 7707083893.0,
        "half": 0.5,
        "date": date(2024, 2, 29),
        "time": time(9, 5),
        "stamp": datetime(2024, 1, 1, 10, tzinfo=UTC),
        "id": UUID(int=1),
        "bytes": b"\x00\xff",
        "span": timedelta(hours=1),
        "set": (1, 2),
        1: "key",
    }
    assert decode(canonical(plain(value))) == {
        "float": 7707083893,
        "half": Decimal("0.5"),
        "date": "2024-02-29",
        "time": "09:05:00",
        "stamp": "2024-01-01T10:00:00Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "bytes": "AP8=",
        "span": "1:00:00",
        "set": [1, 2],
        "1": "key",
    }


def test_a_digest_has_sixteen_bytes() -> None:
    assert len(digest(b"{}")) == 16
