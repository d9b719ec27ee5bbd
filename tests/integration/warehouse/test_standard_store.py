"""Only differences are stored, and what is stored is what was mapped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest

from identity.schema import IDENTIFIER, RECORD
from tests.integration.warehouse.hub_rows import (
    NOW,
    identifier,
    interaction,
    party,
    rid,
    rows,
    store_interactions,
    store_parties,
)
from warehouse import queries, resolution, shapes, standard
from warehouse.dump import row_versions
from warehouse.interaction_types import store_interaction_types
from warehouse.landing import land_page


def test_standard_records_come_back_as_they_were_stored(conn: psycopg.Connection) -> None:
    records = [
        party("2", 'Пётр "Перу"\nЧайковский', birth_date=date(1840, 5, 7), full_latin=""),
        party("1", source_updated_at=None),
        party("10", source="accounting"),
    ]
    identifiers = [
        identifier("2", "email", "a@example.org"),
        identifier("2", "inn", "0" * 20_000, is_valid=False),
    ]
    assert sorted(store_parties(conn, records, identifiers).changed) == sorted(r["record_id"] for r in records)
    found = resolution.load_records(conn, RECORD)
    assert found.column("source_key").to_pylist() == ["10", "1", "2"]
    by_key = {r["source_key"]: r for r in found.to_pylist()}
    for record in records:
        assert by_key[record["source_key"]] == {name: record.get(name) for name in RECORD.names}
    assert resolution.load_identifiers(conn, IDENTIFIER, [rid("2")]).to_pylist() == identifiers
    assert resolution.load_records(conn, RECORD, [rid("1")]).num_rows == 1


def test_records_that_come_again_as_they_were_write_nothing(conn: psycopg.Connection) -> None:
    records, identifiers = [party("1"), party("2")], [identifier("1", "email", "a@example.org")]
    store_parties(conn, records, identifiers)
    before = row_versions(conn)
    stored = standard.store_parties(conn, rows(RECORD, records), rows(IDENTIFIER, identifiers), [rid("404")])
    assert stored.all == []
    assert row_versions(conn) == before


def test_a_changed_record_takes_its_identifiers_along_and_a_removed_one_leaves(
    conn: psycopg.Connection,
) -> None:
    store_parties(
        conn,
        [party("1"), party("2")],
        [identifier("1", "email", "old@x.org"), identifier("2", "email", "b@x.org")],
    )
    stored = standard.store_parties(
        conn,
        rows(RECORD, [party("1", "anne")]),
        rows(IDENTIFIER, [identifier("1", "email", "new@x.org")]),
        [rid("2")],
    )
    assert (stored.changed, stored.removed) == ([rid("1")], [rid("2")])
    assert conn.execute("SELECT value FROM identity.identifier").fetchall() == [("new@x.org",)]


def test_identifiers_stay_where_they_are_when_something_else_of_their_record_changes(conn: psycopg.Connection) -> None:
    stated = [identifier("1", "email", "a@x.org"), identifier("1", "phone", "+1"), identifier("2", "email", "b@x.org")]
    store_parties(conn, [party("1"), party("2")], stated)
    places = conn.execute("SELECT value, ctid, xmin FROM identity.identifier ORDER BY value").fetchall()
    assert list(store_parties(conn, [party("1", "anne"), party("2")], stated).changed) == [rid("1")]
    assert conn.execute("SELECT value, ctid, xmin FROM identity.identifier ORDER BY value").fetchall() == places
    store_parties(conn, [party("1", "anna"), party("2")], [stated[0], stated[2]])
    assert conn.execute("SELECT value FROM identity.identifier ORDER BY 1").fetchall() == [("a@x.org",), ("b@x.org",)]


def test_a_newer_source_time_alone_is_a_change_because_recency_decides_values(
    conn: psycopg.Connection,
) -> None:
    store_parties(conn, [party("1")])
    later = party("1", source_updated_at=NOW + timedelta(days=1))
    assert later["content_hash"] == party("1")["content_hash"]
    assert standard.store_parties(conn, rows(RECORD, [later]), rows(IDENTIFIER, [])).changed == [rid("1")]


def test_interactions_keep_amounts_to_the_kopek_and_are_marked_when_they_go(conn: psycopg.Connection) -> None:
    order = interaction("SO-1", "1", "12345678901234567890.01")
    key = order["record_id"]
    lines = rows(shapes.INTERACTION_LINE, [{"record_id": key, "position": 1, "quantity": "0.001", "amount": "0.10"}])
    promises = rows(shapes.PROMISE, [{"record_id": key, "kind": "delivery_date", "due_on": date(2026, 3, 5)}])
    stored = standard.store_interactions(conn, rows(shapes.INTERACTION, [order]), lines, promises)
    assert stored.changed == [key]
    assert conn.execute("SELECT amount FROM core.interaction").fetchone() == (Decimal("12345678901234567890.01"),)
    assert conn.execute("SELECT quantity FROM core.interaction_line").fetchone() == (Decimal("0.001"),)
    before = row_versions(conn)
    assert standard.store_interactions(conn, rows(shapes.INTERACTION, [order]), lines, promises, [5]).all == []
    assert row_versions(conn) == before
    assert standard.store_interactions(conn, None, None, None, [key]).removed == [key]
    assert standard.store_interactions(conn, None, None, None, [key]).removed == []
    assert conn.execute("SELECT is_deleted FROM core.interaction").fetchone() == (True,)
    assert standard.store_interactions(conn, rows(shapes.INTERACTION, [order]), lines, promises).changed == [key]
    assert conn.execute("SELECT is_deleted FROM core.interaction").fetchone() == (False,)
    counts = "SELECT (SELECT count(*) FROM core.interaction_line), (SELECT count(*) FROM core.promise)"
    assert conn.execute(counts).fetchone() == (1, 1)


def test_relationships_are_replaced_by_difference(conn: psycopg.Connection) -> None:
    def stated(*roles: str) -> list[int]:
        entries = [
            {
                "record_id": rid("1"),
                "from_record_id": rid("1"),
                "to_record_id": rid("2"),
                "type": "works_at",
                "role": role,
            }
            for role in roles
        ]
        return standard.store_relationships(conn, rows(shapes.RELATIONSHIP, entries), [rid("1")])

    assert stated("clerk", "clerk") == [rid("1")]
    before = row_versions(conn)
    assert stated("clerk") == []
    assert row_versions(conn) == before
    assert stated("chief") == [rid("1")]
    found = conn.execute("SELECT role, is_deleted FROM core.relationship ORDER BY role").fetchall()
    assert found == [("chief", False), ("clerk", True)]
    assert stated("clerk") == [rid("1")]
    assert standard.store_relationships(conn, None, [rid("1")]) == [rid("1")]
    assert conn.execute("SELECT count(*) FROM core.relationship WHERE NOT is_deleted").fetchone() == (0,)


def test_a_child_leads_to_its_parents_and_back(conn: psycopg.Connection) -> None:
    for key in ("1", "2", "9"):
        land_page(
            conn, run_id=1, source="crm", stream="requisites", state={}, now=NOW,
            rows=[(key, b'{"n": ' + key.encode() + b"}", key.encode() * 16, NOW)],
        )  # fmt: skip
    one, two, nine = (rid(key, stream="requisites") for key in ("1", "2", "9"))
    standard.store_child_links(conn, [one, two, nine], [(one, 100), (two, 100), (nine, 200), (one, 100)])
    found = standard.children(conn, [100, 200])
    assert [(c.record_id, c.payload) for c in found[100]] == [(one, b'{"n": 1}'), (two, b'{"n": 2}')]
    assert standard.parents_of(conn, [one, nine]) == [100, 200]
    before = row_versions(conn)
    standard.store_child_links(conn, [one], [(one, 100)])
    assert row_versions(conn) == before
    standard.store_child_links(conn, [one], [])
    assert [c.record_id for c in standard.children(conn, [100])[100]] == [two]
    land_page(conn, run_id=2, source="crm", stream="requisites", rows=[], tombstones=["2"], state={}, now=NOW)
    assert standard.children(conn, [100]) == {}


def test_pending_raw_records_are_read_with_their_tombstones(conn: psycopg.Connection) -> None:
    payload = '{"n": 1.10, "имя": "Ё"}'.encode()
    land_page(
        conn, run_id=1, source="crm", stream="contacts", state={}, now=NOW,
        rows=[("1", payload, b"1" * 16, NOW), ("2", b"{}", b"2" * 16, None)], tombstones=["2"],
    )  # fmt: skip
    found = {raw.source_key: raw for raw in standard.pending_raw(conn, [rid("1"), rid("2"), 404])}
    assert found["1"].payload == payload
    assert found["1"].source_updated_at == NOW
    assert (found["1"].is_deleted, found["2"].is_deleted) == (False, True)
    assert standard.existing(conn, [rid("1"), rid("2"), 404]) == [rid("1")]


@dataclass
class Reject:
    record_id: int
    reason: str = "absurd-date"
    detail: str = "The date is in the year 9999."
    path: str | None = "born"


def test_mapping_rejects_are_kept_once_and_closed_when_they_are_mended(conn: psycopg.Connection) -> None:
    land_page(
        conn,
        run_id=1,
        source="crm",
        stream="contacts",
        rows=[("1", b'{"born": "9999"}', b"1" * 16, NOW)],
        state={},
        now=NOW,
    )
    for _ in range(2):
        standard.replace_rejects(conn, [rid("1")], [Reject(rid("1"))], run_id=1, now=NOW)
    (found,) = queries.open_rejects(conn)
    assert (found["source_key"], found["step"], found["path"], found["bytes"]) == (
        "1",
        "standardise",
        "born",
        16,
    )
    standard.replace_rejects(conn, [rid("1")], [], run_id=2, now=NOW)
    assert queries.open_rejects(conn) == []
    standard.replace_rejects(conn, [rid("1")], [Reject(rid("1"))], run_id=3, now=NOW)
    assert len(queries.open_rejects(conn, source="crm")) == 1
    assert queries.open_rejects(conn, source="erp") == []


def test_interaction_types_are_written_when_they_change_only(conn: psycopg.Connection) -> None:
    order = {
        "code": "sales_order",
        "label_en": "Order",
        "money": "ordered",
        "detail_schema": {"stage": {"type": "text"}},
    }
    store_interaction_types(conn, [order, {"code": "call", "label_en": "Call"}])
    before = row_versions(conn)
    store_interaction_types(conn, [order])
    assert row_versions(conn) == before
    store_interaction_types(conn, [{**order, "label_ru": "Заказ"}])
    assert conn.execute("SELECT label_ru FROM core.interaction_type WHERE code = 'sales_order'").fetchone() == (
        "Заказ",
    )


def test_an_amount_that_is_no_number_is_refused_by_the_database(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        store_interactions(conn, interaction("1", None, "ten"))
