"""Tables of SQLite and of a real PostgreSQL as sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.canonical import decode
from connectors.errors import ConnectorError, CredentialsError, RetriableError, SourceConfigurationError
from connectors.page import Page, StreamRequest
from connectors.sql.connector import SqlConnector

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUSTOMERS = StreamRequest("customers", options={"page_size": 2})
CHANGES = StreamRequest("customers", updated_at="updated_at", options={"page_size": 2, "lookback": 0})


class Source:
    """One database as a source, with a way to change it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def execute(self, statement: str) -> None:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as db:
                db.executescript(statement)
        else:
            with psycopg.connect(self.url, autocommit=True) as db:
                db.execute(statement)

    def read(self, request: StreamRequest = CUSTOMERS, state: Any = None, now: datetime = NOW) -> list[Page]:
        url = self.url.replace("postgresql://", "postgresql+psycopg://")
        with SqlConnector("erp", {"url": url}, clock=lambda: now) as connector:
            return list(connector.read(request, json.loads(json.dumps(state)) if state else None))


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    if request.param == "sqlite":
        made = Source(f"sqlite:///{tmp_path / 'erp.db'}")
    else:
        made = Source(request.getfixturevalue("empty_database_url"))
    made.execute(
        "CREATE TABLE customers (id integer PRIMARY KEY, name text, updated_at timestamp);"
        "INSERT INTO customers VALUES (1,'a','2026-02-01 10:00:00'),"
        "(2,'b','2026-02-02 10:00:00'),(3,'c',NULL),"
        "(4,'d','2026-02-02 10:00:00'),(5,'e','2026-02-05 10:00:00.5')"
    )
    return made


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def test_a_table_without_times_is_a_complete_pass_by_key(source: Source) -> None:
    pages = source.read()
    assert keys(pages) == ["1", "2", "3", "4", "5"]
    assert [page.snapshot.is_complete for page in pages if page.snapshot] == [False, False, True]
    again = source.read(state=pages[-1].state)
    assert keys(again) == keys(pages)
    assert again[0].snapshot is not None
    assert pages[0].snapshot is not None
    assert again[0].snapshot.pass_id != pages[0].snapshot.pass_id


@pytest.mark.parametrize("request_", [CUSTOMERS, CHANGES])
def test_a_killed_pass_goes_on_behind_its_last_page(source: Source, request_: StreamRequest) -> None:
    whole = source.read(request_)
    for count in range(1, len(whole)):
        rest = source.read(request_, whole[count - 1].state)
        assert keys(whole[:count]) + keys(rest) == keys(whole)
        assert rest[-1].state == whole[-1].state
        assert [page.snapshot for page in rest] == [page.snapshot for page in whole[count:]]


def test_only_changes_are_read_after_the_first_pass_and_rows_without_a_time_always(source: Source) -> None:
    state = source.read(CHANGES)[-1].state
    source.execute(
        "UPDATE customers SET name='B', updated_at='2026-02-20 10:00:00' WHERE id=2;"
        "INSERT INTO customers VALUES (6,'f','2026-02-21 10:00:00')"
    )
    pages = source.read(CHANGES, state)
    assert sorted(keys(pages)) == ["2", "3", "5", "6"]
    assert all(page.snapshot is None for page in pages)
    for count in range(1, len(pages)):
        assert keys(pages[:count]) + keys(source.read(CHANGES, pages[count - 1].state)) == keys(pages)
    quiet = source.read(CHANGES, pages[-1].state)
    assert keys(quiet) == ["6", "3"]
    assert quiet[-1].state == pages[-1].state


def test_a_late_commit_is_caught_by_the_lookback(source: Source) -> None:
    request = StreamRequest("customers", updated_at="updated_at", options={"lookback": "10m"})
    state = source.read(request)[-1].state
    source.execute("INSERT INTO customers VALUES (7,'late','2026-02-05 09:55:00')")
    assert "7" in keys(source.read(request, state))


def test_a_time_in_2099_does_not_end_later_reading(source: Source) -> None:
    source.execute("UPDATE customers SET updated_at='2099-01-01 00:00:00' WHERE id=1")
    state = source.read(CHANGES)[-1].state
    source.execute("UPDATE customers SET updated_at='2026-03-01 13:00:00' WHERE id=2")
    assert "2" in keys(source.read(CHANGES, state, NOW + timedelta(days=1)))


