"""How many clients and open cases there are."""

from __future__ import annotations

from typing import Any

import psycopg

from warehouse.sql import sql


def standing(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many clients (parties of any role) have records, and how many review cases are open."""
    row = conn.execute(sql("resolution.standing")).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
