"""What is watched of a hub: freshness, queues, rejects, cases, runs, sizes, spread of weights. Read-only and cheap: by
indexes, catalogues and the last rows, so that a monitor may ask every few seconds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.sql import sql

Rows = list[dict[str, Any]]

SCHEMAS: Final = ("raw", "identity", "core", "ops")
COUNTED: Final = 100_000
"""Entries of a queue that are counted; more are told as so many."""
QUEUES: Final = ("standardise", "in_common", "resolve", "publish", "documents", "fixes", "landed")
"""`models.enums.STEPS`, which takes seconds to import."""
HUB_STEPS: Final = ("run", "standardise", "resolve", "publish", "reconcile")
SOURCE_STEPS: Final = ("sync", "write_back")


def be_quick(conn: psycopg.Connection[Any]) -> None:
    """Give a question of this connection up after eight seconds: a first load locks tables for longer."""
    conn.execute(sql("figures.be_quick"))


def hub(conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """clients (None until a run counted them), change_events, model_version, holds that are open and since when."""
    return _ask(conn, "hub")[0]


def streams(conn: psycopg.Connection[Any]) -> Rows:
    """source, stream and synced_at of each stream that was ever read."""
    return _ask(conn, "streams")


def queues(conn: psycopg.Connection[Any]) -> Rows:
    """step and records that wait for it, at most `COUNTED`; empty ones too."""
    return _ask(conn, "queues", steps=list(QUEUES), most=COUNTED)


def waiting(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Steps that records wait for, with how many: step, records."""
    return [row for row in queues(conn) if row["records"] and row["step"] != "landed"]


def rejects(conn: psycopg.Connection[Any]) -> Rows:
    """source, stream, rejects: what is refused as far as is known."""
    return _ask(conn, "rejects")


def cases(conn: psycopg.Connection[Any]) -> Rows:
    """kind, cases that are open, oldest_at."""
    return _ask(conn, "cases")


def case_ages(conn: psycopg.Connection[Any], now: datetime) -> Rows:
    """Per kind how many cases wait for a day at most, a week, a month, and longer; oldest_at."""
    spans = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
    return _ask(conn, "case_ages", **{name: now - span for name, span in spans.items()})


def case_stakes(conn: psycopg.Connection[Any]) -> dict[str, tuple[int, int]]:
    """Per kind of open case: interactions of all together, and of the largest."""
    return {row["kind"]: (row["impact"], row["most"]) for row in _ask(conn, "case_stakes")}


def unanswered_writes(conn: psycopg.Connection[Any]) -> Rows:
    """source, writes: sent to it, and not known to have arrived."""
    return _ask(conn, "writes")


def last_runs(conn: psycopg.Connection[Any], sources: Collection[str]) -> Rows:
    """command, source (None: the hub), run_id, status, started_at, finished_at; well_at: when one last ended well."""
    return _ask(conn, "last_runs", **_steps(sources))


def durations(conn: psycopg.Connection[Any], sources: Collection[str], *, most: int) -> Rows:
    """command, source, runs and seconds: of at most so many last runs, oldest first."""
    return _ask(conn, "durations", **_steps(sources), most=most)


def spreads(conn: psycopg.Connection[Any], *, most: int) -> Rows:
    """run_id, started_at, model_version, records, spread: of at most so many last runs of resolve, oldest first."""
    return _ask(conn, "spreads", most=most)


def sizes(conn: psycopg.Connection[Any]) -> Rows:
    """schema, table, bytes with its indexes; the largest first."""
    return _ask(conn, "sizes", schemas=list(SCHEMAS))


def database_size(conn: psycopg.Connection[Any]) -> int:
    """Bytes of the whole database."""
    return int(_ask(conn, "database_size")[0]["bytes"])


def _steps(sources: Collection[str]) -> dict[str, Any]:
    return {"steps": list(HUB_STEPS), "source_steps": list(SOURCE_STEPS), "sources": list(sources)}


def _ask(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> Rows:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"figures.{name}"), parameters).fetchall()
