"""The syncs of sources as their reports tell them, and the last reports of steps that keep what is dear to count."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.sql import sql

Rows = list[dict[str, Any]]

LOOKED_AT: Final = 2_000
"""Runs of a source that a picture of its days is made of, at most."""
RESOLVES: Final = 500
"""Last runs of resolve among which one that looked at all pairs is searched."""


def last(conn: psycopg.Connection[Any], sources: Collection[str], *, limit: int) -> Rows:
    """source, run_id, status, started_at, finished_at, report, hold (its state, or None) of at most `limit` last syncs
    of each of these sources, newest first."""
    return _ask(conn, "last", sources=list(sources), limit=limit)


def ends(conn: psycopg.Connection[Any], source: str, *, since: datetime) -> Rows:
    """started_at, finished_at, status, rows, changed of each sync that began since, oldest first; of the last
    `LOOKED_AT`."""
    return _ask(conn, "ends", source=source, since=since, limit=LOOKED_AT)


def kept(conn: psycopg.Connection[Any], command: str, *, limit: int = 1) -> Rows:
    """run_id, started_at, report of the last runs of a command of the hub that ended well, newest first."""
    return _ask(conn, "kept", command=command, limit=limit)


def weights(conn: psycopg.Connection[Any]) -> dict[str, Any] | None:
    """run_id, started_at, model_version, weights (kind -> bin of half a bit -> pairs) of the last whole resolution
    among the last `RESOLVES` runs; None: it is longer ago, or there was none."""
    return next(iter(_ask(conn, "weights", most=RESOLVES)), None)


def _ask(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> Rows:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"source_runs.{name}"), parameters).fetchall()
