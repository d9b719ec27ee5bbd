"""What edited rules do to the stored data, counted on a copy of the hub (`warehouse.backup.copying`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from warehouse.arrays import bigints
from warehouse.sql import qualified, sql

_BEFORE, _NOW = ("before_id", "public.before_client"), ("after_id", "core.client")
"""A side of a comparison: its column in `shared`, and its clients."""
LISTED = 10
"""Clients, and values, that are named."""


class Regrouped(NamedTuple):
    """A client that would hold the records of several, or whose records would go to several."""

    client_id: str
    display_name: str | None
    clients: int
    records: int
    names: Sequence[str | None]
    """Of the others, those with most records first."""


class Standing(NamedTuple):
    """Where a record stands."""

    client_id: str | None
    """None: it belongs to no client."""
    attributes: dict[str, Any] | None
    """The golden values of its client."""


def keep_before(conn: psycopg.Connection[Any]) -> None:
    """Note on the copy how everything stands, before anything is done to it."""
    conn.execute(sql("plan.keep"))


def remapped(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Records by source and stream whose standard form or fact is another now: changed, new, gone."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("plan.remapped")).fetchall()


def clients(conn: psycopg.Connection[Any]) -> tuple[int, int, int]:
    """Clients before and now, and records that have moved from one to another."""
    row = conn.execute(sql("plan.clients")).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def regrouped(conn: psycopg.Connection[Any]) -> tuple[tuple[int, list[Regrouped]], tuple[int, list[Regrouped]]]:
    """How many clients hold the records of several of before, and how many of before are several now; the largest."""
    conn.execute(sql("plan.find_regrouped"))
    return _several(conn, _NOW, _BEFORE), _several(conn, _BEFORE, _NOW)


def _several(
    conn: psycopg.Connection[Any], own: tuple[str, str], other: tuple[str, str]
) -> tuple[int, list[Regrouped]]:
    query = sql("plan.regrouped").format(
        own=Identifier(own[0]),
        own_clients=qualified(own[1]),
        other=Identifier(other[0]),
        other_clients=qualified(other[1]),
    )
    rows = conn.execute(query, {"limit": LISTED}).fetchall()
    return rows[0][0] if rows else 0, [Regrouped(*row[1:]) for row in rows]


def values(conn: psycopg.Connection[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Golden values of clients that were there before: by attribute changed, filled, emptied; and some of them."""
    conn.execute(sql("plan.find_values"))
    with conn.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(sql("plan.values")).fetchall()
        return counts, cursor.execute(sql("plan.value_examples"), {"limit": LISTED}).fetchall()


def cases(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    """Cases that are opened and closed."""
    row = conn.execute(sql("plan.cases")).fetchone()
    assert row is not None
    return row[0], row[1]


def count_rows(conn: psycopg.Connection[Any], view: str) -> int | None:
    """Rows of a view of onefold_v1 that are not deleted; None where there is none of this name. Of any hub."""
    columns = {row[0] for row in conn.execute(sql("plan.columns"), {"view": view})}
    if not columns:
        return None
    condition = SQL("NOT is_deleted") if "is_deleted" in columns else SQL("true")
    query = sql("plan.count").format(view=Identifier("onefold_v1", view), condition=condition)
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else None


def standings(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> dict[str, Standing]:
    """Where these records stand, by source:stream:key; those that are not landed are left out. Of any hub."""
    rows = conn.execute(sql("plan.links_of"), {"record_ids": bigints(record_ids)})
    return {row[0]: Standing(row[1], row[2]) for row in rows}
