"""Fields that came and went, and the days of a source, from the reports of its runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.page import Row
from connectors.registry import names
from onefold.steps.blocking import shape
from onefold.steps.columns import ENOUGH, drift, seen
from onefold.steps.sources import days
from onefold.web.console.sources import docs_of, payload_of
from tests.support.cli import CHECKOUT

START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def run(day: int, columns: str, looked_at: int = ENOUGH) -> dict[str, Any]:
    streams = [{"stream": "s", "columns": columns.split(), "looked_at": looked_at}]
    return {"started_at": START + timedelta(days=day), "report": {"streams": streams}}


def row(payload: str) -> Row:
    return Row("1", payload.encode(), b"", None)


def test_a_field_came_when_enough_records_before_did_not_have_it_and_went_when_enough_since_do_not() -> None:
    found = drift([run(2, "a c"), run(0, "a b"), run(1, "a c")])
    assert [(one.field, one.change, one.at.day) for one in found] == [("c", "came", 2), ("b", "went", 1)]


def test_few_records_without_a_field_are_no_drift() -> None:
    assert drift([run(0, "a b"), run(1, "a", 3), run(2, "a b c", 3)]) != []
    assert drift([run(0, "a b", 3), run(1, "a c", 3)]) == []
    assert drift([]) == drift([{"started_at": START, "report": None}]) == []


def test_fields_are_looked_at_in_the_first_rows_and_data_that_looks_like_fields_is_not_kept() -> None:
    names, looked_at = seen((), 0, [row('{"a": 1}'), row('{"b": {"c": 2}}')])
    assert (names, looked_at) == (("a", "b"), 2)
    assert seen(names, 2, [row("[1]"), row('{"c": 1}')]) == (("a", "b", "c"), 4)
    assert seen(names, 1_000, [row('{"z": 1}')]) == (names, 1_000)
    many = row("{" + ",".join(f'"client {n}": 1' for n in range(400)) + "}")
    wild = seen(names, 2, [many])[0]
    report = {"streams": [{"stream": "s", "columns": wild, "looked_at": 60}]}
    assert drift([{"started_at": START, "report": report}, run(1, "a")]) == []


def test_the_news_of_a_source_grow_old_until_a_run_ends_well() -> None:
    def end(hours: int, status: str) -> dict[str, Any]:
        at = START.replace(hour=0) + timedelta(hours=hours)
        return {"started_at": at, "finished_at": at, "status": status, "rows": 5, "changed": 2}

    now = START.replace(hour=0) + timedelta(days=2, hours=12)
    found = days([end(-6, "done"), end(6, "done"), end(30, "failed")], START.replace(hour=0), now)
    assert [(day["rows"], day["runs"], day["failed"], day["hours"]) for day in found] == [
        (5, 1, 0, 18.0), (5, 1, 1, 42.0), (0, 0, 0, 54.0),
    ]  # fmt: skip


def test_a_shape_tells_no_value() -> None:
    assert shape("Иванов-2 a@b.ru") == "aaaaaa-9 a@a.aa" and len(shape("x" * 99)) == 40


@pytest.mark.parametrize(
    ("payload", "told"),
    [(b'{"name": "Anna"}', "name: •••"), (b'["Anna"]', "•••"), (b"Anna;", "•••"), (b'{"name": "An', "•••")],
)
def test_a_masked_payload_tells_names_of_fields_only(payload: bytes, told: str) -> None:
    assert payload_of({"payload": payload, "bytes": 99}, masked=True) == told
    assert payload_of({"payload": payload, "bytes": 99}, masked=False).endswith("…")


def test_every_connector_has_a_page_in_the_documentation() -> None:
    for name in (*names(), "singer:tap-x", "airbyte:source-x", "somebody's own"):
        assert (CHECKOUT / docs_of(name)).is_file(), name
