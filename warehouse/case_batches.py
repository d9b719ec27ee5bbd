"""Cases that are decided together: how far that has come, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.sql import sql

Answer = dict[str, Any]


def begin(conn: psycopg.Connection[Any], batch_id: str, kind: str, *, by: str, at: datetime, total: int) -> None:
    """So many cases are decided from now on."""
    said = {"batch_id": batch_id, "kind": kind, "by": by, "at": at, "total": total}
    conn.execute(sql("case_batches.begin"), said)


def came_on(
    conn: psycopg.Connection[Any], batch_id: str, report: Mapping[str, Sequence[str]], *, at: datetime, is_over: bool
) -> None:
    """What became of its cases so far: outcome -> cases."""
    said = {"batch_id": batch_id, "report": Jsonb(dict(report)), "done": sum(map(len, report.values())), "at": at}
    conn.execute(sql("case_batches.came_on"), {**said, "finished_at": at if is_over else None})


def find(conn: psycopg.Connection[Any], batch_id: str) -> Answer | None:
    """batch_id, kind, started_by, started_at, seen_at, finished_at (None: not through), total, done, report."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("case_batches.find"), {"batch_id": batch_id}).fetchone()


def in_force(conn: psycopg.Connection[Any], batch_id: str) -> list[tuple[str, int]]:
    """Case and judgement of its decisions that nobody has taken back, latest first."""
    return conn.execute(sql("case_batches.in_force"), {"batch_id": batch_id}).fetchall()
