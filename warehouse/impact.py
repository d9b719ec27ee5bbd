"""How much hangs on records: what a decision about them touches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from warehouse.arrays import bigints
from warehouse.sql import sql


def interactions_of(conn: psycopg.Connection[Any], record_ids: Iterable[int]) -> dict[int, int]:
    """How many interactions these client records have; those without any are left out."""
    rows = conn.execute(sql("impact.interactions_of"), {"record_ids": bigints(record_ids)})
    return {row[0]: row[1] for row in rows}
