"""What the pages of one client tell of its needs: each with its signals and the dealings in which they are seen, and
the segments that it is and was in. Read-only, plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.sql import sql

Answer = dict[str, Any]
LATEST: Final = 3
"""Sightings of a signal that are told at once."""
MOST: Final = 50
"""Segments, now and before, that are told at most."""
_BEFORE_ALL: Final = "-infinity"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of sightings ends. `day`: None of one whose day nobody knows."""

    day: date | None
    record_id: int
    signal_key: int


def of_client(conn: psycopg.Connection[Any], client_id: str) -> dict[str, Any]:
    """Of a client: `needs` (a row for each origin), `signals`, their `latest` sightings, and `segments`; whether the
    hub `knows` needs or serves segments at all."""
    knows = conn.execute(sql("need_pages.is_known")).fetchone()
    if knows is None or not any(knows):
        return {"knows": False, "needs": [], "signals": [], "latest": [], "segments": []}
    asked = {"client_id": client_id, "limit": LATEST}
    with conn.pipeline():
        sent = {part: _ask(conn, part, asked) for part in ("needs", "signals", "latest")}
        sent["segments"] = _ask(conn, "segments", {**asked, "limit": MOST})
        return {"knows": True, **{part: cursor.fetchall() for part, cursor in sent.items()}}


def evidence(
    conn: psycopg.Connection[Any], client_id: str, need: str, *, limit: int, after: Place | None = None
) -> tuple[list[Answer], Place | None]:
    """A page of the sightings of a need of a client, latest first, and where it ends; None: there is no more."""
    day = None if after is None else after.day or _BEFORE_ALL
    place = {
        "day": day,
        "record": None if after is None else after.record_id,
        "key": 0 if after is None else after.signal_key,
    }
    asked = {"client_id": client_id, "need": need, "limit": limit, **place}
    rows = _ask(conn, "evidence", asked).fetchall()
    if len(rows) < limit:
        return rows, None
    last = rows[-1]
    day = None if last["day"] == _BEFORE_ALL else date.fromisoformat(last["day"])
    return rows, Place(day, last["record_id"], last["signal_key"])


def _ask(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[Answer]:
    return conn.cursor(row_factory=dict_row).execute(sql(f"need_pages.{statement}"), parameters)
