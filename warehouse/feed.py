"""The change feed, read on from a number; and waiting for more without asking again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from warehouse.sql import sql

CHANNEL: Final = "onefold_changes"
"""What every transaction that adds change events notifies, with the last of their numbers."""
_PAGE: Final = 5_000


class Change(NamedTuple):
    """One change event, as `onefold_v1.change_feed` serves it."""

    changed_seq: int
    changed_at: datetime
    change: str
    client_id: UUID | None
    payload: dict[str, Any]


def last_change(conn: psycopg.Connection[Any]) -> int:
    """The number of the last change event; 0 before the first."""
    row = conn.execute(sql("feed.last")).fetchone()
    return int(row[0]) if row else 0


def changes_after(conn: psycopg.Connection[Any], after: int, limit: int | None = None) -> Iterator[Change]:
    """The change events behind a number, in order, at most `limit`; those that are committed when a page is read.

    Numbers are given under the hub lock and so in order of commits: nothing comes in later before what was read.
    """
    left = limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(_PAGE, left)
        rows = conn.execute(sql("feed.after"), {"after": after, "limit": page}).fetchall()
        for row in rows:
            yield Change(*row)
        if len(rows) < page:
            return
        after = rows[-1][0]
        left = None if left is None else left - len(rows)


def follow(
    conn: psycopg.Connection[Any], after: int, *, is_over: Callable[[], bool] = lambda: False, patience: float = 30.0
) -> Iterator[Change]:
    """The change events behind a number, then each that comes, until `is_over`; asked after `patience` seconds at the
    latest. `conn` commits by itself (autocommit) and does nothing else meanwhile."""
    conn.execute(sql("feed.listen"))
    try:
        while True:
            # Listening since before this look: what is committed after it is notified.
            for change in changes_after(conn, after):
                after = change.changed_seq
                yield change
            if is_over():
                return
            for _ in conn.notifies(timeout=patience, stop_after=1):
                pass
    finally:
        if not conn.closed:
            conn.execute(sql("feed.unlisten"))
