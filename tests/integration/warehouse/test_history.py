"""What was known at any moment is answered again later; and who reads on from a number is never wrong."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.integration.warehouse.hub_rows import (
    NOW,
    assign,
    client,
    golden_row,
    interaction,
    party,
    rid,
    store_interactions,
    store_parties,
)
from tests.integration.warehouse.test_golden_store import publish, refresh
from tests.support.story import KEYS, Story, read
from warehouse.roles import ensure_roles, grant_served

A, B = client(1), client(2)
THEN = (
    "dim_client", "dim_party", "xref_client_record", "xref_client_redirect", "fct_interaction", "fct_interaction_line",
    "fct_promise", "bridge_relationship",
)  # fmt: skip


def set_moment(conn: psycopg.Connection[Any], setting: str, value: object) -> None:
    conn.execute("SELECT set_config(%s, %s, false)", [f"onefold.{setting}", "" if value is None else str(value)])


def columns(conn: psycopg.Connection[Any], view: str) -> str:
    """Those that the view of a moment has, in its order."""
    found = conn.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        [f"onefold_v1_asof.{view}"],
    )
    return ", ".join(row[0] for row in found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_read_at_a_moment_is_read_again_later(conn: psycopg.Connection, seed: int) -> None:
    story = Story(conn, seed)
    chance = random.Random(seed)
    saved: list[tuple[int, datetime, dict[str, list[str]]]] = []
    for step in range(120):
        story.go_on()
        if chance.random() < 0.3:
            story.publish(chance.choice((0.5, 1.0)))
        if step % 10 == 9:
            (moment,) = conn.execute("SELECT last_event_id, last_as_of FROM ops.hub_clock").fetchall()
            now = {view: read(conn, f"onefold_v1.{view}", columns(conn, view)) for view in THEN}
            # Nothing asked: what is published now, however much waits.
            assert {view: read(conn, f"onefold_v1_asof.{view}") for view in THEN} == now
            saved.append((*moment, now))
    for number, at, then in saved:
        for setting, value in (("as_of_seq", number), ("as_of", at)):
            set_moment(conn, setting, value)
            for view in THEN:
                assert read(conn, f"onefold_v1_asof.{view}") == then[view], (view, setting, value)
            set_moment(conn, setting, None)
    set_moment(conn, "as_of", "2001-01-01")
    assert [view for view in THEN if read(conn, f"onefold_v1_asof.{view}")] == []


@pytest.mark.parametrize("happenings", [250, pytest.param(2000, marks=pytest.mark.scale)])
def test_a_reader_that_reads_on_from_its_last_number_has_what_a_full_read_has(
    conn: psycopg.Connection, happenings: int
) -> None:
    """An incremental model as dbt makes it (delete and insert by key)."""
    story = Story(conn, 7)
    chance = random.Random(7)
    conn.execute("CREATE SCHEMA model")
    for view in KEYS:
        conn.execute(f"CREATE TABLE model.{view} AS SELECT * FROM onefold_v1.{view}")

    def read_on() -> None:
        for view, key in KEYS.items():
            conn.execute(
                f"CREATE TEMP TABLE news AS SELECT * FROM onefold_v1.{view}"
                f" WHERE changed_seq > (SELECT coalesce(max(changed_seq), 0) FROM model.{view})"
            )
            conn.execute(f"DELETE FROM model.{view} WHERE ({key}) IN (SELECT {key} FROM news)")
            conn.execute(f"INSERT INTO model.{view} SELECT * FROM news")
            conn.execute("DROP TABLE news")

    for _ in range(happenings):
        story.go_on()
        if chance.random() < 0.2:
            story.publish(chance.choice((0.3, 0.7, 1.0)))
        if chance.random() < 0.2:
            read_on()
    story.publish()
    read_on()
    for view in KEYS:
        assert read(conn, f"model.{view}") == read(conn, f"onefold_v1.{view}"), view
        missing = conn.execute(f"SELECT count(*) FROM onefold_v1.{view} WHERE changed_seq IS NULL").fetchone()
        assert missing == (0,), view
    versions = conn.execute("SELECT count(*) FROM core.interaction_version").fetchone()
    assert versions is not None and versions[0] > happenings * 0.3


TOTALS = "SELECT {by}::text, sum(amount), count(*) FROM onefold_v1.fct_interaction WHERE NOT is_deleted GROUP BY 1 ORDER BY 1"


def totals(conn: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Every total: as a whole, by client, type, month and client, and of the lines."""
    by = {"all": "'all'", "client": "client_id", "type": "type", "month": "date_trunc('month', occurred_on)",
          "client and month": "(client_id, date_trunc('month', occurred_on))"}  # fmt: skip
    found = {name: conn.execute(TOTALS.format(by=expression)).fetchall() for name, expression in by.items()}
    lines = TOTALS.replace("fct_interaction", "fct_interaction_line")
    return found | {
        f"lines by {name}": conn.execute(lines.format(by=by[name])).fetchall() for name in ("all", "client")
    }


