"""What people do on a review case besides deciding it: take it, give it to somebody, put it aside, say something; and a
decision that waits for a second person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound, Stale, UsageError
from onefold.steps.case_repeats import draw
from onefold.steps.records import records_named
from onefold.steps.rules import today
from warehouse import desk, queries, resolution
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from onefold.context import Context
    from onefold.steps.judge import AsSeen, JudgeReport


ASKED_AGAIN: Final = ("same", "not_same", "related", "cannot_tell")
"""Answers to the question of a case, of which a few are asked once more."""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody decides on a case; nothing is done by it yet."""

    case: str
    verdict: str
    left: Sequence[str]
    right: Sequence[str]
    reason: str
    seen: Mapping[str, int]
    """client_id -> its changed_seq."""
    relationship: str | None = None


def assign(context: Context, case: str, assignee: str | None, *, by: str) -> None:
    """Whose an open case is from now on; None: nobody's. NothingFound: no such case, or nobody of that login may
    decide."""
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        _open(conn, case)
        if assignee is not None:
            known = {login.casefold(): login for login in desk.stewards(conn)}
            if assignee.casefold() not in known:
                raise NothingFound(f"Nobody who may decide has the login {assignee}.", "`onefold user list` has them.")
            assignee = known[assignee.casefold()]
        if desk.of_case(conn, case)["assignee"] != assignee:
            desk.assign(conn, case, assignee)
            desk.note(conn, desk.Event(case, "assigned", by, context.clock(), assignee=assignee))


def defer(context: Context, case: str, until: date | None, *, by: str, note: str = "") -> None:
    """Put an open case aside: it comes back on that day; None: it comes back now. UsageError: the day is over."""
    if until is not None and until <= today(context):
        raise UsageError(f"{until} is no later day.", "A case comes back on the day that it is put aside until.")
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        _open(conn, case)
        desk.defer(conn, case, until)
        desk.note(conn, desk.Event(case, "deferred", by, context.clock(), until=until, note=note.strip() or None))


def comment(context: Context, case: str, text: str, *, by: str) -> None:
    """Say something on a case, whatever has become of it. UsageError: it says nothing."""
    if not text.strip():
        raise UsageError("This comment says nothing.")
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        if desk.lock(conn, case) is None:
            raise NothingFound(f"There is no case {case}.")
        desk.note(conn, desk.Event(case, "comment", by, context.clock(), note=text.strip()))


def needs_second(context: Context, conn: psycopg.Connection, record_ids: Sequence[int]) -> bool:
    """Whether a decision on these records waits for a second person, as hub.yaml says (`review: second_approver`)."""
    wanted = context.configuration.hub.review.second_approver
    if wanted is None or wanted == "always":
        return wanted is not None
    records, interactions = desk.touched(conn, record_ids)
    above = ((wanted.records, records), (wanted.interactions, interactions))
    return any(limit is not None and found > limit for limit, found in above)


def refuse_alone(context: Context, names: Sequence[str]) -> None:
    """UsageError where a decision on these records needs a second person: it is not taken by one alone."""
    if asks_second(context, names):
        raise UsageError("This decision needs a second person: propose it in the console, where another confirms.")


def asks_second(context: Context, names: Sequence[str]) -> bool:
    """`needs_second` of records (source:stream:key) and clients."""
    if context.configuration.hub.review.second_approver is None:
        return False
    with context.connection("onefold desk") as conn:
        return needs_second(context, conn, [i for name in names for i in records_named(context, conn, name)])


def propose(context: Context, word: Word, *, by: str) -> bool:
    """Where a decision needs a second person, keep it as a proposal: nothing takes effect. False: it needs none.

    Stale: the case is open no more, somebody else has proposed something, or a client is not as it was seen. Raises
    too what `judge` would refuse it for.
    """
    from onefold.steps.judge import check_words, refuse_opposed, wants_reason

    if context.configuration.hub.review.second_approver is None:
        return False
    with context.connection("onefold desk") as conn, unit_of_work(conn):
        sides = [sorted({i for name in names for i in records_named(context, conn, name)}) for names in _sides(word)]
        if not needs_second(context, conn, [*sides[0], *sides[1]]):
            return False
        _open(conn, word.case)
        if desk.open_proposal(conn, word.case) is not None:
            raise Stale(f"Somebody has proposed a decision on case {word.case} already.", "Look at it.")
        _as_seen(conn, word.seen)
        check_words(word.verdict, word.relationship, word.reason)
        refuse_opposed(context, conn, word.verdict, sides, None)
        if word.verdict == "same" and not word.reason.strip():
            wants_reason(context, conn, sides)
        at = context.clock()
        reason = word.reason.strip() or None
        desk.propose(
            conn, word.case, word.verdict, sides, relationship=word.relationship, reason=reason, seen=word.seen, by=by,
            at=at,
        )  # fmt: skip
        desk.note(conn, desk.Event(word.case, "proposed", by, at, verdict=word.verdict, note=reason))
    return True


