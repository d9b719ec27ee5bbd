"""What the pages of segments ask: schemes with their checks, how many clients are in each segment and who, what they
have in common, and who came and went. Read-only, plain values.

Nothing is counted over more clients than a sample takes. Ids of clients are hashes, so that those up to a bound are a
fair sample, which an index reads alone; where all clients fit into it the figures are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from warehouse.sql import sql
from warehouse.standing import standing

Answer = dict[str, Any]
_LAST: Final = 2**128 - 1
LOOKED_AT: Final = 3_000
"""Clients whose rows are read."""
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The clients whose id is at most `until`: the `share` of all."""

    until: UUID
    share: float

    def of_all(self, found: int) -> int:
        """About how many there are of all clients where the sample has `found`."""
        return round(found / self.share)

    @property
    def is_all(self) -> bool:
        """Nobody is left out."""
        return self.share == 1


def sample(conn: psycopg.Connection[Any], most: int) -> Sample:
    """About so many clients, or all."""
    clients, _ = standing(conn)
    share = min(1.0, most / max(clients, 1))
    return Sample(UUID(int=_LAST if share == 1 else int(share * _LAST)), share)


def schemes(conn: psycopg.Connection[Any]) -> list[Answer]:
    """All schemes with what their last check found."""
    return _all(conn, sql("segment_pages.schemes"), {})


def used(conn: psycopg.Connection[Any], among: Sample) -> dict[str, Answer]:
    """Served scheme -> review_on, used_at (None: never), began_at (where it was never used)."""
    return {row["scheme"]: row for row in _all(conn, sql("segment_pages.used"), {"until": among.until})}


def segments(conn: psycopg.Connection[Any], scheme: str | None = None) -> list[Answer]:
    """The segments of one scheme or of all, in the order of segments.yaml."""
    return _all(conn, sql("segment_pages.segments"), {"scheme": scheme})


def sizes(conn: psycopg.Connection[Any], scheme: str | None, among: Sample) -> dict[tuple[str, str | None], int]:
    """(scheme, segment) -> how many clients of the sample are in it now; segment None: are unknown."""
    rows = _all(conn, sql("segment_pages.sizes"), {"scheme": scheme, "until": among.until})
    return {(row["scheme"], row["segment"]): row["clients"] for row in rows}


def counts(
    conn: psycopg.Connection[Any], scheme: str | None, among: Sample
) -> tuple[dict[tuple[str, str | None], int], bool]:
    """(scheme, segment) -> how many clients of all are in it now, as `sizes`; and whether that is exact. Where no look
    has noted it since an upgrade, it is reckoned from the sample."""
    rows = _all(conn, sql("segment_pages.counts"), {"scheme": scheme})
    if all(row["clients"] is not None for row in rows):
        return {(row["scheme"], row["segment"]): row["clients"] for row in rows}, True
    return {place: among.of_all(number) for place, number in sizes(conn, scheme, among).items()}, among.is_all


def reasons(conn: psycopg.Connection[Any], scheme: str, among: Sample) -> list[Answer]:
    """Why clients of the sample are unknown, most first."""
    return _all(conn, sql("segment_pages.reasons"), {"scheme": scheme, "until": among.until})


def needs(conn: psycopg.Connection[Any], among: Sample) -> list[Answer]:
    """The catalogue of needs, and how many clients of the sample have each by which origin."""
    return _all(conn, sql("segment_pages.needs"), {"until": among.until})


def moves(conn: psycopg.Connection[Any], scheme: str, among: Sample, *, since: datetime) -> list[Answer]:
    """By segment, month and reason how many clients of the sample entered and `left_it`, the oldest first."""
    return _all(conn, sql("segment_pages.moves"), {"scheme": scheme, "until": among.until, "since": since})


def composition(conn: psycopg.Connection[Any], scheme: str, among: Sample) -> list[Answer]:
    """Of each segment (None: unknown) and need in how many `clients` of the sample it is held to be there; need None:
    in so many none is."""
    return _all(conn, sql("segment_pages.composition"), {"scheme": scheme, "until": among.until})


def dots(conn: psycopg.Connection[Any], scheme: str, among: Sample, *, limit: int) -> list[Answer]:
    """Clients of the sample that show a need at all, without their names: `segment`, `needs` and, place by place, their
    `lifts`: how many times as often as expected."""
    return _all(conn, sql("segment_pages.dots"), {"scheme": scheme, "until": among.until, "limit": limit})


def members(
    conn: psycopg.Connection[Any], scheme: str, segment: str | None, *, limit: int, after: UUID = NOBODY
) -> list[Answer]:
    """A page of the clients of a segment by their id, or of the unknown ones (None), behind the client `after`."""
    of = SQL("c.segment IS NULL") if segment is None else SQL("c.segment = %(segment)s")
    asked = {"scheme": scheme, "segment": segment, "limit": limit, "after": after}
    return _all(conn, sql("segment_pages.members").format(of=of), asked)


def _all(conn: psycopg.Connection[Any], statement: SQL | Composed, parameters: Mapping[str, Any]) -> list[Answer]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()
