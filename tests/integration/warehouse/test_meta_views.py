"""The contract describes itself: every served view and column, how fresh, how many rows, what personal data."""

from __future__ import annotations

import json
import time

import psycopg
from psycopg.sql import SQL, Identifier

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
from warehouse.interaction_types import store_interaction_types
from warehouse.roles import ensure_roles, grant_served

A = client(1)
VIEWS = "SELECT viewname::text FROM pg_views WHERE schemaname = 'onefold_v1'"


def test_every_served_view_and_column_is_described(conn: psycopg.Connection) -> None:
    views = {row[0] for row in conn.execute(VIEWS)}
    told = conn.execute("SELECT dataset, meaning_en, rows FROM onefold_v1.meta_dataset").fetchall()
    assert {row[0] for row in told} == views
    assert [row for row in told if row[1] is None or row[2] is None] == []
    columns = {
        (view, name)
        for view in views
        for (name,) in conn.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0",
            [f"onefold_v1.{view}"],
        )
    }
    described = conn.execute("SELECT dataset, column_name, meaning_en FROM onefold_v1.meta_column").fetchall()
    assert {(row[0], row[1]) for row in described} == columns
    assert [row for row in described if row[2] is None] == []


def test_what_the_notes_refer_to_exists(conn: psycopg.Connection) -> None:
    columns = {f"{d}.{c}" for d, c in conn.execute("SELECT dataset, column_name FROM onefold_v1.meta_column")}
    refers = {r for (r,) in conn.execute("SELECT DISTINCT refers_to FROM onefold_v1.meta_column WHERE refers_to > ''")}
    assert refers and refers <= columns
    keys = conn.execute(
        "SELECT dataset || '.' || unnest(key_columns || replace_by) FROM onefold_v1.meta_dataset"
    ).fetchall()
    assert {key for (key,) in keys} <= columns


def test_open_attributes_come_with_their_label_and_class(conn: psycopg.Connection) -> None:
    served.extend(
        conn, [{"name": "shoe_size", "label_en": "Shoe size", "label_ru": "Размер", "personal_data": "identity"}]
    )
    found = conn.execute(
        "SELECT label_ru, personal_data, data_type FROM onefold_v1.meta_column"
        " WHERE dataset = 'dim_client' AND column_name = 'shoe_size'"
    ).fetchall()
    assert found == [("Размер", "identity", "text")]


def test_a_column_that_nobody_classified_is_not_taken_for_harmless(conn: psycopg.Connection) -> None:
    conn.execute("CREATE VIEW onefold_v1.dim_extra AS SELECT 'x'::text AS unheard_of")
    found = conn.execute("SELECT personal_data FROM onefold_v1.meta_column WHERE column_name = 'unheard_of'").fetchone()
    assert found == ("unclassified",)


def test_fields_of_a_type_carry_the_registry_s_labels(conn: psycopg.Connection) -> None:
    schema = {"colour": {"type": "text", "labels": {"en": "Colour", "ru": "Цвет"}}}
    store_interaction_types(conn, [{"code": "painting", "label_en": "Painting", "detail_schema": schema}])
    found = conn.execute(
        "SELECT label_ru FROM onefold_v1.meta_column WHERE (dataset, column_name) = ('fct_painting', 'colour')"
    ).fetchone()
    assert found == ("Цвет",)
    key = conn.execute("SELECT key_columns FROM onefold_v1.meta_dataset WHERE dataset = 'fct_painting'").fetchone()
    assert key == (["record_id"],)


def test_rows_and_the_last_change_are_told_per_view(conn: psycopg.Connection) -> None:
    store_parties(conn, [party("1")])
    assign(conn, {rid("1"): A})
    publish(conn, [golden_row(A)], [A])
    standard.store_interactions(conn, rows(shapes.INTERACTION, [interaction("o1", "1")]), None, None)
    refresh(conn, rid("o1", "erp", "orders"))
    found = {
        row[0]: row[1:]
        for row in conn.execute("SELECT dataset, rows, is_estimated, last_changed_at FROM onefold_v1.meta_dataset")
    }
    assert found["dim_client"][:2] == (1, False) and found["dim_client"][2] is not None
    assert found["fct_interaction"][:2] == (1, False) and found["fct_interaction"][2] is not None
    assert found["dim_interaction_type"][2] is None


def test_failed_checks_are_counted_and_named(conn: psycopg.Connection) -> None:
    def checks(view: str) -> object:
        return conn.execute(
            "SELECT checks_failed, failed_checks FROM onefold_v1.meta_dataset WHERE dataset = %s", [view]
        ).fetchone()

    assert checks("fct_interaction") == (0, [])
    standard.store_interactions(conn, rows(shapes.INTERACTION, [interaction("o1", "gone")]), None, None)
    refresh(conn, rid("o1", "erp", "orders"))
    conn.execute(
        "INSERT INTO ops.run (command, source, status, started_at, finished_at) VALUES ('sync', 'erp', 'failed', %s, %s)",
        [NOW, NOW],
    )
    conn.execute("INSERT INTO ops.pending (step, record_id) VALUES ('publish', 1)")
    assert checks("fct_interaction") == (3, ["changes_wait", "client_not_come", "last_run_failed"])
    assert checks("dim_client") == (2, ["changes_wait", "last_run_failed"])
    last = conn.execute("SELECT DISTINCT last_run_at, last_run_status FROM onefold_v1.meta_dataset").fetchall()
    assert last == [(NOW, "failed")]


def test_views_of_many_rows_are_estimated_so_that_the_answer_comes_at_once(conn: psycopg.Connection) -> None:
    golden = json.dumps({"email": "a@example.org"})
    lineage = json.dumps({"email": {"rule": "trust"}, "phones": [{"rule": "trust"}, {"rule": "trust"}]})
    conn.execute(
        "INSERT INTO core.client (client_id, kind, role, display_name, attributes, lineage, golden_hash, record_count,"
        " valid_from, changed_seq, is_deleted) SELECT gen_random_uuid(), 'person', 'client', 'N', %s, %s,"
        " gen_random_uuid(), 1, %s, n, false FROM generate_series(1, 200000) AS n",
        [golden, lineage, NOW],
    )
    conn.execute("ANALYZE core.client")
    conn.execute("SET cpu_tuple_cost = 0.1")  # a tenth of the rows that it takes otherwise
    began = time.monotonic()
    found = conn.execute(
        "SELECT rows, is_estimated FROM onefold_v1.meta_dataset WHERE dataset = 'dim_party'"
    ).fetchone()
    assert found is not None and found[1] and abs(found[0] - 200_000) < 10_000
    assert time.monotonic() - began < 5
    # Values in documents are estimated by a few of them.
    found = conn.execute(
        "SELECT rows, is_estimated FROM onefold_v1.meta_dataset WHERE dataset = 'client_field_lineage'"
    ).fetchone()
    assert found is not None and found[1] and abs(found[0] - 600_000) < 30_000


def test_the_reader_sees_the_description_of_what_it_may_read(conn: psycopg.Connection) -> None:
    reader = ensure_roles(conn).names.reader
    grant_served(conn)
    with conn.transaction(force_rollback=True):
        conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(reader)))
        assert conn.execute("SELECT count(*) FROM onefold_v1.meta_dataset WHERE rows IS NULL").fetchone() == (0,)
        assert conn.execute("SELECT count(*) > 100 FROM onefold_v1.meta_column").fetchone() == (True,)
