"""The served contract: typed columns, redirects, deletions told, columns appended and never taken away."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from identity.schema import IDENTIFIER, RECORD
from tests.integration.warehouse.hub_rows import (
    NOW,
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
from warehouse import served, shapes, standard
from warehouse.dump import row_versions
from warehouse.migrate import upgrade
from warehouse.roles import ensure_roles, grant_served

A, B, C = client(1), client(2), client(3)


def test_golden_values_are_columns_of_their_types(conn: psycopg.Connection) -> None:
    values = {
        "given_name": "Анна", "email": ["a@example.org", "b@example.org"], "phone": "+79030000000",
        "birth_date": "1990-02-11", "inn": {"v": "500100732259"}, "city": [{"v": "Клин"}, {"v": "Тверь"}],
    }  # fmt: skip
    publish(conn, [golden_row(A, attributes=json.dumps(values)), golden_row(B, role="supplier")], [A, B])
    found = conn.execute(
        "SELECT given_name, email, emails, phone, phones, birth_date, inn, city, kpp FROM onefold_v1.dim_client"
    ).fetchall()
    assert found == [
        ("Анна", "a@example.org", ["a@example.org", "b@example.org"], "+79030000000", ["+79030000000"],
         date(1990, 2, 11), "500100732259", "Клин", None)
    ]  # fmt: skip
    assert conn.execute("SELECT count(*) FROM onefold_v1.dim_party").fetchone() == (2,)
    assert conn.execute("SELECT count(*) FROM onefold_v1.dim_client_history").fetchone() == (2,)


@pytest.mark.parametrize("absurd", ["1990", "0000-00-00", "31.12.1990", "1990-13-01", "x"])
def test_an_absurd_date_is_null_and_harms_no_other_row(conn: psycopg.Connection, absurd: str) -> None:
    publish(conn, [golden_row(A, attributes=json.dumps({"birth_date": absurd}))], [A])
    assert conn.execute("SELECT birth_date FROM onefold_v1.dim_client").fetchone() in (
        (None,),
        (date(1990, 12, 31),),
    )


def test_open_attributes_append_columns_and_keep_them_across_migrations(
    conn: psycopg.Connection, database_url: str
) -> None:
    entries = [
        {"name": "loyalty_points", "type": "number", "label_en": "Loyalty points"},
        {"name": "tags", "is_multi": True, "label_en": "Tags"},
        {"name": "asks_for_invoice", "type": "boolean", "label_en": "Asks for an invoice"},
    ]
    before = conn.execute("SELECT * FROM onefold_v1.dim_client").description
    assert before is not None
    conn.execute("CREATE SCHEMA analyst; CREATE VIEW analyst.v AS SELECT * FROM onefold_v1.dim_client")
    assert served.extend(conn, entries) == ["loyalty_points", "tags", "asks_for_invoice"]
    versions = row_versions(conn)
    assert served.extend(conn, entries) == []
    assert row_versions(conn) == versions
    values = json.dumps({"loyalty_points": "12.5", "tags": ["vip", "press"], "asks_for_invoice": True})
    publish(conn, [golden_row(A, attributes=values)], [A])
    served.extend(conn, [{"name": "colour", "label_en": "Colour"}])
    conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'sql'")
    upgrade(database_url)
    cursor = conn.execute("SELECT * FROM onefold_v1.dim_client")
    assert cursor.description is not None
    names = [column.name for column in cursor.description]
    assert names[: len(before)] == [column.name for column in before]
    assert set(names[len(before) :]) == {"loyalty_points", "tags", "asks_for_invoice", "colour"}
    row = conn.execute("SELECT loyalty_points, tags, asks_for_invoice, colour FROM onefold_v1.dim_client").fetchone()
    assert row == (12.5, ["vip", "press"], True, None)
    comment = conn.execute(
        "SELECT col_description('onefold_v1.dim_client'::regclass, attnum) FROM pg_attribute"
        " WHERE attrelid = 'onefold_v1.dim_client'::regclass AND attname = 'loyalty_points'"
    ).fetchone()
    assert comment == ("Loyalty points",)


def test_an_id_that_was_merged_away_leads_to_its_survivor_through_any_number_of_merges(
    conn: psycopg.Connection,
) -> None:
    assign(conn, {1: A, 2: B, 3: C}, ("mint", A, None), ("mint", B, None), ("mint", C, None))
    publish(conn, [golden_row(A), golden_row(B), golden_row(C)], [A, B, C])
    query = "SELECT old_client_id::text, client_id::text, is_deleted FROM onefold_v1.xref_client_redirect ORDER BY 1"

    def redirects() -> list[tuple[Any, ...]]:
        return conn.execute(query).fetchall()

    assert redirects() == []
    assign(conn, {1: B}, ("redirect", A, B))
    assert redirects() == []  # told when it is published
    publish(conn, [golden_row(B, record_count=2)], [A, B])
    assign(conn, {1: C, 2: C}, ("redirect", B, C))
    publish(conn, [golden_row(C, record_count=3)], [A, B, C])
    assert redirects() == [(A, C, False), (B, C, False)]
    before = numbers(conn)
    assign(conn, {2: B}, ("revive", B, None))
    publish(conn, [golden_row(B), golden_row(C, record_count=2)], [B, C])
    assert redirects() == [(A, B, False), (B, C, True)]
    assert all(after > before[who] for who, after in numbers(conn).items())
    # One that was gone already may be led elsewhere.
    assign(conn, {}, ("redirect", A, C))
    publish(conn, [golden_row(B)], [A, B])
    assert redirects() == [(A, C, False), (B, C, True)]


def numbers(conn: psycopg.Connection) -> dict[str, int]:
    return dict(conn.execute("SELECT old_client_id::text, changed_seq FROM onefold_v1.xref_client_redirect").fetchall())


def test_the_crosswalk_tells_where_a_record_is_and_that_it_left(conn: psycopg.Connection) -> None:
    card = json.dumps({"url": [{"v": "https://crm.example.org/1"}]})
    store_parties(conn, [party("1", attributes=card), party("2")])
    assign(conn, {rid("1"): A, rid("2"): A})
    query = (
        "SELECT client_id::text, source_key, url, is_deleted, changed_seq FROM onefold_v1.xref_client_record ORDER BY 2"
    )
    assert conn.execute(query).fetchall() == []  # nothing is told before the first golden records
    publish(conn, [golden_row(A, record_count=2)], [A])
    first = conn.execute(query).fetchall()
    assert [row[:4] for row in first] == [(A, "1", "https://crm.example.org/1", False), (A, "2", None, False)]
    assign(conn, {rid("2"): B})
    assign(conn, {rid("2"): None})
    standard.store_parties(conn, RECORD.empty_table(), IDENTIFIER.empty_table(), [rid("2")])
    # What is not published yet is seen as it was.
    assert conn.execute(query).fetchall() == first
    refresh(conn, rid("2"))
    then = conn.execute(query).fetchall()
    assert [row[:4] for row in then] == [(A, "1", "https://crm.example.org/1", False), (A, "2", None, True)]
    assert then[1][4] > first[1][4]
    assert then[0] == first[0]


def test_a_card_that_moves_in_its_own_system_is_told_with_a_later_number(conn: psycopg.Connection) -> None:
    def card(number: int) -> str:
        return json.dumps({"url": [{"v": f"https://crm.example.org/{number}"}]})

    store_parties(conn, [party("1", attributes=card(1))])
    assign(conn, {rid("1"): A})
    publish(conn, [golden_row(A)], [A])
    query = "SELECT url, changed_seq FROM onefold_v1.xref_client_record"
    ((_, first),) = conn.execute(query).fetchall()
    for number in (2, 3):
        store_parties(conn, [party("1", attributes=card(number))])
    assert conn.execute(query).fetchall() == [("https://crm.example.org/1", first)]
    assert refresh(conn, rid("1")).change_events == 1
    ((url, later),) = conn.execute(query).fetchall()
    assert url == "https://crm.example.org/3"
    assert later > first
    store_parties(conn, [party("1", "other name", attributes=card(3))])
    assert refresh(conn, rid("1")).change_events == 0


def test_an_incremental_reader_by_changed_seq_is_never_wrong(conn: psycopg.Connection) -> None:
    """Reading on from the last number gives what a full read gives, through moves, changes and deletions."""
    store_parties(conn, [party("1"), party("2"), party("3")])
    copy: dict[int, tuple[object, ...]] = {}
    last = 0

    def read_on() -> None:
        nonlocal last
        found = conn.execute(
            "SELECT record_id, client_id, amount, is_deleted, changed_seq FROM onefold_v1.fct_interaction"
            " WHERE changed_seq > %s",
            [last],
        ).fetchall()
        copy.update({row[0]: row[1:4] for row in found})
        last = max([last, *(row[4] for row in found)])

    def store(*entries: dict[str, object], removed: tuple[int, ...] = ()) -> list[int]:
        return standard.store_interactions(conn, rows(shapes.INTERACTION, entries), None, None, removed).all

    assign(conn, {rid("1"): A, rid("2"): B, rid("3"): C})
    refresh(conn, *store(*(interaction(f"o{n}", str(n % 3 + 1)) for n in range(9))))
    read_on()
    assign(conn, {rid("2"): A})
    waiting = store(interaction("o1", "3", "1"), interaction("late", "2"), removed=(rid("o2", "erp", "orders"),))
    read_on()
    refresh(conn, *waiting, rid("2"))
    read_on()
    assign(conn, {rid("2"): B, rid("3"): None})
    refresh(conn, rid("2"), rid("3"))
    read_on()
    full = conn.execute("SELECT record_id, client_id, amount, is_deleted FROM onefold_v1.fct_interaction").fetchall()
    assert copy == {row[0]: row[1:] for row in full}


def test_lineage_promises_and_freshness_are_served(conn: psycopg.Connection) -> None:
    lineage = {"email": {"record_id": 7, "rule": "latest", "losers": [{"v": "x"}]}}
    publish(conn, [golden_row(A, attributes=json.dumps({"email": "a"}), lineage=json.dumps(lineage))], [A])
    found = conn.execute(
        "SELECT attribute, value, record_id, rule, losers FROM onefold_v1.client_field_lineage"
    ).fetchall()
    assert found == [("email", "a", 7, "latest", [{"v": "x"}])]
    order = interaction("o1", None)
    promise = {
        "record_id": order["record_id"],
        "kind": "delivery_date",
        "due_on": NOW.date(),
        "actual_on": date(2026, 3, 4),
    }
    standard.store_interactions(conn, rows(shapes.INTERACTION, [order]), None, rows(shapes.PROMISE, [promise]))
    assert conn.execute("SELECT count(*) FROM onefold_v1.fct_promise").fetchone() == (0,)
    refresh(conn, int(order["record_id"]))
    assert conn.execute("SELECT is_kept, days_late FROM onefold_v1.fct_promise").fetchall() == [(False, 3)]
    counts = dict(conn.execute("SELECT dataset, rows FROM onefold_v1.meta_dataset").fetchall())
    assert (counts["dim_client"], counts["fct_interaction"]) == (1, 1)


def test_the_reader_role_reads_every_served_view_and_nothing_else(conn: psycopg.Connection) -> None:
    publish(conn, [golden_row(A)], [A])
    reader = ensure_roles(conn).names.reader
    grant_served(conn)
    views = conn.execute("SELECT viewname FROM pg_views WHERE schemaname = 'onefold_v1'").fetchall()
    with conn.transaction(force_rollback=True):
        conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(reader)))
        for (view,) in views:
            conn.execute(SQL("SELECT v::text FROM onefold_v1.{} AS v").format(Identifier(view))).fetchall()
        assert conn.execute("SELECT birth_date FROM onefold_v1.dim_client").fetchall() == [(date(1980, 5, 7),)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute("SELECT 1 FROM core.client")


def test_views_that_belong_to_the_owner_role_can_still_be_extended_and_migrated(
    conn: psycopg.Connection, database_url: str
) -> None:
    ensure_roles(conn)
    grant_served(conn)
    assert served.extend(conn, [{"name": "colour", "label_en": "Colour"}]) == ["colour"]
    conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'sql'")
    upgrade(database_url)
    assert conn.execute("SELECT count(colour) FROM onefold_v1.dim_client").fetchone() == (0,)
