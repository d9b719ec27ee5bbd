"""changes: the change feed, read on from a number or from where a registered reader is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from onefold.errors import NothingFound, TooLate, UsageError
from warehouse import feed, feed_retention

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

LAST = 20
"""Change events that are shown when nobody says from where."""
_NOTE_EVERY = 1.0
"""Seconds after which it is noted how far a registered reader has read."""


def changes(
    context: Context,
    *,
    after: int | None = None,
    limit: int | None = None,
    follow: bool = False,
    reader: str | None = None,
) -> Iterator[feed.Change]:
    """The change events behind `after`, at most `limit`; with `follow` also those that come, for ever.

    Without `after`: from where `reader` is; else the last 20, or with `follow` only what comes from now on. A `reader`
    is registered by that, and how far it has read is noted when the next is asked for: after a kill some come again,
    none is left out. Raises `TooLate` where the next is no longer kept.
    """
    with context.connection("onefold changes") as conn:
        last = feed.last_change(conn)
        floor = feed.floor_of(conn)
        if reader is not None:
            known = feed_retention.register(conn, reader, floor if after is None else after)
            after = known if after is None else after
        elif after is None:
            after = last if follow else max(floor, last - (limit or LAST))
        found = islice(feed.follow(conn, after), limit) if follow else feed.changes_after(conn, after, limit)
        try:
            yield from found if reader is None else _noted(conn, reader, found)
        except feed.FeedClearedError as late:
            again = f"onefold changes --follow --after {feed.last_change(conn)}"
            raise TooLate(f"{late}.", f"Next, when you have read them: {again}") from late


def _noted(conn: psycopg.Connection, reader: str, found: Iterator[feed.Change]) -> Iterator[feed.Change]:
    read, noted, at = None, None, time.monotonic()
    try:
        for change in found:
            yield change
            read = change.changed_seq
            if time.monotonic() - at >= _NOTE_EVERY:
                feed_retention.acknowledge(conn, reader, read)
                noted, at = read, time.monotonic()
    finally:
        if read is not None and read != noted and not conn.closed:
            feed_retention.acknowledge(conn, reader, read)


def feed_readers(context: Context) -> list[feed_retention.Reader]:
    """Who is registered, and how far each has read."""
    with context.connection("onefold changes") as conn:
        return feed_retention.readers(conn)


def forget_reader(context: Context, name: str) -> None:
    """Keep nothing for this reader any more."""
    with context.connection("onefold changes") as conn:
        if not feed_retention.forget(conn, name):
            raise NothingFound(f"No reader `{name}` is registered.", "`onefold changes --readers` lists them.")


def note_read(context: Context, name: str, read_seq: int) -> None:
    """A reader that reads by SQL says how far it is; one that is new is registered. Raises UsageError for a number that
    the hub has not come to: what comes would count as read."""
    with context.connection("onefold changes") as conn:
        if read_seq > (last := feed.last_change(conn)):
            raise UsageError(
                f"The hub has come to change {last} only.", "Was it restored or made anew? Then read the views anew."
            )
        feed_retention.register(conn, name, read_seq)
        feed_retention.acknowledge(conn, name, read_seq)
