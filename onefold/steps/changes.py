"""changes: the change feed, read on from a number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from warehouse import feed

if TYPE_CHECKING:
    from onefold.context import Context

LAST = 20
"""Change events that are shown when nobody says from where."""


def changes(
    context: Context, *, after: int | None = None, limit: int | None = None, follow: bool = False
) -> Iterator[feed.Change]:
    """The change events behind `after`, at most `limit`; with `follow` also those that come, for ever.

    Without `after`: the last 20, or with `follow` only what comes from now on.
    """
    with context.connection("onefold changes") as conn:
        if after is None:
            last = feed.last_change(conn)
            after = last if follow else max(0, last - (limit or LAST))
        if follow:
            yield from islice(feed.follow(conn, after), limit)
        else:
            yield from feed.changes_after(conn, after, limit)
