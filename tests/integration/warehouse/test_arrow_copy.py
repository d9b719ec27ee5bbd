"""What goes in as Arrow comes out as Arrow, to the last character."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from warehouse import arrow, copy_format, in_one_piece
from warehouse.catalogue import catalogue, differences
from warehouse.sql import sql

SCHEMA = pa.schema(
    [
        pa.field("a", pa.int64()),
        pa.field("b", pa.string()),
        pa.field("c", pa.timestamp("us", tz="UTC")),
        pa.field("d", pa.date32()),
        pa.field("e", pa.bool_()),
        pa.field("f", pa.int32()),
        pa.field("g", pa.list_(pa.int64())),
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "a": st.none() | st.integers(-(2**63), 2**63 - 1),
    "b": st.none() | TEXT | st.sampled_from(["", "\\.", "\\N", '"', '""', "\n", "\r\n", ",", " ", "NULL", "t", "nan"]),
    "c": st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    "d": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "e": st.none() | st.booleans(),
    "f": st.none() | st.integers(-(2**31), 2**31 - 1),
    "g": st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
}
ROW = st.fixed_dictionaries(COLUMNS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(ROW, max_size=20))
def test_every_value_survives_the_round_trip(conn: psycopg.Connection, entries: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(entries, schema=SCHEMA)
    conn.execute("DROP TABLE IF EXISTS pg_temp.t")
    conn.execute(
        "CREATE TEMP TABLE t (n serial, a bigint, b text, c timestamptz, d date, e boolean, f integer, g bigint[])"
    )
    assert arrow.copy_in(conn, "pg_temp.t", table) == len(entries)
    found = arrow.read(conn, SQL("SELECT a, b, c, d, e, f, g FROM t ORDER BY n"), schema=SCHEMA)
    assert found.to_pylist() == table.to_pylist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(ROW, max_size=20))
def test_rows_in_one_piece_are_those_that_went_in(conn: psycopg.Connection, entries: list[dict[str, Any]]) -> None:
    schema = pa.schema([SCHEMA.field(name) for name in ("a", "b", "f")] + [pa.field("n", pa.int64(), nullable=False)])
    rows = [{**{name: entry[name] for name in "abf"}, "n": at} for at, entry in enumerate(entries)]
    table = pa.Table.from_pylist(rows, schema=schema)
    conn.execute("DROP TABLE IF EXISTS pg_temp.p")
    conn.execute("CREATE TEMP TABLE p (n bigint, a bigint, b text, f integer)")
    arrow.copy_in(conn, "pg_temp.p", table)
    assert in_one_piece.read(conn, SQL("SELECT a, b, f, n FROM p ORDER BY n"), schema=schema).equals(table)


DOCUMENT = st.dictionaries(TEXT, st.none() | TEXT | st.lists(st.integers(-9, 9), max_size=2), max_size=3)
TYPED = st.fixed_dictionaries(
    {
        **COLUMNS,
        "g": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
        "h": st.none() | st.uuids().map(str) | st.uuids().map(lambda made: made.hex.upper()),
        "j": st.none() | st.integers(-(10**18) + 1, 10**18 - 1).map(lambda made: Decimal(made).scaleb(-4)),
        "i": st.none() | DOCUMENT.map(lambda made: json.dumps(made, ensure_ascii=False)),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(TYPED, min_size=1, max_size=20), cut=st.integers(0, 5))
def test_binary_and_text_store_the_same(conn: psycopg.Connection, entries: list[dict[str, Any]], cut: int) -> None:
    schema = pa.schema(
        [*SCHEMA, pa.field("h", pa.string()), pa.field("j", pa.decimal128(18, 4)), pa.field("i", pa.string())]
    )
    table = pa.Table.from_pylist(entries, schema=schema).slice(min(cut, len(entries) - 1))
    columns = "a bigint, b text, c timestamptz, d date, e boolean, f integer, g bigint[], h uuid, j numeric, i jsonb"
    for name in ("binary_rows", "text_rows"):
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("pg_temp", name)))
        conn.execute(SQL("CREATE TEMP TABLE {} (n serial, {})").format(Identifier(name), SQL(columns)))
    types = dict(conn.execute(sql("arrow.column_types"), {"table": "pg_temp.binary_rows"}).fetchall())
    assert copy_format.is_encodable(table, types)
    arrow.copy_in(conn, "pg_temp.binary_rows", table)
    insert = SQL("INSERT INTO text_rows (a, b, c, d, e, f, g, h, j, i) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)")
    with conn.cursor() as cursor:
        cursor.executemany(insert, [tuple(row.values()) for row in table.to_pylist()])
    differing = SQL("SELECT count(*) FROM text_rows AS x JOIN binary_rows AS y USING (n) WHERE x::text <> y::text")
    counted = conn.execute(SQL("SELECT count(*), ({}) FROM binary_rows").format(differing)).fetchone()
    assert counted == (table.num_rows, 0)


def test_a_text_that_is_no_uuid_names_its_column(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TEMP TABLE wrong (h uuid)")
    for text in ("x" * 32, "abc", "é" * 16):
        with pytest.raises(ValueError, match="column h"):
            arrow.copy_in(conn, "pg_temp.wrong", pa.table({"h": [text]}))


def test_arrays_of_names_go_in_as_postgres_writes_them(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TEMP TABLE names (n bigint, a text[])")
    written = ["{crm,erp}", "{}", None, "{crm}", "{crm,erp}"]
    rows = pa.table({"n": pa.array(range(5), pa.int64()), "a": pa.array(written, pa.string())})
    assert copy_format.is_encodable(rows, {"n": "int8", "a": "_text"})
    assert arrow.copy_in(conn, "pg_temp.names", rows) == 5
    found = [row[0] for row in conn.execute("SELECT a FROM names ORDER BY n")]
    assert found == [["crm", "erp"], [], None, ["crm"], ["crm", "erp"]]


def test_a_single_column_of_nulls_keeps_its_rows(conn: psycopg.Connection) -> None:
    schema = pa.schema([pa.field("b", pa.string())])
    found = arrow.read(conn, SQL("SELECT NULL::text FROM generate_series(1, 3)"), schema=schema)
    assert found.column("b").to_pylist() == [None] * 3


def test_a_row_longer_than_a_block_is_read_whole(conn: psycopg.Connection) -> None:
    schema = pa.schema([pa.field("n", pa.int64()), pa.field("b", pa.string())])
    query = SQL("SELECT n, repeat('x', CASE WHEN n = 5 THEN 20000000 ELSE 1 END) FROM generate_series(1, 9) AS n")
    found = arrow.read(conn, query, schema=schema)
    assert [len(text) for text in found.column("b").to_pylist()] == [1] * 4 + [20_000_000] + [1] * 4


def test_reading_sees_what_the_own_transaction_wrote(conn: psycopg.Connection) -> None:
    schema = pa.schema([pa.field("record_id", pa.int64())])
    with conn.transaction(force_rollback=True):
        conn.execute("INSERT INTO ops.pending (step, record_id) VALUES ('resolve', 5)")
        query = SQL("SELECT record_id FROM ops.pending WHERE step = %(step)s")
        assert arrow.read(conn, query, {"step": "resolve"}, schema=schema).to_pylist() == [{"record_id": 5}]


def test_a_large_load_leaves_keys_and_indexes_as_they_were(conn: psycopg.Connection) -> None:
    before = catalogue(conn)
    rows = pa.table({"key": range(150_000), "record_id": range(150_000)})
    with conn.transaction():
        assert arrow.load(conn, "identity.blocking_key", rows) == 150_000
    assert differences(before, catalogue(conn)) == []
    assert conn.execute("SELECT count(*) FROM identity.blocking_key").fetchone() == (150_000,)


INTEGERS = pa.schema([pa.field("a", pa.int64()), pa.field("f", pa.int32())])


LARGE, SMALL = st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(st.tuples(st.none() | LARGE, st.none() | SMALL), max_size=20))
def test_integers_survive_the_round_trip_in_binary(
    conn: psycopg.Connection, entries: list[tuple[int | None, int | None]]
) -> None:
    table = pa.table({"a": [a for a, _ in entries], "f": [f for _, f in entries]}, schema=INTEGERS)
    conn.execute("DROP TABLE IF EXISTS pg_temp.t")
    conn.execute("CREATE TEMP TABLE t (n serial, a bigint, f integer)")
    assert arrow.copy_in(conn, "pg_temp.t", table) == len(entries)
    assert conn.execute("SELECT a, f FROM t ORDER BY n").fetchall() == entries
    assert in_one_piece.read(conn, SQL("SELECT a, f FROM t ORDER BY n"), schema=INTEGERS).equals(table)
    bigints = pa.schema([pa.field("n", pa.int64())])
    found = in_one_piece.read_integers(conn, SQL("SELECT n::bigint FROM t ORDER BY n"), schema=bigints)
    assert found["n"].to_pylist() == list(range(1, len(entries) + 1))


def test_rows_are_replaced_by_difference_and_only_in_scope(conn: psycopg.Connection) -> None:
    def rows(*entries: tuple[int, int]) -> pa.Table:
        return pa.table({"key": [k for k, _ in entries], "size": [s for _, s in entries]})

    table = "identity.refused_block"
    assert arrow.replace(conn, table, rows((1, 5), (2, 6), (3, 7)), ("key",)) == 3
    assert arrow.replace(conn, table, rows((1, 5), (2, 6), (3, 7)), ("key",)) == 0
    scope = SQL("t.key = ANY (%(keys)s)")
    assert arrow.replace(conn, table, rows((2, 9), (4, 8)), ("key",), scope, {"keys": [2, 3, 4]}) == 3
    assert conn.execute("SELECT key, size FROM identity.refused_block ORDER BY key").fetchall() == [
        (1, 5),
        (2, 9),
        (4, 8),
    ]
