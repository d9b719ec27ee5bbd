"""Hidden repeats: a few of the decided cases are asked once more, of somebody else or later of the same, and nobody is
told. How often the answers agree is a figure of the process, never of a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from warehouse import case_repeats, queries
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from warehouse.desk import Event

SINCE: Final = timedelta(days=365)
ONE_IN: Final = 5
"""Of the cases that somebody is led to, how many may be one that is asked again, while there are any."""


def draw(context: Context, conn: psycopg.Connection, event: Event, record_ids: Sequence[int]) -> None:
    """In the transaction of a decision: by chance, keep that it is asked again. What was decided together with others
    was not looked at one by one, and is left out."""
    wanted = context.configuration.hub.review.repeats
    assert event.verdict is not None
    assert event.judgement_id is not None
    if event.batch_id is not None or not _happens(wanted.share, f"{event.case} {event.judgement_id}"):
        return
    seen = queries.clients_of_records(conn, record_ids)
    case_repeats.add(
        conn, event.case, event.judgement_id, event.verdict, by=event.by, due_at=event.at + wanted.after, seen=seen
    )


def asked_instead(context: Context, *, by: str, always: bool = False) -> str | None:
    """By chance, a decided case to ask this person instead of the next one; None: the next one. `always`: where nothing
    else waits."""
    if context.configuration.hub.review.repeats.share == 0 or not (always or _happens(1 / ONE_IN, secrets.token_hex())):
        return None
    with context.connection("onefold repeats") as conn:
        found = case_repeats.due(conn, by=by, now=context.clock())
    return None if found is None else found.fingerprint


def asked_again(context: Context, case: str, *, by: str) -> case_repeats.Due | None:
    """Whether this case is one that this person is asked again."""
    with context.connection("onefold repeats") as conn:
        return case_repeats.due(conn, by=by, now=context.clock(), case=case)


def answer(context: Context, case: str, verdict: str, *, by: str) -> bool:
    """Keep the second answer; nothing takes effect by it. False: it is not asked of this person any more."""
    with context.connection("onefold repeats") as conn, unit_of_work(conn):
        found = case_repeats.due(conn, by=by, now=context.clock(), case=case)
        return found is not None and case_repeats.answer(conn, found.repeat_id, verdict, by=by, at=context.clock())


def agreement(context: Context, since: timedelta = SINCE) -> dict[str, Any]:
    """How often second answers agree with first ones, and how often decisions are taken back.

    asked, agreed, agreement_rate (None: nothing was asked yet), by_verdict, decided, undone, reversal_rate, waiting,
    disagreements: the cases whose two answers differ, to be looked at.
    """
    with context.connection("onefold repeats") as conn:
        found = case_repeats.agreement(conn, context.clock() - since)
    asked, agreed = (sum(row[name] for row in found["by_verdict"]) for name in ("asked", "agreed"))
    return {
        "days": since.days,
        "asked": asked,
        "agreed": agreed,
        "agreement_rate": agreed / asked if asked else None,
        "reversal_rate": found["undone"] / found["decided"] if found["decided"] else None,
        **found,
    }


def _happens(share: float, of: str) -> bool:
    """Nobody foresees it, and the same decision is drawn or not however often it is told."""
    return int.from_bytes(blake2b(of.encode(), digest_size=6).digest()) < share * (1 << 48)
