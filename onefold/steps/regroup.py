"""Decisions of several judgements: moving a record to another client, and undoing what was said at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onefold.errors import NothingFound, UsageError
from onefold.steps import case_desk
from onefold.steps.judge import (
    AsSeen,
    JudgeReport,
    enqueue_for,
    is_still,
    refuse_opposed,
    take_back,
    wants_reason,
)
from onefold.steps.logged import logged
from onefold.steps.publish import publish
from onefold.steps.records import one_record
from onefold.steps.resolve import resolve
from onefold.steps.rules import today
from warehouse import judgements as stored
from warehouse import queries, resolution
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


@logged("move")
def move(
    context: Context, record: str, client_id: str, *, reason: str, by: str, seen: AsSeen | None = None
) -> JudgeReport:
    """Say that a record (source:stream:key) belongs to another client: `not_same` as the others of its client, and the
    `same` as the first record of that one. `undo_decision` takes both back.

    Raises as `judge` does; UsageError where it is of that client already.
    """
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        if seen is not None:
            is_still(conn, seen)
        at, numbers = next_as_of(conn, context.clock), []
        for judgement in words_of_move(context, conn, one_record(context, record), client_id, reason):
            refuse_opposed(context, conn, judgement.verdict, [judgement.left_ids, judgement.right_ids], None)
            numbers.append(stored.add(conn, judgement, by=by, at=at))
            enqueue_for(conn, judgement.verdict, [*judgement.left_ids, *judgement.right_ids])
        case_desk.decided(context, conn, seen, numbers[-1], verdict="move", sides=([], []), by=by, at=at)
    return JudgeReport(numbers[-1], "move", resolve(context), publish(context))


def words_of_move(
    context: Context, conn: psycopg.Connection, record_id: int, client_id: str, reason: str
) -> list[stored.Judgement]:
    """The judgements that `move` says. UsageError, NothingFound: there is nothing to be moved there."""
    target = resolution.members_of(conn, [client_id])
    if not target:
        raise NothingFound(f"No record belongs to client {client_id} now.", "Look it up with `onefold client`.")
    if record_id in target:
        raise UsageError(f"The record is of client {client_id} already.")
    of = queries.clients_of_records(conn, [record_id]).get(record_id)
    rest = [] if of is None else [i for i in resolution.members_of(conn, [of]) if i != record_id]
    names = resolution.names_of(conn, target)
    anchor = min(target, key=lambda i: names.get(i, "\uffff"))
    if not reason.strip():
        wants_reason(context, conn, [[record_id], [anchor]])
    same = stored.Judgement("same", [record_id], [anchor], reason=reason or None)
    return [*([stored.Judgement("not_same", [record_id], rest, reason=reason or None)] if rest else []), same]


@logged("lift")
def undo_decision(context: Context, judgement_id: int, *, reason: str, by: str) -> JudgeReport:
    """Undo, by a new decision, a judgement and what was said with it at the same moment; each as `lift` does.
    NothingFound: it is not in force."""
    again = None
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        for one in said_together(conn, judgement_id):
            assert one.judgement_id is not None
            again = take_back(context, conn, one.judgement_id, reason=reason, by=by)
    return JudgeReport(judgement_id, "lift", resolve(context), publish(context), again)


def words_of_undo(
    context: Context, conn: psycopg.Connection, judgement_id: int
) -> tuple[list[stored.Judgement], list[int]]:
    """What `undo_decision` says again, and the numbers of the judgements that it lifts. NothingFound."""
    lifted = [one.judgement_id for one in said_together(conn, judgement_id) if one.judgement_id is not None]
    found = (stored.former_pin(conn, one, today=today(context)) for one in lifted)
    return [one for one in found if one is not None], lifted


def said_together(conn: psycopg.Connection, judgement_id: int) -> list[stored.Judgement]:
    """The judgement and those in force that were said at its moment, oldest first: a moment is one decision.
    NothingFound."""
    in_force = stored.in_force(conn)
    found = [one for one in in_force if one.judgement_id == judgement_id]
    if not found:
        raise NothingFound(f"Judgement {judgement_id} is not in force.", "`onefold judge list` shows those in force.")
    return [one for one in in_force if one.decided_at == found[0].decided_at]
