"""What is kept only for a time: deleted in batches, each a short transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.sql import SQL

from warehouse.sql import qualified, sql

TABLES: Final = {
    "raw_versions": "raw.record_version",
    "rejects": "ops.reject",
    "runs": "ops.run",
    "access_log": "ops.access_log",
}
"""What can be kept for a time -> its table."""
BATCH: Final = 10_000


def apply(
    conn: psycopg.Connection[Any],
    before: Mapping[str, datetime],
    *,
    batch: int = BATCH,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Delete what is older than `before` says of each, and clean up after; rows by name. `conn` is in autocommit."""
    deleted = dict.fromkeys(before, 0)
    for name, moment in before.items():
        while count := conn.execute(sql(f"retention.{name}"), {"before": moment, "limit": batch}).rowcount:
            deleted[name] += count
            advance(count)
            if count < batch:
                break
    tables = [qualified(TABLES[name]) for name, count in deleted.items() if count]
    if tables:
        conn.execute(sql("retention.vacuum").format(tables=SQL(", ").join(tables)))
    return deleted