def test_a_sweep_reads_everything_when_it_is_due(source: Source) -> None:
    request = StreamRequest("customers", updated_at="updated_at", options={"sweep": "1d"})
    state = source.read(request)[-1].state
    source.execute("DELETE FROM customers WHERE id=1")
    assert all(page.snapshot is None for page in source.read(request, state))
    pages = source.read(request, state, NOW + timedelta(days=2))
    assert pages[-1].snapshot is not None
    assert pages[-1].snapshot.is_complete
    assert keys(pages) == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("column", "gone", "rule"),
    [
        ("is_deleted boolean", "true", {"path": "is_deleted"}),
        ("state text", "'archived'", {"path": "state", "equals": ["archived"]}),
        ("deleted_at timestamp", "'2026-02-20 10:00:00'", {"path": "deleted_at", "equals": []}),
    ],
)
def test_rows_say_themselves_that_they_are_deleted(
    source: Source, column: str, gone: str, rule: dict[str, Any]
) -> None:
    source.execute(f"ALTER TABLE customers ADD COLUMN {column}")
    name = column.partition(" ")[0]
    source.execute(f"UPDATE customers SET {name} = {gone} WHERE id = 1")
    options = {"page_size": 2, "lookback": 0, "deleted": rule}
    request = StreamRequest("customers", updated_at="updated_at", options=options)
    first = source.read(request)
    assert sorted(keys(first)) == ["2", "3", "4", "5"]
    assert [key for page in first for key in page.tombstones] == ["1"]
    source.execute(f"UPDATE customers SET {name} = {gone}, updated_at = '2026-02-21 10:00:00' WHERE id = 4")
    second = source.read(request, first[-1].state)
    assert [key for page in second for key in page.tombstones] == ["4"]
    assert all(page.snapshot is None for page in second)


def test_composite_keys_and_missing_ones(source: Source) -> None:
    source.execute("CREATE TABLE lines (doc text, pos integer, item text)")
    source.execute("INSERT INTO lines VALUES ('A|1',1,'x'),('A',2,'y'),(NULL,3,'z'),('A',10,'w')")
    request = StreamRequest("lines", key=["doc", "pos"], options={"page_size": 1})
    pages = source.read(request)
    assert sorted(keys(pages)) == ["A\\|1|1", "A|10", "A|2"]
    assert [item.reason for page in pages for item in page.rejects] == ["missing-key"]
    for count in range(1, len(pages)):
        assert keys(pages[:count]) + keys(source.read(request, pages[count - 1].state)) == keys(pages)


def test_keyless_tables_are_read_by_content(source: Source) -> None:
    source.execute("CREATE TABLE log (what text)")
    source.execute("INSERT INTO log VALUES ('a'),('b'),('a')")
    pages = source.read(StreamRequest("log", options={"page_size": 2}))
    assert len(set(keys(pages))) == 3


def test_a_query_is_a_stream(source: Source) -> None:
    request = StreamRequest(
        "q",
        key="code",
        options={"query": "SELECT id AS code, name FROM customers WHERE id > 2;", "page_size": 2},
    )
    assert keys(source.read(request)) == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (StreamRequest("nope"), "no table 'nope'.*customers"),
        (StreamRequest("customers", key="code"), "no column 'code'.*id, name"),
        (StreamRequest("customers", updated_at="changed"), "no column 'changed'"),
        (StreamRequest("customers", options={"tabel": "x"}), "tabel"),
        (StreamRequest("q", key="id", options={"query": "SELECT * FROM nope"}), "nope"),
    ],
)
def test_what_is_not_there_is_named(source: Source, request_: StreamRequest, words: str) -> None:
    with pytest.raises(SourceConfigurationError, match=words):
        source.read(request_)


def test_discovery_tells_keys_types_counts_and_times(source: Source) -> None:
    with SqlConnector("erp", {"url": source.url.replace("postgresql://", "postgresql+psycopg://")}) as connector:
        assert connector.check().streams == ["customers"]
        assert connector.volumes(["nope", "customers"]) == {"customers": 5}
        (info,) = connector.discover()
    assert (info.name, info.key, info.updated_at, info.rows) == ("customers", "id", "updated_at", 5)
    assert {field.path: field.type for field in info.fields} == {
        "id": "number",
        "name": "text",
        "updated_at": "timestamp",
    }


def test_naive_times_are_meant_in_the_streams_zone(source: Source) -> None:
    request = StreamRequest("customers", updated_at="updated_at", timezone="Europe/Moscow")
    row = source.read(request)[0].rows[0]
    assert row.updated_at == datetime(2026, 2, 1, 7, tzinfo=UTC)


