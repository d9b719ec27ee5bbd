"""What is to be mended in the registers themselves: duplicates, and values that are wrong there.

An entry is opened when a client is looked at and shows it, and closed when the client is looked at and shows it no
more. In the caller's transaction under the hub lock; only differences are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.arrays import bigints
from warehouse.sql import sql

if TYPE_CHECKING:
    from warehouse.golden import ClientRange
    from warehouse.queue import Batch

QUEUE: Final = "fixes"
TIES: Final = ("longest", "natural key", "frequent", "most_restrictive", "stated")
"""Rules by which a value loses without being any worse."""
_MANY: Final = 1000
"""Records from which the tables of one look are worth counting for the planner."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration says of attributes."""

    identifying: Sequence[str]
    """Of these two different values contradict each other, by whatever rule the one lost."""
    mapped: Sequence[str]
    """`source:stream:attribute` of what registers state."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look changed."""

    opened: int = 0
    closed: int = 0

    def __add__(self, other: Looked) -> Looked:
        return Looked(self.opened + other.opened, self.closed + other.closed)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: None means all."""

    source: str | None = None
    kind: str | None = None
    attribute: str | None = None
    client_id: str | None = None
    pairs: Sequence[str] | None = None
    """`source:attribute`, of a duplicate `source`."""
    is_open: bool = True


def hand_on(conn: psycopg.Connection[Any], batch: Batch) -> None:
    """Queue the client records of what publish has worked."""
    conn.execute(sql("source_fixes.hand_on"), {"record_ids": bigints(batch.record_ids)})


def forget_queue(conn: psycopg.Connection[Any]) -> None:
    """Take out what waits, since everything is looked at next."""
    conn.execute(sql("source_fixes.forget_queue"))


def look(conn: psycopg.Connection[Any], record_ids: Sequence[int], known: Known, *, at: datetime) -> Looked:
    """Bring the entries of the clients of these records up to what is published of them."""
    conn.execute(sql("source_fixes.clients_of"), {"record_ids": bigints(record_ids)})
    return _look(conn, known, at, is_large=len(record_ids) > _MANY)


def look_at_range(conn: psycopg.Connection[Any], clients: ClientRange, known: Known, *, at: datetime) -> Looked:
    """The same of all clients of a range of ids."""
    conn.execute(sql("source_fixes.clients_between"), {"first": clients.first, "last": clients.last})
    return _look(conn, known, at, is_large=True)


def _look(conn: psycopg.Connection[Any], known: Known, at: datetime, *, is_large: bool) -> Looked:
    # Each table is counted before it is joined: else the planner goes through all records for each range of clients.
    if is_large:
        conn.execute(sql("source_fixes.analyse_clients"))
    conn.execute(sql("source_fixes.records"))
    if is_large:
        conn.execute(sql("source_fixes.analyse_records"))
    parameters = {"identifying": list(known.identifying), "mapped": list(known.mapped), "ties": list(TIES)}
    conn.execute(sql("source_fixes.find"), parameters)
    closed = _count(conn, "close", at)
    conn.execute(sql("source_fixes.refresh"))
    opened = _count(conn, "open", at)
    conn.execute(sql("source_fixes.drop"))
    return Looked(opened, closed)


def listed(conn: psycopg.Connection[Any], wanted: Wanted, *, after: int = 0, limit: int | None) -> list[dict[str, Any]]:
    """Entries, oldest first, on from the entry `after`: each with its record, the other one, and the ways to their
    cards."""
    parameters = {
        **{name: getattr(wanted, name) for name in ("source", "kind", "attribute", "client_id", "is_open")},
        "pairs": None if wanted.pairs is None else list(wanted.pairs),
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("source_fixes.list"), {**parameters, "after": after, "limit": limit}).fetchall()


def counts(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """How many are open: source, kind, attribute (None: of records), entries."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("source_fixes.counts")).fetchall()


def pairs(conn: psycopg.Connection[Any]) -> list[tuple[str, str | None]]:
    """Register and attribute (None: records) of all entries there ever were."""
    return conn.execute(sql("source_fixes.pairs")).fetchall()


def by_week(conn: psycopg.Connection[Any], at: datetime, source: str | None = None) -> list[dict[str, Any]]:
    """Of the last twelve weeks: week_on (its Monday), opened, closed, open_at_end."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("source_fixes.by_week"), {"at": at, "source": source}).fetchall()


def _count(conn: psycopg.Connection[Any], statement: str, at: datetime) -> int:
    row = conn.execute(sql(f"source_fixes.{statement}"), {"at": at}).fetchone()
    assert row is not None
    return int(row[0])
