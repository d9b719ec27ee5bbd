"""Arrays in binary form arrive as what they were; an error of a call is the driver's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import ExecStatus, Format

from warehouse import calls
from warehouse.connect import connect

AT = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
TIMES = [AT, datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=3))), datetime(1, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("kind", "made", "values"),
    [
        ("bigint", calls.bigints([0, -1, 2**63 - 1, -(2**63)]), [0, -1, 2**63 - 1, -(2**63)]),
        ("bigint", calls.bigints([]), []),
        ("boolean", calls.booleans([True, False]), [True, False]),
        ("text", calls.texts([b"", 'Ключ, "{}\\ \t\n'.encode()]), ["", 'Ключ, "{}\\ \t\n']),
        ("text", calls.texts([]), []),
        ("jsonb", calls.jsons([b'{"a":1.50}', b"[]", b"null"]), [{"a": 1.5}, [], None]),
        ("uuid", calls.uuids([bytes(range(16))]), [UUID(bytes=bytes(range(16)))]),
        ("timestamptz", calls.timestamps(TIMES), TIMES),
        ("timestamptz", calls.timestamps([None, AT]), [None, AT]),
        ("timestamptz", calls.timestamps([None, None]), [None, None]),
    ],
)
def test_an_array_arrives_as_it_was(conn: psycopg.Connection, kind: str, made: bytes, values: list[Any]) -> None:
    conn.execute(f"CREATE TABLE kept (value {kind}[])")
    result = conn.pgconn.exec_params(b"INSERT INTO kept VALUES ($1)", [made], None, [Format.BINARY])
    assert result.status == ExecStatus.COMMAND_OK, result.error_message
    assert conn.execute("SELECT value FROM kept").fetchone() == (values,)


def test_a_refused_call_raises_the_class_of_its_error_and_leaves_the_connection(conn: psycopg.Connection) -> None:
    with pytest.raises(errors.InvalidTextRepresentation):
        calls.call(conn, "landing.probe", {"record_ids": "no array"})
    assert calls.call(conn, "landing.probe", {"record_ids": calls.bigints([1])}) == []


def test_a_lost_connection_is_told_as_such(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="onefold tests") as other:
        conn.execute("SELECT pg_terminate_backend(%s)", [other.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            calls.call(other, "landing.probe", {"record_ids": calls.bigints([1])})
