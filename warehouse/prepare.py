"""The slow part of a migration before it: indexes of large tables are built while others write (CONCURRENTLY).

Columns and indexes that nobody asks for yet disturb no older version. The migration then finds them and goes on
(`warehouse/migrations/env.py`); one that is stopped here goes on from where it was, the next time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from warehouse.connect import connect
from warehouse.exclusive import LocksRefused, attempts, refused
from warehouse.sql import qualified, sql

LARGE: Final = 16 * 1024 * 1024
"""Bytes of a table from which its indexes are built beforehand: below, it takes less than a second."""
_INDEX: Final = re.compile(r"^CREATE (?P<unique>UNIQUE )?INDEX (?P<name>\w+) ON (?P<table>\w+\.\w+) (?P<rest>.+)$")
_COLUMN: Final = re.compile(r"^ALTER TABLE (?P<table>\w+\.\w+) ADD COLUMN (?P<rest>.+)$")
_DROP: Final = re.compile(r"^DROP INDEX (?P<name>[\w.]+)$")


def before(pending: Iterable[str], is_large: Callable[[str], bool]) -> list[str]:
    """Of the statements of pending migrations those that can be run beforehand: columns and indexes of large tables,
    but for indexes that are dropped on the way, and columns that rows must be filled for."""
    found: list[str] = []
    lines = list(pending)
    dropped = {m["name"].rpartition(".")[2] for line in lines if (m := _DROP.match(line))}
    for line in lines:
        if (m := _COLUMN.match(line)) and is_large(m["table"]):
            if "NOT NULL" not in line or " DEFAULT " in line:
                found.append(f"ALTER TABLE {m['table']} ADD COLUMN IF NOT EXISTS {m['rest']}")
        elif (m := _INDEX.match(line)) and is_large(m["table"]) and m["name"] not in dropped:
            found.append(line)
    # Without an index on it a column can wait for its migration.
    tables = {m["table"] for line in found if (m := _INDEX.match(line))}
    return [line for line in found if not (m := _COLUMN.match(line)) or m["table"] in tables]


def prepare(url: str, pending: Iterable[str], *, patience: float, large: int = LARGE) -> list[str]:
    """Run what can be run beforehand, each statement by itself; which they were. Raises `LocksRefused`."""
    with connect(url, application_name="onefold migrate") as conn:
        wanted = before(pending, lambda table: _size(conn, table) >= large)
        if wanted:
            _take_turns(conn, patience)
        for line in wanted:
            if m := _INDEX.match(line):
                _index(conn, url, m, patience)
            else:
                _column(conn, url, line, patience)
    return wanted


def _take_turns(conn: psycopg.Connection[Any], patience: float) -> None:
    """One process prepares at a time, until its connection ends. A session that waited inside a statement would hold a
    snapshot, for which the other's index waits."""
    for left in attempts(patience):
        row = conn.execute(sql("migrate.try_preparing")).fetchone()
        if row is not None and row[0]:
            return
        if not left:
            raise LocksRefused(())


def _size(conn: psycopg.Connection[Any], table: str) -> int:
    row = conn.execute(sql("migrate.size"), {"table": table}).fetchone()
    return int(row[0] or 0) if row else 0


def _column(conn: psycopg.Connection[Any], url: str, line: str, patience: float) -> None:
    for left in attempts(patience):
        try:
            with conn.transaction(), refused(conn, url):
                conn.execute(sql("migrate.wait_at_most"), {"milliseconds": 500})
                conn.execute(line.encode())
        except LocksRefused:
            if not left:
                raise
        else:
            return


def _index(conn: psycopg.Connection[Any], url: str, wanted: re.Match[str], patience: float) -> None:
    name = f"{wanted['table'].partition('.')[0]}.{wanted['name']}"
    row = conn.execute(sql("migrate.index_state"), {"name": name}).fetchone()
    if row is not None and row[0]:
        return
    if row is not None:
        # Whoever built it was stopped.
        conn.execute(sql("migrate.drop_index").format(name=qualified(name)))
    statement = (
        f"CREATE {wanted['unique'] or ''}INDEX CONCURRENTLY {wanted['name']} ON {wanted['table']} {wanted['rest']}"
    )
    with _session_patience(conn, patience), refused(conn, url):
        conn.execute(statement.encode())


@contextmanager
def _session_patience(conn: psycopg.Connection[Any], patience: float) -> Iterator[None]:
    conn.execute(sql("migrate.session_waits_at_most"), {"milliseconds": max(1, int(patience * 1000))})
    try:
        yield
    finally:
        conn.execute(sql("migrate.session_waits_at_most"), {"milliseconds": 0})