def test_sqlite_keeps_what_its_columns_hold_odd_dates_included(tmp_path: Path) -> None:
    source = Source(f"sqlite:///{tmp_path / 'a.db'}")
    source.execute(
        "CREATE TABLE t (id text PRIMARY KEY, d date, n numeric, b blob);"
        "INSERT INTO t VALUES ('1','0000-00-00',1.10,x'00ff'),('2','soon',9007199254740993,NULL)"
    )
    first, second = [decode(row.payload) for page in source.read(StreamRequest("t")) for row in page.rows]
    assert first == {"id": "1", "d": "0000-00-00", "n": decode("1.1"), "b": "AP8="}
    assert second["n"] == 9007199254740993


def test_postgresql_types_arrive_exactly(empty_database_url: str) -> None:
    source = Source(empty_database_url)
    source.execute(
        """CREATE TABLE t AS SELECT 1 AS id, 1.10::numeric AS n,
        'infinity'::timestamptz AS inf, '0044-03-15 BC'::date AS bc,
        '{"z": 1.10, "a": [1]}'::jsonb AS j, '\\x00ff'::bytea AS b, '10 days'::interval AS i,
        ARRAY['x','y'] AS arr,
        '00000000-0000-0000-0000-000000000001'::uuid AS u, '2024-02-29'::date AS d,
        true AS f, '10.0.0.1'::inet AS ip,
        1e300::float8 AS big, 123456789012345678901234567890::numeric AS wide, int4range(1, 5) AS r"""
    )
    source.execute("INSERT INTO t (id, n) VALUES (2, 'NaN')")
    (page,) = source.read(StreamRequest("t", key="id"))
    (record,) = [decode(row.payload) for row in page.rows]
    assert [item.reason for item in page.rejects] == ["not-storable"]
    assert record["inf"] == "infinity"
    assert record["bc"] == "0044-03-15 BC"
    assert b'"j":{"a":[1],"z":1.10}' in page.rows[0].payload
    assert b'"n":1.10' in page.rows[0].payload
    assert (record["b"], record["arr"], record["d"], record["f"]) == ("AP8=", ["x", "y"], "2024-02-29", True)
    assert record["wide"] == 123456789012345678901234567890
    assert record["u"].endswith("0001")


def test_a_schema_may_be_named(empty_database_url: str) -> None:
    source = Source(empty_database_url)
    source.execute("CREATE SCHEMA sales")
    source.execute('CREATE TABLE sales."Kunden" (id uuid PRIMARY KEY, "Name" text)')
    source.execute("INSERT INTO sales.\"Kunden\" SELECT gen_random_uuid(), 'n' || g FROM generate_series(1, 5) g")
    request = StreamRequest("clients", options={"table": "sales.Kunden", "page_size": 2})
    whole = source.read(request)
    assert len(set(keys(whole))) == 5
    assert keys(whole[:1]) + keys(source.read(request, whole[0].state)) == keys(whole)


@pytest.mark.scale
def test_a_large_table_is_streamed_with_little_memory(empty_database_url: str) -> None:
    import tracemalloc

    source = Source(empty_database_url)
    source.execute("CREATE TABLE big AS SELECT g AS id, repeat('x', 200) AS t FROM generate_series(1, 100000) g")
    url = empty_database_url.replace("postgresql://", "postgresql+psycopg://")
    with SqlConnector("erp", {"url": url}) as connector:
        pages = connector.read(StreamRequest("big", key="id"), None)
        count = len(next(iter(pages)).rows)
        tracemalloc.start()
        count += sum(len(page.rows) for page in pages)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 40_000_000


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql+psycopg://me:geheim1@127.0.0.1:9/x", RetriableError),
        ("nonsense geheim1", SourceConfigurationError),
        ("oracle+nodriver://me:geheim1@h/x", SourceConfigurationError),
        ("mysql+pymysql://me:geheim1@127.0.0.1/x", ConnectorError),
        ("sqlite:////no/such/geheim2.db", SourceConfigurationError),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_secrets(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught, SqlConnector("erp", {"url": url}) as connector:
        connector.check()
    assert "geheim1" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_right_is_a_matter_of_credentials(empty_database_url: str) -> None:
    source = Source(empty_database_url)
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    source.execute("CREATE ROLE connectors_nobody NOLOGIN")
    try:
        url = empty_database_url.replace("postgresql://", "postgresql+psycopg://")
        joint = "&" if "?" in url else "?"
        with (
            SqlConnector("erp", {"url": f"{url}{joint}options=-c%20role%3Dconnectors_nobody"}) as connector,
            pytest.raises(CredentialsError, match="permission denied"),
        ):
            list(connector.read(StreamRequest("t"), None))
    finally:
        source.execute("DROP ROLE connectors_nobody")
