"""What is written to a record, what is left alone, and what a sync knows for an echo."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.page import Writing
from connectors.paths import compile_path
from onefold.configuration.sources import StreamConfiguration
from onefold.configuration.write_back import WriteBack, reads
from onefold.steps.echo import compare, same
from onefold.steps.write_plan import Plan, fingerprint
from warehouse.write_receipts import Candidate

LANDED = datetime(2026, 3, 1, tzinfo=UTC)
LATER, EARLIER = LANDED + timedelta(hours=1), LANDED - timedelta(hours=1)
CLIENT = "6f1c0f5e-0a51-5c1e-9d3b-1d2f3a4b5c6d"


def plan(fields: dict[str, Any], *, again: bool = False) -> Plan:
    rule = WriteBack.model_validate({"fields": fields})
    return Plan("crm", "people", rule, Writing(10, {name: f"own.{name}" for name in fields}), again)


def candidate(now: dict[str, Any], receipts: list[dict[str, Any]] | None = None, **attributes: Any) -> Candidate:
    return Candidate(
        7, "7", json.dumps({"own": now}), LANDED, CLIENT, 3, "person", "client", "Ann", 2, json.dumps(attributes),
        json.dumps(receipts) if receipts else None, len(receipts or ()),
    )  # fmt: skip


def receipt(status: str, fields: dict[str, Any], at: datetime, *, came: bool = False) -> dict[str, Any]:
    return {
        "receipt_id": 1, "status": status, "payload_hash": fingerprint(fields), "idempotence_key": "ab" * 16,
        "fields": fields, "sent_at": at.isoformat(), "echoed_at": at.isoformat() if came else None,
    }  # fmt: skip


def test_values_of_the_client_and_golden_attributes_are_compared_as_text() -> None:
    fields = {
        "id": "client_id",
        "size": "record_count",
        "mail": "email",
        "all": {"value": "email", "join": ";"},
        "no": "phone",
    }
    found = plan(fields).look(candidate({"size": "2", "mail": "a@x"}, email=["a@x", "b@x"], phone=None))
    assert found.planned is not None
    assert found.planned.fields == {"id": CLIENT, "all": "a@x;b@x"}
    assert found.planned.before == {"id": None, "all": None}


def test_nothing_is_written_where_the_client_has_nothing_or_the_same() -> None:
    found = plan({"phone": "phone", "name": "display_name"}).look(candidate({"phone": "+7", "name": "Ann"}, phone=[]))
    assert found.planned is None and not found.left


@pytest.mark.parametrize("status", ["unknown", "sent"])
def test_a_change_without_an_answer_is_sent_again_by_the_same_key(status: str) -> None:
    found = plan({"id": "client_id"}).look(candidate({}, [receipt(status, {"id": CLIENT}, EARLIER)]))
    assert found.planned is not None
    assert (found.planned.resumed, found.planned.idempotence_key) == (1, "ab" * 16)


def test_another_value_is_another_change() -> None:
    found = plan({"id": "client_id"}).look(candidate({}, [receipt("unknown", {"id": "old"}, EARLIER)]))
    assert found.planned is not None
    assert found.planned.resumed is None
    assert found.planned.idempotence_key not in (
        "ab" * 16,
        plan({"id": "client_id"}).look(candidate({})).planned.idempotence_key,  # type: ignore[union-attr]
    )


def test_what_was_taken_stands_there_until_the_record_comes_back() -> None:
    assert plan({"id": "client_id"}).look(candidate({}, [receipt("accepted", {"id": CLIENT}, LATER)])).planned is None


@pytest.mark.parametrize("again", [False, True])
def test_what_was_changed_back_or_refused_is_left_alone_unless_asked_for(again: bool) -> None:
    back = candidate({"id": "theirs"}, [receipt("accepted", {"id": CLIENT}, EARLIER, came=True)])
    refused = candidate({}, [receipt("refused", {"id": CLIENT}, EARLIER)])
    wanted = plan({"id": "client_id"}, again=again)
    assert (wanted.look(back).overruled, wanted.look(refused).refused) == (not again, not again)
    assert (wanted.look(back).planned is not None) == again
    assert (wanted.look(refused).planned is not None) == again


def test_a_new_value_is_written_though_another_was_refused_or_changed_back() -> None:
    told = [receipt("refused", {"id": "old"}, EARLIER)]
    assert plan({"id": "client_id"}).look(candidate({}, told)).planned is not None


OWN = {"id": compile_path("own.id"), "f": compile_path("custom[field_id=5].values[0].value")}
MARKS = [compile_path("at")]


@pytest.mark.parametrize(
    ("landed", "read", "written", "echo"),
    [
        ({"a": 1, "at": 1}, {"a": 1, "at": 2, "own": {"id": "x"}}, [{"id": "x"}], "echo"),
        ({"a": 1, "own": {"id": "w"}}, {"a": 1, "own": {"id": "x"}}, [{"id": "v"}, {"id": "x"}], "echo"),
        ({"a": 1, "at": 1}, {"a": 2, "at": 2, "own": {"id": "x"}}, [{"id": "x"}], "seen"),
        ({"a": 1, "at": 1}, {"a": 1, "at": 2, "own": {"id": "y"}}, [{"id": "x"}], "other"),
        ({"a": 1, "own": {"z": 1}}, {"a": 1, "own": {"id": "x", "z": 2}}, [{"id": "x"}], "seen"),
        (
            {"a": 1, "custom": None},
            {"a": 1, "custom": [{"field_id": 5, "name": "Onefold", "values": [{"value": "x"}]}]},
            [{"f": "x"}],
            "echo",
        ),
        ({"a": 1}, {"a": 1}, [{"gone": "x"}], "other"),
    ],
)
def test_an_echo_is_only_what_was_written(landed: Any, read: Any, written: Any, echo: str) -> None:
    assert compare(landed, read, written, OWN, MARKS) == echo


@pytest.mark.parametrize(
    ("there", "ours", "is_same"),
    [
        ("3", 3, True), (Decimal("1.5"), Decimal("1.50"), True), ("1.5", Decimal("1.50"), True), (True, "true", True),
        ("Ann ", "Ann", True), ("2026-01-01T00:00:00", "2026-01-01", True), ("2026-01-011", "2026-01-01", False),
        ("1.50", "1.5", False), (None, "", False), ("x", 3, False), ({"a": 1}, "a", False), (False, "Ann", False),
    ],
)  # fmt: skip
def test_a_value_is_the_same_in_the_systems_own_spelling(there: Any, ours: Any, is_same: bool) -> None:
    assert same(there, ours) is is_same


@pytest.mark.parametrize(
    ("fields", "path", "reader"),
    [
        ({"email": "properties.email"}, "properties.email", "properties.email"),
        ({"email": ["a", "properties.email | lower"]}, "properties.email", "properties.email"),
        ({"full_name": "{properties.first} {properties.last}"}, "properties.last", "properties.last"),
        ({"phone": "custom[].values[].value"}, "custom[field_id=5].values[0].value", "custom[].values[].value"),
        ({"phone": "custom[field_id=6].values[].value"}, "custom[field_id=5].values[0].value", None),
        ({"email": "properties.email"}, "properties.onefold", None),
        ({"city": {"constant": "onefold"}, "email": "mail"}, "email", None),
    ],
)
def test_what_the_mapping_reads_is_seen_in_every_form(fields: Any, path: str, reader: str | None) -> None:
    stream = StreamConfiguration.model_validate({"as": "person", "fields": fields})
    assert reads(stream, path) == reader


def test_a_condition_reads_too() -> None:
    stream = StreamConfiguration.model_validate({"as": "person", "where": {"stage": ["a"]}, "fields": {"email": "m"}})
    assert reads(stream, "stage") == "stage"