def answer(
    context: Context, case: str, *, confirms: bool, by: str, seen: Mapping[str, int] | None = None, note: str = ""
) -> JudgeReport | None:
    """The second person's word on what waits: it takes effect at once, or the case waits for a decision again (None).

    UsageError: it is their own proposal. NothingFound: nothing waits. Stale: it is not as it was when it was proposed,
    or as this person saw it; the proposal is gone then, and the case waits.
    """
    from onefold.steps.judge import AsSeen, OpposingJudgements, judge

    with context.connection("onefold desk") as conn:
        with unit_of_work(conn):
            desk.lock(conn, case)
            found = desk.open_proposal(conn, case)
            if found is None:
                raise NothingFound(f"Nothing waits for a second person on case {case}.")
            if found.proposed_by.casefold() == by.casefold():
                raise UsageError("A proposal is confirmed or refused by another person than who made it.")
            at = context.clock()
            state = "confirmed" if confirms else "refused"
            desk.answer_proposal(conn, found.proposal_id, state, by=by, at=at)
            desk.note(conn, desk.Event(case, state, by, at, verdict=found.verdict, note=note.strip() or None))
        if not confirms:
            return None
        names = resolution.names_of(conn, [*found.left_ids, *found.right_ids])
    sides = [[names[i] for i in ids if i in names] for ids in (found.left_ids, found.right_ids)]
    whose = f"{found.proposed_by}, confirmed by {by}"
    more: dict[str, Any] = {} if found.relationship is None else {"relationship": found.relationship}
    try:
        as_seen = AsSeen(case, {**found.seen, **(seen or {})})
        return judge(context, found.verdict, *sides, reason=found.reason or "", by=whose, seen=as_seen, **more)
    except (Stale, OpposingJudgements, NothingFound, UsageError) as error:
        # Confirmed and not done: the case waits for a decision again, and its history says so.
        with context.connection("onefold desk") as conn, unit_of_work(conn):
            desk.withdraw_answer(conn, found.proposal_id, "stale")
            desk.note(conn, desk.Event(case, "refused", "onefold", context.clock(), note=type(error).__name__))
        raise
    except Exception:
        # Nothing is known against it: unless the word was stored before something broke, it waits as before.
        with context.connection("onefold desk") as conn, unit_of_work(conn):
            desk.withdraw_answer(conn, found.proposal_id, "open")
        raise


def decided(
    context: Context, conn: psycopg.Connection, seen: AsSeen | None, judgement_id: int | None, *,
    verdict: str, sides: Sequence[Sequence[int]], by: str, at: datetime,
) -> None:  # fmt: skip
    """In the transaction of a judgement: keep that it answers its case, or was said on it; of a few answers, that they
    are asked once more."""
    if seen is None or seen.case is None:
        return
    event = desk.Event(seen.case, "decided", by, at, verdict=verdict, judgement_id=judgement_id, batch_id=seen.batch)
    desk.note(conn, event)
    if verdict in ASKED_AGAIN:
        draw(context, conn, event, [*sides[0], *sides[1]])


def history(context: Context, case: str) -> dict[str, Any]:
    """assignee, deferred_until, proposal and undo (None: nothing of the kind waits for a second person) and events of a
    case, latest first."""
    with context.connection("onefold desk") as conn:
        return {
            **desk.of_case(conn, case),
            "proposal": desk.open_proposal(conn, case),
            "undo": desk.undo_of_case(conn, case),
            "events": desk.events(conn, case),
            "stewards": desk.stewards(conn),
        }


def _sides(word: Word) -> tuple[Sequence[str], Sequence[str]]:
    return word.left, word.right


def _open(conn: psycopg.Connection, case: str) -> None:
    status = desk.lock(conn, case)
    if status is None:
        raise NothingFound(f"There is no case {case}.")
    if status != "open":
        raise Stale(f"Case {case} is open no more: somebody has decided it, or it settled itself.")


def _as_seen(conn: psycopg.Connection, seen: Mapping[str, int]) -> None:
    now = queries.change_numbers(conn, list(seen))
    if moved := [client for client, number in seen.items() if now.get(client) != number]:
        raise Stale(f"Changed since they were looked at: {', '.join(sorted(moved))}.", "Look again, then decide.")
