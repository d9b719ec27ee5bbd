"""Tables of a real MariaDB as a source: types, odd dates, zones, changes with ties, deletions, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.canonical import decode
from connectors.errors import CredentialsError, SourceConfigurationError
from connectors.page import Page, StreamRequest
from connectors.sql.connector import SqlConnector
from tests.support.mariadb import is_installed, mariadb

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not is_installed(), reason="no MariaDB (apt-get install mariadb-server) or no PyMySQL is installed"
    ),
]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGES = StreamRequest(
    "customers", updated_at="updated_at", timezone="Europe/Berlin", options={"page_size": 2, "lookback": 0}
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """One server for the module."""
    with mariadb() as started:
        yield started


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def customers(url: str) -> str:
    """A table whose rows 1 to 3 changed at one moment."""
    execute(
        url,
        "DROP TABLE IF EXISTS customers",
        "CREATE TABLE customers (id int PRIMARY KEY, name varchar(50), updated_at datetime(6))",
        "INSERT INTO customers VALUES (1,'Анна','2026-02-01 10:00:00'),(2,'Боб','2026-02-01 10:00:00'),"
        "(3,'Ида','2026-02-01 10:00:00'),(4,'Ян','2026-02-05 10:00:00.5'),(5,'Нет даты',NULL)",
    )
    return url


def read(url: str, request: StreamRequest, state: Any = None, now: datetime = NOW) -> list[Page]:
    with SqlConnector("shop", {"url": url}, clock=lambda: now) as connector:
        return list(connector.read(request, json.loads(json.dumps(state)) if state else None))


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def test_types_arrive_exactly_odd_dates_included(url: str) -> None:
    execute(
        url,
        "DROP TABLE IF EXISTS t",
        "CREATE TABLE t (id bigint unsigned PRIMARY KEY, n decimal(30,10), f tinyint(1), d date, dt datetime, tm time,"
        " b varbinary(10), j json, e enum('a','b'), y year, txt text CHARACTER SET cp1251, dbl double)",
        "INSERT INTO t VALUES (18446744073709551615, 12345678901234567890.1234567890, 1, '0000-00-00',"
        """ '1753-01-01 00:00:00', '-25:00:01', x'00ff', '{"z": 1.10}', 'b', 2026, 'Привет 🙂', 0.1)""",
    )
    (row,) = [row for page in read(url, StreamRequest("t")) for row in page.rows]
    record = decode(row.payload)
    assert row.key == "18446744073709551615"
    assert b'"n":12345678901234567890.1234567890' in row.payload
    assert (record["d"], record["dt"], record["b"], record["e"]) == ("0000-00-00", "1753-01-01T00:00:00", "AP8=", "b")
    assert (record["f"], record["y"], record["dbl"], record["j"]) == (1, 2026, decode("0.1"), '{"z": 1.10}')
    assert record["txt"].startswith("Привет")


def test_a_timestamp_is_a_moment_and_a_datetime_is_meant_in_the_streams_zone(url: str) -> None:
    execute(
        url,
        "DROP TABLE IF EXISTS z",
        "CREATE TABLE z (id int PRIMARY KEY, ts timestamp NULL, dt datetime)",
        # The server's session is in Moscow's time, three hours ahead.
        "INSERT INTO z VALUES (1, '2026-02-01 10:00:00', '2026-02-01 10:00:00')",
    )
    for column, hour in (("ts", 7), ("dt", 9)):
        (page,) = read(url, StreamRequest("z", updated_at=column, timezone="Europe/Berlin"))
        assert page.rows[0].updated_at == datetime(2026, 2, 1, hour, tzinfo=UTC)
        assert decode(page.rows[0].payload)["ts"] == "2026-02-01T07:00:00Z"
        # The mark of a moment is compared as one.
        execute(url, "INSERT INTO z VALUES (2, '2026-02-02 10:00:00', '2026-02-02 10:00:00')")
        request = StreamRequest("z", updated_at=column, timezone="Europe/Berlin", options={"lookback": 0})
        assert keys(read(url, request, read(url, request)[-1].state)) == ["2"]
        execute(url, "DELETE FROM z WHERE id = 2")


def test_changes_are_read_by_time_and_key_so_that_ties_are_neither_lost_nor_repeated(customers: str) -> None:
    whole = read(customers, CHANGES)
    assert keys(whole) == ["1", "2", "3", "4", "5"]
    execute(customers, "UPDATE customers SET name = 'neu', updated_at = '2026-02-09 08:00:00' WHERE id IN (1, 2, 3)")
    changed = read(customers, CHANGES, whole[-1].state)
    assert keys(changed) == ["4", "1", "2", "3", "5"]
    # Killed behind the first page, in the middle of the tie.
    assert keys(read(customers, CHANGES, changed[0].state)) == ["2", "3", "5"]


def test_a_killed_pass_goes_on_behind_its_last_page(customers: str) -> None:
    request = StreamRequest("customers", options={"page_size": 2})
    whole = read(customers, request)
    assert keys(read(customers, request, whole[0].state)) == ["3", "4", "5"]


def test_a_sweep_shows_what_was_deleted(customers: str) -> None:
    request = StreamRequest("customers", updated_at="updated_at", options={"sweep": True, "page_size": 2})
    state = read(customers, request)[-1].state
    execute(customers, "DELETE FROM customers WHERE id = 2")
    pages = read(customers, request, state)
    assert keys(pages) == ["1", "3", "4", "5"]
    assert [page.snapshot.is_complete for page in pages if page.snapshot] == [False, True]


def test_discovery_and_errors_speak_of_the_table_and_not_of_secrets(customers: str) -> None:
    with SqlConnector("shop", {"url": customers}) as connector:
        (found,) = [stream for stream in connector.discover() if stream.name == "customers"]
        assert (found.key, found.updated_at, found.rows) == ("id", "updated_at", 5)
    execute(customers, "CREATE OR REPLACE USER nobody@localhost IDENTIFIED BY 'geheim1'")
    for password in ("geheim1", "falsch22"):
        refused = customers.replace("root@", f"nobody:{password}@")
        with SqlConnector("shop", {"url": refused}) as connector, pytest.raises(CredentialsError) as caught:
            connector.check()
        assert password not in str(caught.value)
    with (
        SqlConnector("shop", {"url": customers}) as connector,
        pytest.raises(SourceConfigurationError, match="no table"),
    ):
        list(connector.read(StreamRequest("nothing"), None))
