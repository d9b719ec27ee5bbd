"""The change feed, read on from a number, and waiting for more without asking again and again.

FeedClearedError: who has read so little must read the views anew.
"""

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


class FeedClearedError(Exception):
    """Change events behind the number asked for are no longer kept."""

    def __init__(self, after: int, floor: int) -> None:
        self.after, self.floor = after, floor
        super().__init__(
            f"You have read up to change {after}, but those up to {floor} are no longer kept. Note max(changed_seq) of"
            " onefold_v1.meta_dataset, then read the views that you copy anew, and go on from that number"
        )


def last_change(conn: psycopg.Connection[Any]) -> int:
    """The number of the last change event; 0 before the first."""
    row = conn.execute(sql("feed.last")).fetchone()
    return int(row[0]) if row else 0


def floor_of(conn: psycopg.Connection[Any]) -> int:
    """The change events up to this number are no longer in the feed; 0: all are."""
    row = conn.execute(sql("feed.floor")).fetchone()
    return int(row[0]) if row else 0


def changes_after(conn: psycopg.Connection[Any], after: int, limit: int | None = None) -> Iterator[Change]:
    """The change events behind a number, in order, at most `limit`; those that are committed when a page is read.

    Numbers are given under the hub lock and so in order of commits: nothing comes in later before what was read.
    Raises `FeedClearedError` where the next one is no longer kept.
    """
    left = limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(_PAGE, left)
        rows = conn.execute(sql("feed.after"), {"after": after, "limit": page}).fetchall()
        # Asked afterwards: what was cleared while the page was read is seen.
        if (floor := floor_of(conn)) > after:
            raise FeedClearedError(after, floor)
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
