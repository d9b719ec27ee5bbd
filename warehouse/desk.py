"""What is done on review cases: whose they are, until when they are put aside, what is said, what waits for a second
person. Callers hold a transaction; what is done is kept beside it, and never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from warehouse.sql import sql

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody did on a case."""

    case: str
    action: str
    by: str
    at: datetime
    assignee: str | None = None
    until: date | None = None
    verdict: str | None = None
    judgement_id: int | None = None
    batch_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision that waits for a second person."""

    proposal_id: int
    verdict: str
    left_ids: Sequence[int]
    right_ids: Sequence[int]
    relationship: str | None
    reason: str | None
    seen: Mapping[str, int]
    proposed_by: str
    proposed_at: str


def lock(conn: psycopg.Connection[Any], case: str) -> str | None:
    """The status of a case, whose row is locked until the end of the transaction; None: there is none."""
    row = conn.execute(sql("desk.lock"), {"case": case}).fetchone()
    return None if row is None else row[0]


def of_case(conn: psycopg.Connection[Any], case: str) -> Answer:
    """assignee and deferred_until of a case."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql("desk.of_case"), {"case": case}).fetchone()
    return found or {"assignee": None, "deferred_until": None}


def assign(conn: psycopg.Connection[Any], case: str, assignee: str | None) -> None:
    """Whose it is from now on; None: nobody's."""
    conn.execute(sql("desk.assign"), {"case": case, "assignee": assignee})


def defer(conn: psycopg.Connection[Any], case: str, until: date | None) -> None:
    """Put it aside until a day; None: no longer."""
    conn.execute(sql("desk.defer"), {"case": case, "until": until})


def note(conn: psycopg.Connection[Any], event: Event) -> None:
    """Keep what was done."""
    said = {name: getattr(event, name) for name in Event.__slots__}
    conn.execute(sql("desk.add_event"), said)


def events(conn: psycopg.Connection[Any], case: str, *, limit: int = 100) -> list[Answer]:
    """What was done on a case, latest first: action, done_by, at, assignee, until, verdict, judgement_id, batch_id,
    note; is_in_force: a decision that nobody has lifted."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("desk.events"), {"case": case, "limit": limit}).fetchall()


def undone(conn: psycopg.Connection[Any], judgement_id: int, *, by: str, at: datetime, note: str | None) -> None:
    """A judgement was lifted: kept on every case that it decided."""
    conn.execute(sql("desk.undone"), {"judgement_id": judgement_id, "by": by, "at": at, "note": note})


def stewards(conn: psycopg.Connection[Any]) -> list[str]:
    """Logins of who may decide."""
    return [row[0] for row in conn.execute(sql("desk.stewards"))]


def propose(
    conn: psycopg.Connection[Any], case: str, verdict: str, sides: Sequence[Sequence[int]], *,
    relationship: str | None, reason: str | None, seen: Mapping[str, int], by: str, at: datetime,
) -> int:  # fmt: skip
    """A decision waits from now on; its number."""
    said = {
        "case": case, "verdict": verdict, "left_ids": list(sides[0]), "right_ids": list(sides[1]),
        "relationship": relationship, "reason": reason, "seen": Jsonb(dict(seen)), "by": by, "at": at,
    }  # fmt: skip
    row = conn.execute(sql("desk.propose"), said).fetchone()
    assert row is not None
    return int(row[0])


def open_proposal(conn: psycopg.Connection[Any], case: str) -> Proposal | None:
    """What waits for a second person on a case."""
    with conn.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(sql("desk.open_proposal"), {"case": case}).fetchone()


def withdraw_answer(conn: psycopg.Connection[Any], proposal_id: int, state: str) -> None:
    """A confirmed proposal was not done: it is open as before (not where its word was stored), or stale."""
    conn.execute(sql("desk.withdraw_answer"), {"proposal_id": proposal_id, "state": state})


def answer_proposal(conn: psycopg.Connection[Any], proposal_id: int, state: str, *, by: str, at: datetime) -> bool:
    """confirmed, refused or stale; False: somebody else has answered it."""
    said = {"proposal_id": proposal_id, "state": state, "by": by, "at": at}
    return conn.execute(sql("desk.answer_proposal"), said).rowcount == 1


def touched(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> tuple[int, int]:
    """Records and interactions of the clients that these records belong to."""
    row = conn.execute(sql("desk.touched"), {"record_ids": list(record_ids)}).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def decided_by(conn: psycopg.Connection[Any], judgement_id: int) -> str | None:
    """The case that a judgement was said on."""
    row = conn.execute(sql("desk.decided_by"), {"judgement_id": judgement_id}).fetchone()
    return None if row is None else row[0]


def confirmed_on(conn: psycopg.Connection[Any], judgement_id: int) -> str | None:
    """The case on which a second person confirmed what this judgement says; None: nobody did."""
    row = conn.execute(sql("desk.confirmed_on"), {"judgement_id": judgement_id}).fetchone()
    return None if row is None else row[0]


def undo_wished(conn: psycopg.Connection[Any], judgement_id: int) -> list[str]:
    """Who wants a judgement taken back that two people decided, where nobody has refused that."""
    return [row[0] for row in conn.execute(sql("desk.undo_wished"), {"judgement_id": judgement_id})]


def undo_of_case(conn: psycopg.Connection[Any], case: str) -> Answer | None:
    """judgement_id, done_by, at: who wants the decision of a case taken back, which waits for another person."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("desk.undo_of_case"), {"case": case}).fetchone()
