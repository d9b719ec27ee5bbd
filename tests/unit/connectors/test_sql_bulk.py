"""Rows made many at once are those that are made one by one, or are left to be looked at alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical import NotStorable, canonical, canonical_sorted, plain_row
from connectors.page import Row
from connectors.rows import Assembler, RowMaker
from connectors.sql.bulk import BulkMaker

COLUMNS = ("Имя", "at", "id", "pos")
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=5)
    | st.sampled_from(["NaN", "Infinity", "1E+2000", "a\x00b", "\\u0000", "\ud800", "  ", "x" * 300])
    | st.datetimes()
    | st.dates()
    | st.uuids()
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
)
rows_of_values = st.lists(st.tuples(values, values, values, values), min_size=1, max_size=5)


def one_by_one(lot: list[tuple[Any, ...]], key: list[str]) -> list[Any]:
    maker = RowMaker([f"'{name}'" for name in key], "'at'", (), "Europe/Moscow")
    made: list[Any] = []
    for row in lot:
        try:
            record = dict(zip(COLUMNS, plain_row(row), strict=True))
        except NotStorable:
            made.append(None)
            continue
        is_flat = not any(isinstance(value, dict | list) for value in record.values())
        made.append(maker.make(record, "", canonical_sorted if is_flat else canonical))
    return made


@pytest.mark.parametrize("key", [["id"], ["id", "pos"]])
@given(lot=rows_of_values)
def test_any_rows_are_as_they_are_one_by_one(key: list[str], lot: list[tuple[Any, ...]]) -> None:
    made = BulkMaker(COLUMNS, key, "at", "Europe/Moscow").rows(lot)
    if made is not None:
        assert made == one_by_one(lot, key)


@given(records=st.lists(st.dictionaries(st.sampled_from(["id", "at", "x"]), values), min_size=1, max_size=5))
def test_any_records_are_as_they_are_one_by_one(records: list[dict[str, Any]]) -> None:
    maker = RowMaker("id", "at", (), "UTC")
    made = maker.make_all(records)
    if made is not None:
        assert made == [maker.make(record, "") for record in records]


def test_what_databases_usually_hold_is_made_at_once() -> None:
    lot = [(f"Анна {n}", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), n, Decimal("1.50")) for n in range(10)] + [
        ("float", date(2026, 1, 2), 2**40, 0.1),
        (None, None, 11, UUID(int=5)),
    ]
    made = BulkMaker(COLUMNS, ["id"], "at", "Europe/Moscow").rows(lot)
    assert made is not None and made == one_by_one(lot, ["id"])
    assert made[0].payload.startswith('{"Имя":"Анна 0","at":"2026-01-02T03:04:05Z"'.encode())


@pytest.mark.parametrize("columns", [('a"b', "id"), ("a\\b", "id"), ("id", "id")])
def test_columns_that_cannot_be_named_so_are_left_alone(columns: tuple[str, ...]) -> None:
    assert BulkMaker(columns, ["id"], None, "UTC").rows([(1, 2)]) is None


def test_rows_that_are_made_already_meet_those_before_them() -> None:
    page = Assembler(RowMaker("id"), lambda number: f"row {number}")
    rows = [Row(key, payload, payload, None) for key, payload in (("1", b"a"), ("2", b"b"), ("3", b"c"))]
    page.add_rows([1, 2, 3], rows)
    page.add_rows([4, 5], [Row("1", b"A", b"A", None), Row("2", b"b", b"b", None)])
    page.add_rows([6, 7], [Row("4", b"x", b"x", None), Row("4", b"y", b"y", None)])
    made = page.finish()
    assert [(row.key, row.payload) for row in made.rows] == [("3", b"c"), ("1", b"A"), ("2", b"b"), ("4", b"y")]
    told = [(one.reason, one.place, one.payload) for one in made.rejects]
    assert told == [("duplicate-key", "row 1", b"a"), ("duplicate-key", "row 6", b"x")]