def test_no_total_changes_by_a_merge_and_all_come_back_after_undo(conn: psycopg.Connection) -> None:
    story = Story(conn, 11)
    for _ in range(60):
        story.go_on()
    merges = 0
    for _ in range(25):
        story.publish()
        before = totals(conn)
        story.undo.clear()
        story.merge()
        story.publish()
        merged = totals(conn)
        for name in ("all", "type", "month", "lines by all"):
            assert merged[name] == before[name], name
        merges += merged["client"] != before["client"]
        story.lift()
        story.publish()
        assert totals(conn) == before
        story.go_on()
    assert merges > 5


def test_a_fact_finds_the_client_and_the_version_of_its_own_day(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1")])
    assign(conn, {rid("1"): A})
    publish(conn, [golden_row(A, "first")], [A])
    publish(conn, [golden_row(A, "second")], [A])
    assign(conn, {rid("1"): B})
    publish(conn, [golden_row(B, "of B")], [A, B])
    refresh(conn, rid("1"))
    linked, second, moved = (
        row[0]
        for row in conn.execute(
            "SELECT min(valid_from) FROM identity.crosswalk_history UNION ALL"
            " (SELECT valid_from FROM core.client_history WHERE display_name = 'second' AND NOT is_deleted) UNION ALL"
            " SELECT max(valid_from) FROM identity.crosswalk_history"
        )
    )
    times = {
        "long ago": NOW - timedelta(days=9000), "first": linked, "second": second, "moved": moved,
        "later": NOW + timedelta(days=9), "unknown": None,
    }  # fmt: skip
    changed = store_interactions(conn, *(interaction(key, "1", occurred_at=at) for key, at in times.items())).changed
    refresh(conn, *changed)
    found = conn.execute(
        "SELECT f.source_key, f.client_id::text, h.display_name, f.current_client_id::text"
        " FROM onefold_v1.fct_interaction_as_of AS f JOIN onefold_v1.dim_client_history AS h"
        " ON h.client_id = f.client_id AND h.valid_from = f.client_valid_from"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == {
        "long ago": (A, "first", B), "first": (A, "first", B), "second": (A, "second", B), "moved": (B, "of B", B),
        "later": (B, "of B", B), "unknown": (B, "of B", B),
    }  # fmt: skip


def test_the_reader_role_may_ask_about_a_moment(conn: psycopg.Connection) -> None:
    publish(conn, [golden_row(A)], [A])
    reader = ensure_roles(conn).names.reader
    grant_served(conn)
    with conn.transaction(force_rollback=True):
        conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(reader)))
        for at, count in (("2001-01-01", 0), ("2100-01-01", 1)):
            conn.execute(SQL("SET LOCAL onefold.as_of = {}").format(at))
            for view in THEN:
                conn.execute(SQL("SELECT v::text FROM onefold_v1_asof.{} AS v").format(Identifier(view))).fetchall()
            assert conn.execute("SELECT count(*) FROM onefold_v1_asof.dim_client").fetchone() == (count,)
