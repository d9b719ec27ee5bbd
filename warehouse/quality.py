"""What is wrong with the data: identifiers that are not valid, values that say nothing, input that was refused.

Counts end at `COUNTED` and rows come in pages, all by indexes, so that a page of the console may ask for them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from warehouse.sql import sql

Rows = list[dict[str, Any]]

COUNTED: Final = 50_000
"""More of one kind are told as so many."""


REASONS_OF: Final = 20_000
"""Refused rows of a source whose reasons are counted."""


class RejectPlace(NamedTuple):
    """Behind which reject a page of them goes on."""

    first_at: str
    fingerprint: str


def invalid(conn: psycopg.Connection[Any]) -> Rows:
    """type, found: identifiers that are not valid, up to `COUNTED` of each type."""
    return _ask(conn, "invalid", most=COUNTED)


def invalid_rows(conn: psycopg.Connection[Any], kind: str, *, after: int, limit: int) -> Rows:
    """The identifiers of a type that are not valid, of `limit` records behind the one of this number: record_id, value,
    reason, source, stream, source_key, kind, client_id."""
    return _ask(conn, "invalid_rows", type=kind, after=after, limit=limit)


def generic(conn: psycopg.Connection[Any]) -> Rows:
    """kind, type, found, names: values with too many names behind them, and the most names behind one."""
    return _ask(conn, "generic")


def generic_rows(conn: psycopg.Connection[Any], kind: str, *, limit: int) -> Rows:
    """kind, value, names of the values of a type that say nothing, most names first."""
    return _ask(conn, "generic_rows", type=kind, limit=limit)


def reject_reasons(conn: psycopg.Connection[Any], source: str) -> Rows:
    """stream, step, reason, found, first_at: what of a source is refused, of at most `REASONS_OF`
    rows."""
    return _ask(conn, "reject_reasons", source=source, most=REASONS_OF)


def reject_rows(
    conn: psycopg.Connection[Any],
    source: str,
    *,
    reason: str | None,
    after: RejectPlace | None,
    limit: int,
    most_bytes: int,
) -> Rows:
    """What of a source is refused, newest first, each with the first `most_bytes` of its payload."""
    at, fingerprint = after or (None, None)
    asked = {"source": source, "reason": reason, "at": at, "after": fingerprint, "limit": limit, "bytes": most_bytes}
    return _ask(conn, "reject_rows", **asked)


def _ask(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> Rows:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"quality.{name}"), parameters).fetchall()
