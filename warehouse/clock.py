"""The hub lock, and what moves under it only: `as_of` and the ids of change events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg.sql import Literal

from warehouse.connect import unit_of_work
from warehouse.sql import sql

HUB_LOCK: Final = 0x6F6E65666F6C64
"""Key of the advisory lock (locks are per database)."""


def hub_lock(conn: psycopg.Connection[Any]) -> None:
    """Wait for the hub lock and hold it until the transaction ends: resolve, publish and judgements take
    turns.
    """
    conn.execute(sql("clock.lock"), {"key": HUB_LOCK})


@contextmanager
def one_moment(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction in which every statement sees the same moment (repeatable read)."""
    with unit_of_work(conn):
        conn.execute(sql("clock.repeatable_read"))
        yield


def reads_only(conn: psycopg.Connection[Any]) -> None:
    """The open transaction can write nothing from here on."""
    conn.execute(sql("clock.read_only"))


def today_is(conn: psycopg.Connection[Any], day: date) -> None:
    """Served views take `day` for today, until the open transaction ends."""
    conn.execute(sql("clock.today_is"), {"day": day.isoformat()})


def time_zone(conn: psycopg.Connection[Any]) -> str | None:
    """The time zone in which the served views tell the day; None: UTC."""
    row = conn.execute(sql("clock.time_zone")).fetchone()
    return None if row is None else row[0]


def keep_time_zone(conn: psycopg.Connection[Any], zone: str | None) -> None:
    """Let the served views tell the day in `zone`; under the hub lock."""
    if time_zone(conn) != zone:
        conn.execute(sql("clock.keep_time_zone"), {"zone": zone})


@contextmanager
def same_moment(conn: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction of `other` in which it sees the moment that the open transaction of `conn` sees (repeatable read),
    so that both can read at once; of what `conn` itself has written it sees nothing."""
    row = conn.execute(sql("clock.export_snapshot")).fetchone()
    assert row is not None
    with one_moment(other):
        other.execute(sql("clock.import_snapshot").format(snapshot=Literal(row[0])))
        yield


@contextmanager
def one_view(conn: psycopg.Connection[Any], key: int = HUB_LOCK) -> Iterator[None]:
    """A transaction under the hub lock, or that of `key`, in which every statement sees the same moment (repeatable
    read).

    Standardise commits without the hub lock: read statement by statement, records of before and identifiers of after
    its commit would be compared. The session takes the lock first: a snapshot taken while waiting would be old.
    """
    conn.execute(sql("clock.lock_session"), {"key": key})
    try:
        with one_moment(conn):
            yield
    finally:
        if not conn.broken:
            conn.execute(sql("clock.unlock_session"), {"key": key})


def next_as_of(conn: psycopg.Connection[Any], clock: Callable[[], datetime]) -> datetime:
    """max(clock now, last as_of + 1 microsecond), remembered; call it after `hub_lock`, so that it never goes
    back.
    """
    row = conn.execute(sql("clock.next_as_of"), {"now": clock()}).fetchone()
    assert row is not None
    as_of: datetime = row[0]
    return as_of


def last_event(conn: psycopg.Connection[Any]) -> int:
    """The id of the last change event; 0 before the first."""
    row = conn.execute(sql("clock.last_event")).fetchone()
    assert row is not None
    return int(row[0])


def allocate_events(conn: psycopg.Connection[Any], count: int) -> int:
    """The first of `count` contiguous event ids; under the hub lock, so id order is commit order."""
    row = conn.execute(sql("clock.allocate_events"), {"count": count}).fetchone()
    assert row is not None
    return int(row[0]) - count + 1
