"""Keys, digests, volatile paths, duplicates and rejects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import SourceConfigurationError
from connectors.page import RejectedRow, Row
from connectors.rows import Assembled, Assembler, RowMaker, join_key, key_text


def row(record: Any, key: Any = "id", **keywords: Any) -> Row:
    made = RowMaker(key, **keywords).make(record, "")
    assert isinstance(made, Row), made
    return made


def assemble(records: Any, place: Any, **keywords: Any) -> Assembled:
    assembler = Assembler(RowMaker("id"), place, **keywords)
    assembler.add(records[:1])
    assembler.add(records[1:])
    return assembler.finish()


def rejected(record: Any, key: Any = "id") -> RejectedRow:
    made = RowMaker(key).make(record, "page 3")
    assert isinstance(made, RejectedRow), made
    return made


@given(st.lists(st.text("a|\\"), min_size=2, max_size=4), st.lists(st.text("a|\\"), min_size=2, max_size=4))
def test_composite_keys_are_joined_unambiguously(left: list[str], right: list[str]) -> None:
    if len(left) == len(right):
        assert (join_key(left) == join_key(right)) == (left == right)


def test_a_single_key_stays_as_it_is() -> None:
    assert join_key(["a|b\\c"]) == "a|b\\c"


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), ("7", "7"), (Decimal("7.0"), "7"), (True, "true"), (10**25, str(10**25))]
)
def test_a_key_that_changes_its_type_stays_the_same_key(value: Any, text: str) -> None:
    assert key_text(value) == text


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}, {"id": "  "}, {"id": {"x": 1}}, {"id": [1]}])
def test_a_row_without_a_key_is_kept_as_a_reject_with_its_place(record: dict[str, Any]) -> None:
    made = rejected(record)
    assert (made.reason, made.place) == ("missing-key", "page 3")
    assert "`id`" in made.detail
    assert made.payload


def test_a_composite_key_with_a_missing_part_is_missing() -> None:
    assert rejected({"a": 1}, ["a", "b"]).reason == "missing-key"
    assert row({"a": 1, "b": "x|y"}, ["a", "b"]).key == "1|x\\|y"


@pytest.mark.parametrize("record", ["text", 5, None, [1, 2]])
def test_something_that_is_no_record_is_kept_as_a_reject(record: Any) -> None:
    assert rejected(record).reason == "malformed-row"


def test_a_nul_or_a_surrogate_makes_a_reject_that_keeps_the_rest() -> None:
    made = rejected({"id": 1, "name": "a\x00b"})
    assert made.reason == "not-storable"
    assert b"a\\u0000b" in made.payload
    assert b"\\udc98" in rejected({"id": 1, "name": "\udc98"}).payload


def test_an_endless_key_is_a_reject() -> None:
    assert rejected({"id": "x" * 5000}).reason == "key-too-long"


def test_ten_megabytes_of_text_are_a_row() -> None:
    assert len(row({"id": 1, "text": "я" * 5_000_000}).payload) > 10_000_000


def test_volatile_paths_stay_in_the_payload_and_out_of_the_digest() -> None:
    volatile = ["DataVersion", "meta.seen", "rows[].at"]
    first = row({"id": 1, "DataVersion": "a", "meta": {"seen": 1, "x": 2}, "rows": [{"at": 1}]}, volatile=volatile)
    second = row({"id": 1, "DataVersion": "b", "meta": {"seen": 9, "x": 2}, "rows": [{"at": 2}]}, volatile=volatile)
    third = row({"id": 1, "DataVersion": "b", "meta": {"seen": 9, "x": 3}, "rows": [{"at": 2}]}, volatile=volatile)
    assert first.digest == second.digest != third.digest
    assert first.payload != second.payload


def test_a_content_key_survives_sorting_and_inserting_and_counts_identical_rows() -> None:
    maker = RowMaker("content")

    def keys(records: list[dict[str, Any]]) -> list[str]:
        maker.restart()
        return [made.key for record in records if isinstance(made := maker.make(record, ""), Row)]

    before = keys([{"n": 1}, {"n": 2}, {"n": 2}, {"n": 3}])
    after = keys([{"n": 9}, {"n": 3}, {"n": 2}, {"n": 1}, {"n": 2}])
    assert len(set(before)) == 4
    assert set(before) < set(after)


def test_naive_times_are_meant_in_the_sources_zone() -> None:
    made = row({"id": 1, "at": "2024-07-01 12:00:00"}, updated_at="at", timezone="Europe/Moscow")
    assert made.updated_at is not None
    assert made.updated_at.isoformat() == "2024-07-01T09:00:00+00:00"
    assert row({"id": 1, "at": "0000-00-00"}, updated_at="at").updated_at is None


def test_of_two_rows_with_one_key_the_later_stands_and_the_earlier_is_kept() -> None:
    records = [(1, {"id": 1, "v": "a"}), (2, {"id": 2}), (3, {"id": 1, "v": "b"}), (4, {"id": 2})]
    made = assemble(records, lambda number: f"line {number}")
    assert [item.payload for item in made.rows] == [b'{"id":1,"v":"b"}', b'{"id":2}']
    assert [(item.reason, item.place) for item in made.rejects] == [("duplicate-key", "line 1")]
    assert "line 3" in made.rejects[0].detail


def test_the_later_of_a_record_and_its_deletion_decides() -> None:
    def is_deleted(record: dict[str, Any]) -> bool:
        return bool(record.get("gone"))

    records = [(1, {"id": 1}), (2, {"id": 1, "gone": 1}), (3, {"id": 2, "gone": 1}), (4, {"id": 2})]
    made = assemble(records, str, is_deleted=is_deleted)
    assert ([item.key for item in made.rows], made.tombstones) == (["2"], ["1"])


def test_a_wrong_path_or_zone_names_the_stream() -> None:
    with pytest.raises(SourceConfigurationError, match="crm:contacts"):
        RowMaker("a..b", source="crm", stream="contacts")
    with pytest.raises(SourceConfigurationError, match="Europe/Moscow"):
        RowMaker("id", timezone="Moscow", source="crm", stream="contacts")
