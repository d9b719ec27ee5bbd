"""onefold_v1 keeps what it promised: names, types and places of its columns stand in a committed file."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.contract import COMMAND, FILE, breaks, committed, complaint, served, text

PROMISED = {"dim_a": {"id": "uuid", "name": "text", "sum": "numeric"}}


def test_the_database_keeps_the_committed_contract(conn: psycopg.Connection) -> None:
    assert complaint(committed(), served(conn)) == ""
    assert FILE.read_text("utf-8") == text(served(conn)), f"Run: {COMMAND}"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "dim_a is gone"),
        ({"dim_a": {"id": "uuid", "sum": "numeric"}}, "dim_a.name is gone"),
        ({"dim_a": {"id": "uuid", "title": "text", "sum": "numeric"}}, "dim_a.name is gone; title stands in its place"),
        ({"dim_a": {"id": "uuid", "name": "text", "sum": "double precision"}}, "dim_a.sum was numeric and is double"),
        ({"dim_a": {"name": "text", "id": "uuid", "sum": "numeric"}}, "dim_a.id was column 1 and is column 2"),
        ({"dim_a": {"id": "uuid", "new": "text", "name": "text", "sum": "numeric"}}, "dim_a.name was column 2 and is"),
    ],
)
def test_a_broken_promise_is_named_and_asks_for_a_second_version(found: dict[str, dict[str, str]], said: str) -> None:
    told = complaint(PROMISED, found)
    assert said in told and "onefold_v2" in told


def test_what_was_appended_asks_to_be_written_down() -> None:
    found = {"dim_a": {**PROMISED["dim_a"], "new": "text"}, "dim_b": {"id": "uuid"}}
    assert breaks(PROMISED, found) == []
    assert complaint(PROMISED, found).startswith("Appended to onefold_v1 and not committed: dim_a.new, dim_b.id.")
    assert COMMAND in complaint(PROMISED, found)


def test_the_guard_sees_a_view_that_a_definition_changed(conn: psycopg.Connection) -> None:
    conn.execute("ALTER VIEW onefold_v1.fct_promise RENAME COLUMN days_late TO lateness")
    conn.execute("DROP VIEW onefold_v1.bridge_relationship")
    told = complaint(committed(), served(conn))
    assert (
        "fct_promise.days_late is gone; lateness stands in its place" in told and "bridge_relationship is gone" in told
    )
