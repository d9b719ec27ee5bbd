"""What made the stored results: fingerprints of mappings and rules in `ops.definition`, so that a change is
noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg

from warehouse.sql import sql


def stored(conn: psycopg.Connection[Any], kind: str) -> dict[str, UUID]:
    """Name -> fingerprint of everything of one kind that is in force."""
    return {row[0]: row[1] for row in conn.execute(sql("fingerprints.stored"), {"kind": kind})}


def remember(conn: psycopg.Connection[Any], kind: str, values: Mapping[str, UUID]) -> None:
    """Put these fingerprints in force; others of the kind stay."""
    for name, value in values.items():
        conn.execute(sql("fingerprints.remember"), {"kind": kind, "name": name, "fingerprint": value})
