"""What somebody is to be told: `ops.notice`. Opened when it comes up, closed when it is over, told once of either."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from warehouse.sql import sql

TASK: Final = "DAG:"
"""Stands behind the kind in the keys of what an orchestrator says of its tasks; only it knows when that is over. In
capitals: no source has such a name."""


def is_of_task(key: str) -> bool:
    """The notice is an orchestrator's."""
    return key.partition(":")[2].startswith(TASK)


class Condition(NamedTuple):
    """Something that is so now and somebody may want to know."""

    kind: str
    key: str
    subject: str
    detail: str


class Notice(NamedTuple):
    """What a channel has not been told yet."""

    notice_id: int
    kind: str
    key: str
    subject: str
    detail: str
    opened_at: datetime
    closed_at: datetime | None
    """None: it lasts."""


def keep(
    conn: psycopg.Connection[Any], conditions: Sequence[Condition], looked_at: Collection[str], *, at: datetime
) -> tuple[list[str], list[str]]:
    """Open what is so now and was not, close what was open among the keys `looked_at` and is not so; the keys of both.

    In the caller's transaction.
    """
    columns = {name: [one[n] for one in conditions] for n, name in enumerate(("kinds", "keys", "subjects", "details"))}
    opened = conn.execute(sql("notices.open"), {**columns, "at": at}).fetchall()
    parameters = {"keys": columns["keys"], "looked_at": list(looked_at), "at": at}
    closed = conn.execute(sql("notices.close"), parameters).fetchall()
    return sorted(row[0] for row in opened), sorted(row[0] for row in closed)


def read_last(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """When each stream that was ever read was read last: source, stream, synced_at."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("notices.read_last")).fetchall()


def open_keys(conn: psycopg.Connection[Any]) -> list[str]:
    """Keys of what lasts."""
    return [row[0] for row in conn.execute(sql("notices.open_keys"))]


def of_tasks(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """What an orchestrator said and is not over, oldest first: kind, subject, detail, opened_at."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("notices.of_tasks")).fetchall()


def untold(conn: psycopg.Connection[Any], channel: str, kinds: Collection[str]) -> list[Notice]:
    """What a channel is still to be told, oldest first: that it came up; or that it is over, if it knew."""
    rows = conn.execute(sql("notices.untold"), {"channel": channel, "kinds": list(kinds)})
    return [Notice(*row) for row in rows]


def mark_told(conn: psycopg.Connection[Any], channel: str, notices: Sequence[Notice]) -> None:
    """The channel has taken these."""
    for name, over in (("told", False), ("told_over", True)):
        ids = [one.notice_id for one in notices if (one.closed_at is not None) is over]
        if ids:
            conn.execute(sql(f"notices.{name}"), {"ids": ids, "channel": channel})
