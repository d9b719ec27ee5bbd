"""Readers of the change feed who are registered, and what is kept of it for them and for a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from warehouse import feed
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work
from warehouse.sql import sql

BATCH = 50_000
"""Numbers that one transaction clears."""


class Reader(NamedTuple):
    """A registered reader of the change feed."""

    name: str
    read_seq: int
    behind: int
    registered_at: datetime
    read_at: datetime | None
    is_too_late: bool
    """Events that it has not read are no longer kept."""


def readers(conn: psycopg.Connection[Any]) -> list[Reader]:
    """Registered readers by name."""
    return [Reader(*row) for row in conn.execute(sql("feed.readers"))]


def register(conn: psycopg.Connection[Any], name: str, read_seq: int) -> int:
    """How far a reader has read; one that is new is registered at `read_seq`: what is behind that is kept for it."""
    row = conn.execute(sql("feed.reader"), {"name": name}).fetchone()
    if row is None:
        # Under the hub lock: nobody clears what it wants meanwhile.
        with unit_of_work(conn):
            hub_lock(conn)
            conn.execute(sql("feed.register"), {"name": name, "read_seq": read_seq})
            row = conn.execute(sql("feed.reader"), {"name": name}).fetchone()
    assert row is not None
    return int(row[0])


def acknowledge(conn: psycopg.Connection[Any], name: str, read_seq: int) -> bool:
    """Note that a reader has read up to a number, also an earlier one; False: there is no such reader."""
    return conn.execute(sql("feed.acknowledge"), {"name": name, "read_seq": read_seq}).rowcount > 0


def forget(conn: psycopg.Connection[Any], name: str) -> bool:
    """Keep nothing for this reader any more; False: there is no such reader."""
    return conn.execute(sql("feed.forget"), {"name": name}).rowcount > 0


def clear(
    conn: psycopg.Connection[Any],
    before: datetime | None,
    unread_before: datetime | None = None,
    *,
    batch: int = BATCH,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Clear change events older than `before` that all registered readers have read, and those older than
    `unread_before`, read or not; how many rows went. `conn` is in autocommit.

    First the feed's floor rises, under the hub lock: no reader sees half of what is cleared. The last event of each
    moment stays unserved, so that `onefold.as_of` finds every moment.
    """
    with unit_of_work(conn):
        hub_lock(conn)
        floor = 0
        if before is not None:
            (read,) = conn.execute(sql("feed.read_by_all")).fetchone() or (None,)
            old = _last_before(conn, before)
            floor = old if read is None else min(old, int(read))
        if unread_before is not None:
            floor = max(floor, _last_before(conn, unread_before))
        if floor <= feed.floor_of(conn):
            floor = feed.floor_of(conn)
        else:
            conn.execute(sql("feed.raise_floor"), {"floor": floor})
    # A run that was stopped here left some: the first is looked for, whatever the floor was.
    (first,) = conn.execute(sql("feed.first_to_clear"), {"floor": floor}).fetchone() or (None,)
    cleared = 0
    while first is not None and first <= floor:
        limits = {"first": first, "past": first + batch, "floor": floor}
        count = conn.execute(sql("feed.clear"), limits).rowcount
        cleared, first = cleared + count, first + batch
        advance(count)
    return cleared


def _last_before(conn: psycopg.Connection[Any], moment: datetime) -> int:
    row = conn.execute(sql("feed.last_before"), {"before": moment}).fetchone()
    return int(row[0]) if row else 0
