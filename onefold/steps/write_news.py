"""Which records write-back has to look at again for what follows from needs and segments.

These change without the golden record, and only with news of the client (`needs.find_needs`), with the rules, or with
the day (schemes of lifecycle and value). A run that sent all it had to leaves a mark of how far it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from onefold.steps.rules import fingerprint
from warehouse import fingerprints, write_receipts
from warehouse.clock import last_event

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from onefold.steps.write_plan import Plan

_KIND: Final = "write_back"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a stream has been looked through."""

    rules: UUID
    """Of what is written, and of all by which needs and segments are told."""
    seen: int
    """The change event up to which needs were told."""
    at: datetime


def now(context: Context, conn: psycopg.Connection, plan: Plan) -> Mark:
    """The mark of a look that begins now; where needs are being told, after that."""
    from onefold.steps.needs import told_by

    rules, seen = told_by(context, conn)
    return Mark(fingerprint([plan.plan_hash, str(rules)]), min(seen, last_event(conn)), context.clock())


def records(conn: psycopg.Connection, plan: Plan, mark: Mark) -> list[int] | None:
    """The records of the stream that have news since its last mark, by id; None: all have to be looked at."""
    stored, place = fingerprints.stored(conn, _KIND), f"{plan.source}:{plan.stream}"
    if stored.get(f"{place} rules") != mark.rules:
        return None
    seen, at = int(stored[f"{place} seen"]), _EPOCH + int(stored[f"{place} at"]) * _MICROSECOND
    return write_receipts.with_news(conn, plan.source, plan.stream, seen=seen, at=at)


def keep(conn: psycopg.Connection, plan: Plan, mark: Mark) -> None:
    """All that the look found has been sent."""
    place, at = f"{plan.source}:{plan.stream}", (mark.at - _EPOCH) // _MICROSECOND
    values = {"rules": mark.rules, "seen": UUID(int=mark.seen), "at": UUID(int=at)}
    with conn.transaction():
        fingerprints.remember(conn, _KIND, {f"{place} {name}": value for name, value in values.items()})
