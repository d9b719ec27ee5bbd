"""Decided cases that are asked once more without saying so, and how often the answers agree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.sql import sql

Answer = dict[str, Any]


class Due(NamedTuple):
    """A case to ask again."""

    repeat_id: int
    fingerprint: str
    seen: Mapping[str, str]
    """record_id -> client_id when it was asked first."""


def add(
    conn: psycopg.Connection[Any], case: str, judgement_id: int, verdict: str, *, by: str, due_at: datetime,
    seen: Mapping[int, str],
) -> None:  # fmt: skip
    """Ask it again: others at once, who decided it from `due_at` on."""
    said = {"case": case, "judgement_id": judgement_id, "verdict": verdict, "by": by, "due_at": due_at}
    conn.execute(sql("case_repeats.add"), {**said, "seen": Jsonb({str(k): v for k, v in seen.items()})})


def due(conn: psycopg.Connection[Any], *, by: str, now: datetime, case: str | None = None) -> Due | None:
    """What this person may be asked again, of all cases or of one."""
    row = conn.execute(sql("case_repeats.due"), {"by": by, "now": now, "case": case}).fetchone()
    return None if row is None else Due(*row)


def answer(conn: psycopg.Connection[Any], repeat_id: int, verdict: str, *, by: str, at: datetime) -> bool:
    """The second answer; False: somebody else has given it."""
    said = {"repeat_id": repeat_id, "verdict": verdict, "by": by, "at": at}
    return conn.execute(sql("case_repeats.answer"), said).rowcount == 1


def agreement(conn: psycopg.Connection[Any], since: datetime) -> Answer:
    """by_verdict (verdict, asked, agreed, same_person, same_person_agreed), disagreements (case, verdict,
    second_verdict), decided, undone, waiting."""
    with conn.cursor(row_factory=dict_row) as cursor:
        parameters = {"since": since}
        reversals = cursor.execute(sql("case_repeats.reversals"), parameters).fetchone()
        assert reversals is not None
        waiting = conn.execute(sql("case_repeats.waiting")).fetchone()
        return {
            "by_verdict": cursor.execute(sql("case_repeats.agreement"), parameters).fetchall(),
            "disagreements": cursor.execute(sql("case_repeats.disagreements"), parameters).fetchall(),
            **reversals,
            "waiting": 0 if waiting is None else waiting[0],
        }
