"""Golden records change only where something changed; histories and the change feed follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg

from tests.integration.warehouse.hub_rows import (
    NOW,
    assign,
    client,
    golden_row,
    interaction,
    party,
    rid,
    rows,
    store_interactions,
    store_parties,
)
from warehouse import facts, golden, shapes, standard
from warehouse.clock import hub_lock, next_as_of
from warehouse.dump import row_versions

A, B = client(1), client(2)


def publish(conn: psycopg.Connection, entries: Sequence[dict[str, Any]], touched: Sequence[str]) -> golden.Published:
    with conn.transaction():
        hub_lock(conn)
        as_of = next_as_of(conn, lambda: NOW)
        return golden.store_golden(conn, rows(shapes.GOLDEN, entries), touched, as_of=as_of)


def refresh(conn: psycopg.Connection, *record_ids: int) -> golden.Published:
    with conn.transaction():
        hub_lock(conn)
        return facts.refresh(conn, record_ids, as_of=next_as_of(conn, lambda: NOW))


def feed(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT kind, client_id::text, payload FROM ops.change_event ORDER BY id").fetchall()


def history(conn: psycopg.Connection, client_id: str) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT display_name, is_deleted, valid_from = '-infinity', valid_to IS NULL FROM core.client_history"
        " WHERE client_id = %s ORDER BY valid_from",
        [client_id],
    ).fetchall()


def test_contributions_come_by_client_and_natural_key(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("2"), party("10"), party("1", source="erp"), party("7")])
    assign(conn, {rid("2"): A, rid("10"): A, rid("1", "erp"): A, rid("7"): B})
    found = golden.load_contributions(conn, [A])
    assert found.schema.equals(shapes.CONTRIBUTION)
    assert found.column("source_key").to_pylist() == ["10", "2", "1"]
    assert golden.touched_clients(conn, [rid("2"), rid("7")]) == [A, B]


def test_former_clients_of_a_moved_record_are_touched_too(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1"), party("2")])
    assign(conn, {rid("1"): A, rid("2"): B})
    assign(conn, {rid("2"): A})
    assign(conn, {rid("1"): None})
    assert golden.touched_clients(conn, [rid("2")]) == [A, B]
    assert golden.touched_clients(conn, [rid("1")]) == [A]


def test_the_life_of_a_golden_record(conn: psycopg.Connection) -> None:
    assert publish(conn, [golden_row(A), golden_row(B, "Bob")], [A, B]) == golden.Published(created=2, change_events=2)
    assert publish(conn, [golden_row(A, "Anne")], [A]) == golden.Published(changed=1, change_events=1)
    assign(conn, {}, ("mint", B, None), ("redirect", B, A))
    assert publish(conn, [golden_row(A, "Anne")], [A, B]) == golden.Published(redirected=1, change_events=1)
    assign(conn, {}, ("revive", B, None))
    assert publish(conn, [golden_row(B, "Bob")], [B]) == golden.Published(revived=1, change_events=1)
    assert publish(conn, [], [A]) == golden.Published(retired=1, change_events=1)
    assert [(kind, who) for kind, who, _ in feed(conn)] == [
        ("created", A), ("created", B), ("changed", A), ("redirected", B), ("revived", B), ("retired", A),
    ]  # fmt: skip
    payloads = [payload for _, _, payload in feed(conn)]
    assert payloads[2] == {"fields": ["full_name"]}
    assert payloads[3] == {"target": A}
    assert history(conn, A) == [
        ("Anna", False, True, False),
        ("Anne", False, False, False),
        ("Anne", True, False, True),
    ]
    assert history(conn, B) == [
        ("Bob", False, True, False),
        ("Bob", True, False, False),
        ("Bob", False, False, True),
    ]
    gaps = conn.execute(
        "SELECT 1 FROM core.client_history h WHERE valid_to IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM core.client_history n WHERE n.client_id = h.client_id AND n.valid_from = h.valid_to)"
    ).fetchall()
    assert gaps == []
    ids = [row[0] for row in conn.execute("SELECT id FROM ops.change_event ORDER BY id")]
    assert ids == list(range(1, len(ids) + 1))
    current = conn.execute("SELECT client_id::text, is_deleted, changed_seq FROM core.client ORDER BY 1").fetchall()
    assert current == [(A, True, 6), (B, False, 5)]


def test_the_same_golden_records_again_write_nothing(conn: psycopg.Connection) -> None:
    publish(conn, [golden_row(A), golden_row(B)], [A, B])
    publish(conn, [golden_row(A)], [A, B])
    before, events = row_versions(conn), feed(conn)
    assert publish(conn, [golden_row(A)], [A, B]) == golden.Published()
    assert row_versions(conn) == before
    assert feed(conn) == events


def test_facts_follow_their_record_and_totals_come_back_after_undo(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1"), party("2")])
    assign(conn, {rid("1"): A, rid("2"): B})
    orders = [interaction("o1", "1", "10.10"), interaction("o2", "2", "20.20"), interaction("o3", "404", "5")]
    changed = store_interactions(conn, *orders, interaction("o4", None, "7")).changed

    def totals() -> dict[str | None, Decimal]:
        return dict(conn.execute("SELECT client_id::text, sum(amount) FROM core.interaction GROUP BY 1").fetchall())

    assert refresh(conn, *changed) == golden.Published(links_moved=4, change_events=1)
    before = totals()
    assert before == {A: Decimal("10.10"), B: Decimal("20.20"), None: Decimal(12)}
    facts = conn.execute("SELECT record_id, source_key, amount, party_record_id FROM core.interaction").fetchall()
    assign(conn, {rid("2"): A})
    assert refresh(conn, rid("2")) == golden.Published(links_moved=1, change_events=1)
    assert totals() == {A: Decimal("30.30"), None: Decimal(12)}
    assign(conn, {rid("2"): B})
    refresh(conn, rid("2"))
    assert totals() == before
    assert sorted(
        conn.execute("SELECT record_id, source_key, amount, party_record_id FROM core.interaction").fetchall()
    ) == sorted(facts)
    versions = row_versions(conn)
    assert refresh(conn, *changed, rid("1"), rid("2")) == golden.Published()
    assert row_versions(conn) == versions


def test_a_fact_that_moved_or_changed_gets_a_later_number_and_its_neighbours_keep_theirs(
    conn: psycopg.Connection,
) -> None:
    store_parties(conn, [party("1"), party("2")])
    assign(conn, {rid("1"): A, rid("2"): B})
    refresh(conn, *store_interactions(conn, interaction("o1", "1"), interaction("o2", "2")).changed)

    def numbers() -> dict[str, int]:
        return dict(conn.execute("SELECT source_key, changed_seq FROM core.interaction").fetchall())

    first = numbers()
    changed = store_interactions(conn, interaction("o1", "1", "99")).changed
    assert conn.execute(
        "SELECT client_id::text, changed_seq FROM core.interaction WHERE source_key = 'o1'"
    ).fetchone() == (A, None)
    refresh(conn, *changed)
    second = numbers()
    assert second["o1"] > first["o1"]
    assert second["o2"] == first["o2"]
    removed = standard.store_interactions(conn, None, None, None, [rid("o2", "erp", "orders")]).removed
    refresh(conn, *removed)
    assert numbers()["o2"] > second["o1"]


def test_a_reference_to_a_record_that_lands_later_is_filled_in_then(conn: psycopg.Connection) -> None:
    refresh(conn, *store_interactions(conn, interaction("o1", "late")).changed)
    store_parties(conn, [party("late")])
    assign(conn, {rid("late"): A})
    refresh(conn, rid("late"))
    assert conn.execute("SELECT client_id::text FROM core.interaction").fetchone() == (A,)


def test_a_fact_is_with_the_client_that_readers_see_its_party_with(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1"), party("2")])
    assign(conn, {rid("1"): A, rid("2"): B})
    publish(conn, [golden_row(A), golden_row(B, "Bob")], [A, B])
    refresh(conn, rid("1"), rid("2"), *store_interactions(conn, interaction("o1", "1")).changed)

    def served() -> tuple[Any, ...]:
        row = conn.execute(
            "SELECT x.source_key, f.client_id::text, x.client_id::text FROM onefold_v1.fct_interaction AS f"
            " JOIN onefold_v1.xref_client_record AS x ON x.record_id = f.party_record_id"
        ).fetchone()
        assert row is not None
        return tuple(row)

    assert served() == ("1", A, A)
    store_interactions(conn, interaction("o1", "2"))
    assign(conn, {rid("1"): B, rid("2"): A})
    refresh(conn, rid("1"))
    assert served() == ("2", B, B)
    refresh(conn, rid("2"))
    assert served() == ("2", A, A)


def test_relationships_are_numbered_anew_when_an_end_moves(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1"), party("2"), party("3")])
    assign(conn, {rid("1"): A, rid("2"): B, rid("3"): B})
    entry = {"record_id": rid("1"), "from_record_id": rid("1"), "to_record_id": rid("2"), "type": "works_at"}
    standard.store_relationships(conn, rows(shapes.RELATIONSHIP, [entry]), [rid("1")])
    assert refresh(conn).links_moved == 1
    assert refresh(conn, rid("1"), rid("2")).links_moved == 0
    assign(conn, {rid("2"): A})
    assert refresh(conn, rid("2")).links_moved == 1
    assign(conn, {rid("2"): None})
    assert refresh(conn, rid("2")).links_moved == 1
    assert refresh(conn, rid("2")).links_moved == 0


def test_the_first_version_holds_for_facts_older_than_the_hub(conn: psycopg.Connection) -> None:
    publish(conn, [golden_row(A)], [A])
    long_ago = NOW - timedelta(days=20_000)
    found = conn.execute(
        "SELECT display_name FROM core.client_history WHERE client_id = %s AND valid_from <= %s"
        " AND (valid_to > %s OR valid_to IS NULL)",
        [A, long_ago, long_ago],
    ).fetchall()
    assert found == [("Anna",)]
