"""What is held about one person, for the person: the rows that an erasure would redact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.connect import unit_of_work
from warehouse.erasure.person import find_client
from warehouse.sql import sql

_PARTS: Final = (
    "records",
    "earlier_versions",
    "identifiers",
    "golden_versions",
    "interactions",
    "judgements",
    "written_back",
    "refused",
    "access_log",
)


def held_about(conn: psycopg.Connection[Any], client_id: str) -> dict[str, list[dict[str, Any]]]:
    """Part -> its rows as plain values: everything of the client, whatever id led to it. Writes nothing."""
    found: dict[str, list[dict[str, Any]]] = {}
    with unit_of_work(conn):
        find_client(conn, client_id, keeps_documents=False)
        with conn.cursor(row_factory=dict_row) as cursor:
            for part in _PARTS:
                found[part] = cursor.execute(sql(f"subject.{part}")).fetchall()
    return found


def log_access(
    conn: psycopg.Connection[Any],
    client_ids: Sequence[str],
    *,
    who: str,
    how: str,
    at: datetime,
    rows: int | None = None,
    purpose: str | None = None,
    fields: Sequence[str] | None = None,
) -> None:
    """Write down who looked at which clients, how and what for, how many rows that were, and which attributes were
    shown (None: all); no value of them."""
    if client_ids:
        said = {"client_ids": list(client_ids), "who": who, "how": how, "at": at, "rows": rows}
        shown = None if fields is None else list(fields)
        conn.execute(sql("subject.log_access"), {**said, "purpose": purpose, "fields": shown})


def begin_taking(
    conn: psycopg.Connection[Any], view: str, *, who: str, how: str, at: datetime, purpose: str | None = None
) -> int:
    """Write down who takes a whole view away (or sees rows of it that are of no client), before a row of it is read;
    the line's number."""
    said = {"view": view, "who": who, "how": how, "at": at, "purpose": purpose}
    row = conn.execute(sql("subject.begin_taking"), said).fetchone()
    assert row is not None
    return int(row[0])


def end_taking(conn: psycopg.Connection[Any], access_id: int, *, rows: int) -> None:
    """Write down how many rows were taken."""
    conn.execute(sql("subject.end_taking"), {"access_id": access_id, "rows": rows})
