"""Connections, units of work and databases on a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy
from psycopg import errors

from warehouse.connect import (
    UnsuitableDatabaseError,
    connect,
    create_database,
    database_exists,
    drop_database,
    redact,
    sqlalchemy_url,
    unit_of_work,
    with_database,
)


def test_connection_is_in_utc_and_names_itself(empty_database_url: str):
    with connect(empty_database_url, application_name="onefold sync") as conn:
        assert conn.execute("SHOW timezone").fetchone() == ("UTC",)
        assert conn.execute("SHOW application_name").fetchone() == ("onefold sync",)


def test_options_of_the_url_are_kept(empty_database_url: str):
    url = f"{empty_database_url}&options=-c%20work_mem%3D7MB"
    with connect(url, application_name="test") as conn:
        assert conn.execute("SHOW work_mem").fetchone() == ("7MB",)
        assert conn.execute("SHOW timezone").fetchone() == ("UTC",)


def test_unit_of_work_keeps_all_or_nothing(empty_database_url: str):
    with connect(empty_database_url, application_name="test") as conn:
        with unit_of_work(conn):
            conn.execute("CREATE TABLE kept (id int)")
        with pytest.raises(errors.DivisionByZero), unit_of_work(conn):
            conn.execute("INSERT INTO kept VALUES (1); SELECT 1 / 0")
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_unit_of_work_after_a_read_really_commits(empty_database_url: str):
    with connect(empty_database_url, application_name="test") as conn:
        conn.execute("SELECT 1")
        with unit_of_work(conn):
            conn.execute("CREATE TABLE written (id int)")
        with connect(empty_database_url, application_name="other") as other:
            assert other.execute("SELECT count(*) FROM written").fetchone() == (0,)


def test_unit_of_work_inside_a_transaction_is_refused(empty_database_url: str):
    with (
        connect(empty_database_url, application_name="test") as conn,
        unit_of_work(conn),
        pytest.raises(errors.ActiveSqlTransaction),
        unit_of_work(conn),
    ):
        pass


def test_redacted_error_names_table_and_constraint_but_no_value(empty_database_url: str):
    with connect(empty_database_url, application_name="test") as conn:
        conn.execute("CREATE TABLE client (email text CONSTRAINT one_email UNIQUE)")
        conn.execute("INSERT INTO client VALUES ('anna@example.com')")
        with pytest.raises(errors.UniqueViolation) as caught:
            conn.execute("INSERT INTO client VALUES ('anna@example.com')")
    text = redact(caught.value)
    assert text.startswith("23505 ")
    assert "public.client" in text
    assert "one_email" in text
    assert "anna" not in text


@pytest.mark.parametrize("value", ["Anna", 'An"na" x', "it's Anna"])
def test_redacted_cast_error_quotes_no_value(empty_database_url: str, value: str):
    with (
        connect(empty_database_url, application_name="test") as conn,
        pytest.raises(errors.InvalidTextRepresentation) as caught,
    ):
        conn.execute("SELECT %s::text::integer", [value])
    assert redact(caught.value).startswith("22P02 ")
    assert "na" not in redact(caught.value).removeprefix("22P02 invalid input syntax for type integer")


def test_database_is_created_once_by_many_at_the_same_time(empty_database_url: str):
    url = with_database(empty_database_url, "onefold_test_many_at_once")
    drop_database(url)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(create_database, [url] * 4)) == [False, False, False, True]
        assert database_exists(url)
    finally:
        drop_database(url)
    assert not database_exists(url)


def test_database_in_another_encoding_is_refused(empty_database_url: str):
    url = with_database(empty_database_url, "onefold_test_latin")
    drop_database(url)
    with connect(empty_database_url, application_name="test") as conn:
        conn.execute("CREATE DATABASE onefold_test_latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with pytest.raises(UnsuitableDatabaseError, match="UTF8"):
            connect(url, application_name="test")
    finally:
        drop_database(url)


def test_older_server_is_refused_with_its_version(empty_database_url: str, monkeypatch: pytest.MonkeyPatch):
    # No server older than 15 is at hand, so the bound is raised instead.
    monkeypatch.setattr("warehouse.connect.MINIMUM_SERVER_VERSION", 990000)
    with pytest.raises(UnsuitableDatabaseError, match="needs PostgreSQL 99 or newer"):
        connect(empty_database_url, application_name="test")


def test_sqlalchemy_reaches_the_same_database(empty_database_url: str):
    engine = sqlalchemy.create_engine(sqlalchemy_url(empty_database_url))
    try:
        with engine.connect() as connection:
            name = connection.execute(sqlalchemy.text("SELECT current_database()")).scalar()
    finally:
        engine.dispose()
    with psycopg.connect(empty_database_url) as conn:
        assert name == conn.info.dbname
