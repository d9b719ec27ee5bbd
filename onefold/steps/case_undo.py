"""Taking back a decision that two people took: it takes two again, and the first one's wish stands on the case until
another person takes it back or refuses that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onefold.errors import NothingFound, UsageError
from onefold.steps.regroup import said_together
from warehouse import desk
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


def who_undoes(context: Context, judgement_id: int, *, by: str) -> str | None:
    """Who takes a judgement back: `by`, or where a second person had confirmed it, who asked for that and `by`. None:
    it waits for another person from now on, which its case tells.

    NothingFound: it is not in force.
    """
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        found = _confirmed(context, conn, judgement_id)
        if found is None:
            return by
        number, case = found
        desk.lock(conn, case)
        wished = desk.undo_wished(conn, number)
        others = [one for one in wished if one.casefold() != by.casefold()]
        if others:
            return f"{others[0]}, confirmed by {by}"
        if not wished:
            desk.note(conn, desk.Event(case, "proposed", by, context.clock(), verdict="undo", judgement_id=number))
        return None


def refuse_undo(context: Context, case: str, *, by: str, note: str = "") -> None:
    """The second person's no: the decision of a case stands. NothingFound: nobody wants it taken back. UsageError: it
    is their own wish."""
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        desk.lock(conn, case)
        wish = desk.undo_of_case(conn, case)
        if wish is None:
            raise NothingFound(f"Nobody wants the decision of case {case} taken back.")
        if wish["done_by"].casefold() == by.casefold():
            raise UsageError("A proposal is confirmed or refused by another person than who made it.")
        said = desk.Event(
            case, "refused", by, context.clock(), verdict="undo", judgement_id=wish["judgement_id"],
            note=note.strip() or None,
        )  # fmt: skip
        desk.note(conn, said)


def refuse_undo_alone(context: Context, judgement_id: int) -> None:
    """UsageError where a second person had confirmed it: one alone does not take it back. NothingFound: it is not in
    force."""
    with context.connection("onefold desk") as conn:
        if _confirmed(context, conn, judgement_id) is not None:
            raise UsageError("Two people decided this: undo it in the console, where another confirms.")


def case_of(context: Context, judgement_id: int) -> str | None:
    """The case that a judgement was said on."""
    with context.connection("onefold desk") as conn:
        return desk.decided_by(conn, judgement_id)


def _confirmed(context: Context, conn: psycopg.Connection, judgement_id: int) -> tuple[int, str] | None:
    """The judgement, and its case, that a second person had confirmed among those that were said with this one."""
    if context.configuration.hub.review.second_approver is None:
        return None
    for one in said_together(conn, judgement_id):
        assert one.judgement_id is not None
        case = desk.confirmed_on(conn, one.judgement_id)
        if case is not None:
            return one.judgement_id, case
    return None
