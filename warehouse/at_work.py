"""Long work that others may look at meanwhile: whether somebody is at it, for as long as their session lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from warehouse.sql import sql


@contextmanager
def worked_at(conn: psycopg.Connection[Any], what: str) -> Iterator[None]:
    """Until the end of the block, or of the connection, `is_worked_at` says so."""
    conn.execute(sql("at_work.begin"), {"what": what})
    try:
        yield
    finally:
        conn.execute(sql("at_work.end"), {"what": what})


def is_worked_at(conn: psycopg.Connection[Any], what: str) -> bool:
    """Whether somebody is at it, also while that waits for something else."""
    found = conn.execute(sql("at_work.is_worked_at"), {"what": what}).fetchone()
    return found is not None and bool(found[0])
