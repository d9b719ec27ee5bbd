"""Lists made of segments: who is kept off and why, overrides by people, and who used which segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Literal

from warehouse.clock import today_is
from warehouse.concern_rules import SERVED, Event, MoreThan, events
from warehouse.sql import sql

_MEMBERS: Final = SQL("= ANY (%(members)s::uuid[])")
"""As a list of clients, and no subquery, it is asked of the views' tables."""


@dataclass(frozen=True, slots=True)
class Ban:
    """Values of a golden attribute that forbid contact; with `others`, all values but these."""

    attribute: str
    values: Sequence[str]
    others: bool = False


@dataclass(frozen=True, slots=True)
class GuardRules:
    """What keeps clients off lists for one purpose."""

    bans: Sequence[Ban]
    complaints: Sequence[Event] | None = None
    complaints_since: int = 0
    promises_since: int | None = None
    pressure: MoreThan | None = None
    """Whoever has as many contacts as were agreed: the list would bring one more."""

    def queries(self) -> list[tuple[str, Composable]]:
        """Guard -> the clients that it keeps off."""
        found: list[tuple[str, Composable]] = []
        if self.complaints is not None:
            of = events(self.complaints, SERVED, among=_MEMBERS)
            found.append(
                ("open_complaint", sql("guards.complaints").format(of=of, since=Literal(self.complaints_since)))
            )
        if self.promises_since is not None:
            found.append(
                ("broken_promise", sql("guards.promises").format(since=Literal(self.promises_since), among=_MEMBERS))
            )
        if self.pressure is not None:
            found.append(("contact_pressure", self.pressure.query(SERVED, among=_MEMBERS)))
        return found


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody read or exported a segment."""

    who: str
    how: str
    scheme: str
    segment: str | None = None
    purpose: str | None = None
    clients: int | None = None
    left_out: int | None = None


def served_segments(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Scheme and segment of the schemes that are served, in the order of segments.yaml."""
    return [(scheme, segment) for scheme, segment in conn.execute(sql("guards.served_segments"))]


def members(
    conn: psycopg.Connection[Any],
    scheme: str,
    segment: str,
    purpose: str,
    rules: GuardRules,
    *,
    today: date,
    after: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The clients of a segment of a served scheme by id, on from an id (None: all), each with `left_out` (why it is
    kept off the list; none: it is on it), `overridden` and by whom. In the caller's transaction."""
    today_is(conn, today)
    conn.execute(sql("guards.members"), {"scheme": scheme, "segment": segment, "after": after, "limit": limit})
    found = [row[0] for row in conn.execute(sql("guards.member_ids"))]
    conn.execute(sql("guards.reasons"))
    conn.execute(sql("guards.erased"))
    for ban in rules.bans:
        values = {"attribute": ban.attribute, "values": [one.lower() for one in ban.values], "others": ban.others}
        conn.execute(sql("guards.ban"), values)
    for guard, query in rules.queries():
        asked = {"guard": guard, "today": today, "members": found}
        conn.execute(sql("guards.guard").format(query=query), asked)
    rows = _dicts(conn, "list", {"purpose": purpose, "today": today})
    conn.execute(SQL("DROP TABLE list_reason, list_member"))
    return rows


def override(
    conn: psycopg.Connection[Any],
    client_id: str,
    *,
    purpose: str,
    guards: Sequence[str],
    reason: str,
    by: str,
    at: datetime,
    until: date,
) -> int:
    """Keep a person's word that guards do not hold for a client; its number."""
    said = {"client_id": client_id, "purpose": purpose, "guards": list(guards), "reason": reason, "by": by}
    row = conn.execute(sql("guards.override"), {**said, "at": at, "until": until}).fetchone()
    assert row is not None
    return int(row[0])


def end_override(conn: psycopg.Connection[Any], override_id: int, *, by: str, at: datetime) -> bool:
    """Take one back; False: there is none that was not."""
    return conn.execute(sql("guards.end_override"), {"override_id": override_id, "by": by, "at": at}).rowcount > 0


def overrides(conn: psycopg.Connection[Any], *, today: date, limit: int = 1000) -> list[dict[str, Any]]:
    """Overrides, the latest first, also those that are over."""
    return _dicts(conn, "overrides", {"today": today, "limit": limit})


def note_use(conn: psycopg.Connection[Any], use: Use, *, at: datetime) -> None:
    """Write down that a segment was used."""
    names = ("who", "how", "purpose", "scheme", "segment", "clients", "left_out")
    conn.execute(sql("guards.note_use"), {**{name: getattr(use, name) for name in names}, "at": at})


def uses(conn: psycopg.Connection[Any], *, scheme: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Who used segments, the latest first."""
    return _dicts(conn, "uses", {"scheme": scheme, "limit": limit})


def last_uses(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Of each served scheme: review_on, used_at (None: never), began_at where it never was."""
    return _dicts(conn, "last_uses", {})


def _dicts(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"guards.{statement}"), parameters).fetchall()
