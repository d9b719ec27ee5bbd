"""What dealings show, feature by feature, for suggestions of needs. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from warehouse.sql import sql

Shown = tuple[str, str, str, bool]
"""Interaction type, what is looked at, value or stem, whether it is a word."""


def read(
    conn: psycopg.Connection[Any], *, minimum: int, clients: int, features: int
) -> tuple[list[tuple[Shown, float]], list[tuple[int, int, int]], list[tuple[int, str, int]]]:
    """Features with their share of the dealings of their type; (client, place of the feature, dealings); (client, type,
    dealings).

    Of at most so many clients with the minimum of dealings, which are numbered from 0. In the caller's transaction.
    """
    conn.execute(sql("discovery.clients"), {"minimum": minimum, "most": clients})
    for statement in ("dealings", "shown"):
        conn.execute(sql(f"discovery.{statement}"))
    found = [((row[0], row[1], row[2], row[3]), float(row[4])) for row in _rows(conn, "features", {"most": features})]
    names = ("types", "looked", "values", "words")
    known = {name: [feature[at] for feature, _ in found] for at, name in enumerate(names)}
    counts = [(row[0], row[1], row[2]) for row in _rows(conn, "counts", known)]
    return found, counts, [(row[0], row[1], row[2]) for row in _rows(conn, "dealings_of", None)]


def spelling(conn: psycopg.Connection[Any], stems: Sequence[str]) -> dict[str, str]:
    """Stem -> the word in which it stands most often; after `read`, in its transaction."""
    return dict(conn.execute(sql("discovery.spelling"), {"stems": list(stems)}).fetchall())


def _rows(conn: psycopg.Connection[Any], statement: str, parameters: dict[str, Any] | None) -> Sequence[Any]:
    return conn.execute(sql(f"discovery.{statement}"), parameters).fetchall()
