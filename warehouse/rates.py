"""Exchange rates as sources state them, in core.exchange_rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa

from warehouse import arrow
from warehouse.arrays import bigints
from warehouse.shapes import RATE
from warehouse.sql import sql


def store_rates(conn: psycopg.Connection[Any], rates: pa.Table | None, record_ids: Sequence[int]) -> list[int]:
    """Make `rates` (warehouse.shapes.RATE) all that these records state; those where something changed, to be queued
    for publish. Only differences are written."""
    if not (rates is not None and rates.num_rows):
        row = conn.execute(sql("derived_facts.has_rates")).fetchone()
        if row is None or not row[0]:
            return []
    changed: list[int] = []
    with arrow.staged(conn, "stated_rate", "core.exchange_rate", rates if rates is not None else RATE.empty_table()):
        for statement in ("end_rates", "change_rates", "add_rates"):
            found = conn.execute(sql(f"derived_facts.{statement}"), {"record_ids": bigints(record_ids)})
            changed += [row[0] for row in found]
    return sorted(changed)
