"""Readers see what was last published, whole, until its successor is; what was replaced is kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from tests.integration.warehouse.hub_rows import (
    assign,
    client,
    golden_row,
    interaction,
    party,
    rid,
    rows,
    store_parties,
)
from tests.integration.warehouse.test_golden_store import publish, refresh
from warehouse import shapes, standard
from warehouse.connect import connect, unit_of_work

A, B = client(1), client(2)
ORDER = rid("o1", "erp", "orders")
FACT = "SELECT amount::text, client_id::text, is_deleted, changed_seq FROM onefold_v1.fct_interaction"
LINES = "SELECT position, amount::text, is_deleted, changed_seq FROM onefold_v1.fct_interaction_line ORDER BY 1"
PROMISES = "SELECT promise_key, due_value::text, is_deleted, changed_seq FROM onefold_v1.fct_promise ORDER BY 1"


def store(conn: psycopg.Connection, amount: str, lines: Mapping[int, str], promises: tuple[str, ...]) -> list[int]:
    """The order with its lines (position -> amount) and promised values."""
    entry = interaction("o1", "1", amount, summary=f"{amount} {lines} {promises}")
    stored = standard.store_interactions(
        conn,
        rows(shapes.INTERACTION, [entry]),
        rows(shapes.INTERACTION_LINE, [{"record_id": ORDER, "position": p, "amount": a} for p, a in lines.items()]),
        rows(shapes.PROMISE, [{"record_id": ORDER, "kind": "discount", "due_value": v} for v in promises]),
    )
    return stored.all


@pytest.fixture
def hub(conn: psycopg.Connection) -> psycopg.Connection:
    """Two parties with a client each, and an order of two lines and two promises."""
    store_parties(conn, [party("1"), party("2")])
    assign(conn, {rid("1"): A, rid("2"): B})
    publish(conn, [golden_row(A), golden_row(B)], [A, B])
    refresh(conn, *store(conn, "10", {1: "4", 2: "6"}, ("1", "2")))
    return conn


def seen(conn: psycopg.Connection) -> tuple[list[tuple[Any, ...]], ...]:
    return tuple(conn.execute(query).fetchall() for query in (FACT, LINES, PROMISES))


def test_a_change_is_seen_when_it_is_published_and_not_before(hub: psycopg.Connection) -> None:
    before = seen(hub)
    changed = store(hub, "7", {1: "7"}, ("3",))
    assert seen(hub) == before
    changed = [*changed, *store(hub, "8", {1: "7", 3: "1"}, ("3",))]
    assert seen(hub) == before
    refresh(hub, *changed)
    facts, lines, promises = seen(hub)
    assert [row[:3] for row in facts] == [("8", A, False)]
    # A line or promise that is no more is told, and one that stays keeps its key.
    assert [row[:3] for row in lines] == [(1, "7", False), (2, "6", True), (3, "1", False)]
    assert [row[1:3] for row in promises] == [("3", False), ("2", True)]
    assert [row[0] for row in promises] == [row[0] for row in before[2]]
    assert {row[-1] for table in (facts, lines, promises) for row in table} == {facts[0][-1]}
    assert facts[0][-1] > before[0][0][-1]
    kept = hub.execute(
        "SELECT version ->> 'amount', jsonb_array_length(lines), jsonb_array_length(promises), changed_seq, ended_seq,"
        " known_from < known_to, client_id::text FROM core.interaction_version"
    ).fetchall()
    assert kept == [("10", 2, 2, before[0][0][-1], facts[0][-1], True, A)]


def test_a_deletion_is_seen_when_it_is_published(hub: psycopg.Connection) -> None:
    before = seen(hub)
    removed = standard.store_interactions(hub, None, None, None, [ORDER]).removed
    assert seen(hub) == before
    refresh(hub, *removed)
    facts, lines, promises = seen(hub)
    assert [row[2] for row in (*facts, *lines, *promises)] == [True] * 5
    refresh(hub, *store(hub, "10", {1: "4", 2: "6"}, ("1", "2")))
    assert [row[:3] for table in seen(hub) for row in table] == [row[:3] for table in before for row in table]
    assert hub.execute("SELECT count(*) FROM core.interaction_version WHERE ended_seq IS NULL").fetchone() == (0,)


def test_a_link_that_moves_leaves_a_version_with_the_client_of_before(hub: psycopg.Connection) -> None:
    assign(hub, {rid("1"): B})
    assert [row[1] for row in seen(hub)[0]] == [A]
    refresh(hub, rid("1"))
    assert [row[1] for row in seen(hub)[0]] == [B]
    kept = hub.execute("SELECT client_id::text, version ->> 'client_id' FROM core.interaction_version").fetchall()
    assert kept == [(A, A)]


def test_what_was_never_published_is_not_seen(hub: psycopg.Connection) -> None:
    standard.store_interactions(hub, rows(shapes.INTERACTION, [interaction("o2", "2")]), None, None)
    standard.store_interactions(hub, rows(shapes.INTERACTION, [interaction("o2", "2", "11")]), None, None)
    assert len(seen(hub)[0]) == 1
    refresh(hub, rid("o2", "erp", "orders"))
    assert len(seen(hub)[0]) == 2
    assert hub.execute("SELECT count(*) FROM core.interaction_version").fetchone() == (0,)


def test_relationships_are_seen_as_published_with_the_clients_of_their_links(hub: psycopg.Connection) -> None:
    query = (
        "SELECT from_client_id::text, to_client_id::text, is_deleted, changed_seq FROM onefold_v1.bridge_relationship"
    )
    entry = {"record_id": rid("1"), "from_record_id": rid("1"), "to_record_id": rid("2"), "type": "works_at"}
    stated = rows(shapes.RELATIONSHIP, [entry])
    changed = standard.store_relationships(hub, stated, [rid("1")])
    assert hub.execute(query).fetchall() == []
    refresh(hub, *changed)
    (first,) = hub.execute(query).fetchall()
    assert first[:3] == (A, B, False)
    standard.store_relationships(hub, None, [rid("1")])
    assign(hub, {rid("2"): A})
    assert hub.execute(query).fetchall() == [first]
    refresh(hub, rid("1"), rid("2"))
    (second,) = hub.execute(query).fetchall()
    assert second[:3] == (A, A, True)
    assert second[3] > first[3]
    standard.store_relationships(hub, stated, [rid("1")])
    assert hub.execute(query).fetchall() == [second]
    refresh(hub)
    assert hub.execute(query).fetchall()[0][2] is False
    spans = hub.execute("SELECT changed_seq < ended_seq FROM core.relationship_version").fetchall()
    assert spans == [(True,), (True,)]


def test_a_change_that_meets_publish_is_neither_lost_nor_half_seen(hub: psycopg.Connection, database_url: str) -> None:
    """Standardise holds the order while publish moves it: publish waits, looks again and takes the change along."""
    before = seen(hub)
    assign(hub, {rid("1"): B})
    with connect(database_url, application_name="test") as other:
        with unit_of_work(other):
            changed = store(other, "99", {1: "99"}, ())
            moving = threading.Thread(target=refresh, args=(hub, rid("1")))
            moving.start()
            moving.join(1)
            assert moving.is_alive()  # it waits for the change
        moving.join(30)
        # Moved and changed at once: the old order never stands with the new client, nor the new one with the old.
        facts, lines, _ = seen(other)
        assert [row[:3] for row in facts] == [("99", B, False)]
        assert [row[:3] for row in lines] == [(1, "99", False), (2, "6", True)]
        assert facts[0][-1] > before[0][0][-1]
        assert refresh(other, *changed).change_events == 0
