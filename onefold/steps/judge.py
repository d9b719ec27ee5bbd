"""judge: a steward's word about records. It is stored first, then resolved and published for what it touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import pyarrow as pa

from identity.judgements import constraints_of
from identity.schema import JUDGEMENT
from onefold.errors import NothingFound, OnefoldError, Stale, UsageError
from onefold.steps import case_desk
from onefold.steps.logged import logged
from onefold.steps.publish import publish
from onefold.steps.records import one_record, records_named
from onefold.steps.report import PublishReport, Report, ResolveReport
from onefold.steps.resolve import resolve
from onefold.steps.rules import today
from warehouse import case_queue, desk, former_records, queries, queue, resolution, runs
from warehouse import judgements as stored
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


HowRelated = Literal["branch_of", "subsidiary_of", "successor_of", "household", "namesake"]
"""How two clients may be related: the left is a branch, a subsidiary or the successor of the right; of `household` and
`namesake` the sides are alike."""
RELATIONSHIPS: Final[tuple[str, ...]] = get_args(HowRelated)


@dataclass(frozen=True, slots=True)
class JudgeReport(Report):
    """The judgement as stored, and what it moved."""

    judgement_id: int
    verdict: str
    resolve: ResolveReport
    publish: PublishReport
    again: int | None = None
    """Of a pin that was taken back: the one whose place it took, which was said again."""

    @property
    def is_held(self) -> bool:
        """It is stored, and would change more than the limits allow: it takes effect when a person releases that."""
        return self.resolve.held is not None or self.publish.held is not None


class OpposingJudgements(OnefoldError):
    """What was said before says the opposite; both are named, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class AsSeen:
    """What a person had before their eyes when they decided."""

    case: str | None = None
    """The case that the decision answers."""
    clients: Mapping[str, int] = field(default_factory=dict)
    """client_id -> its changed_seq."""
    batch: str | None = None
    """The cases that are decided together with it."""


@logged("judge")
def judge(
    context: Context,
    verdict: str,
    left: Sequence[str],
    right: Sequence[str] = (),
    *,
    attribute: str | None = None,
    value: str | None = None,
    policy: str = "pin",
    until: date | None = None,
    relationship: str | None = None,
    reason: str,
    by: str,
    seen: AsSeen | None = None,
    told: Callable[[int], None] | None = None,
) -> JudgeReport:
    """Say that records are the `same` client or `not_same`; that they are `related`, two clients of which the left is
    to the right what `relationship` says; that nobody `cannot_tell`; or `pin` a golden value of the first record's
    client.

    `left` and `right` name records (source:stream:key) or clients, meaning the records that they hold now; a pin on a
    client is held by the record that its value comes from. A pin holds as `policy` says (pin, until_source_changes,
    until_date, fill_if_empty), at most through the day `until`, and takes the place of a former one on its field.
    `related` and `cannot_tell` answer the case that was `seen`, else the open one that asks about records of both
    sides; NothingFound where nobody `cannot_tell` and there is none. `told` is given its number when it is stored,
    before it takes effect.
    Raises OpposingJudgements when a judgement in force says otherwise, UsageError when the sides do not fit
    the verdict, or when records with different valid numbers are joined without a reason; Stale when it is not as it
    was `seen`.
    """
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        if seen is not None:
            is_still(conn, seen)
        sides = [sorted({i for name in names for i in records_named(context, conn, name)}) for names in (left, right)]
        if verdict == "pin":
            sides[0] = [_anchor(conn, sides[0], attribute or "")]
            _check_end(context, policy, until)
        check_words(verdict, relationship, reason)
        refuse_opposed(context, conn, verdict, sides, attribute)
        if verdict == "same" and not reason.strip():
            wants_reason(context, conn, sides)
        judgement = stored.Judgement(
            verdict,
            sides[0],
            sides[1],
            relationship=relationship,
            attribute=attribute,
            value=value,
            policy=policy if verdict == "pin" else None,
            until=until,
            reason=reason or None,
        )
        at = next_as_of(conn, context.clock)
        if verdict == "pin":
            _lift_former_pins(conn, sides[0][0], attribute, by=by, at=at)
        if verdict in ("related", "cannot_tell"):
            seen = _with_case(conn, verdict, sides, seen or AsSeen())
        case = seen.case if seen is not None and verdict in ("not_same", "related", "cannot_tell") else None
        number = stored.add(conn, judgement, by=by, at=at, case=case)
        case_desk.decided(context, conn, seen, number, verdict=verdict, sides=sides, by=by, at=at)
        enqueue_for(conn, verdict, [*sides[0], *sides[1]])
    if told is not None:
        told(number)
    return JudgeReport(number, verdict, resolve(context), publish(context))


def effect_of(context: Context, judgement_id: int) -> dict[str, Any]:
    """Whether a judgement has taken effect: judgement_id, verdict, in_force (False: it was taken back), `waiting`: how
    many of its records wait to be resolved or published, and the `steps` that are at work now. NothingFound."""
    with context.connection("onefold judge") as conn:
        found = stored.effect_of(conn, judgement_id)
        if found is None:
            raise NothingFound(f"There is no judgement {judgement_id}.", "`onefold judge list` shows those in force.")
        return {**found, "steps": runs.at_work(conn)}


def check_words(verdict: str, relationship: str | None, reason: str) -> None:
    """UsageError where a verdict lacks what is said with it."""
    if verdict == "related" and relationship not in RELATIONSHIPS:
        raise UsageError("Say how they are related.", f"One of: {', '.join(RELATIONSHIPS)}.")
    if verdict != "related" and relationship is not None:
        raise UsageError(f"`{verdict}` has no relationship.", "Only `related` has one.")
    if verdict == "cannot_tell" and not reason.strip():
        raise UsageError("Say what would settle it.", "Whoever is asked next starts there.")


def _with_case(conn: psycopg.Connection, verdict: str, sides: Sequence[Sequence[int]], seen: AsSeen) -> AsSeen:
    """What was seen, with the case that the word answers where nobody named one."""
    if seen.case is not None:
        return seen
    case = case_queue.asked_about(conn, *sides)
    if case is None and verdict == "cannot_tell":
        raise NothingFound("No open case asks about these records.", "`onefold cases` lists what waits.")
    return replace(seen, case=case)


def is_still(conn: psycopg.Connection, seen: AsSeen) -> None:
    """Under the hub lock: what was decided on is as it was seen."""
    if seen.case is not None and seen.case not in queries.open_cases(conn, [seen.case]):
        why = "somebody has decided it, or it settled itself"
        raise Stale(f"Case {seen.case} is open no more: {why}.", "`onefold cases` lists what waits.")
    now = queries.change_numbers(conn, list(seen.clients))
    if moved := [client for client, number in seen.clients.items() if now.get(client) != number]:
        raise Stale(f"Changed since they were looked at: {', '.join(sorted(moved))}.", "Look again, then decide.")


def wants_reason(context: Context, conn: psycopg.Connection, sides: Sequence[Sequence[int]]) -> None:
    """Two different valid numbers that contradict each other are overruled only by a person who says why."""
    matching = context.configuration.matching
    kinds = (matching.person, matching.organisation)
    types = sorted({name for kind in kinds if kind is not None for name in kind.contradictions})
    if found := stored.different_numbers(conn, sides[0], sides[1], types):
        raise UsageError(
            f"These records have different valid numbers ({', '.join(found)}): they are joined only for a reason.",
            'Say it, such as --reason "reorganised"; or they are two: onefold judge not-same.',
        )


def _anchor(conn: psycopg.Connection, record_ids: Sequence[int], attribute: str) -> int:
    """Of these records the one that the golden value of their client comes from; the first if none of them gave it."""
    said = queries.golden_record_of(conn, record_ids[0], attribute)
    return said if said is not None and said in record_ids else record_ids[0]


def _check_end(context: Context, policy: str, until: date | None) -> None:
    if policy == "until_date" and until is None:
        raise UsageError("A pin until a date needs that date.", "--until 2027-01-31")
    if until is not None and until < today(context):
        raise UsageError(f"{until} is over.", "A pin holds through the day that it names.")


def _lift_former_pins(
    conn: psycopg.Connection, record_id: int, attribute: str | None, *, by: str, at: datetime
) -> None:
    for former in stored.in_force(conn, ("pin",), [record_id]):
        if former.attribute == attribute and former.judgement_id is not None and record_id in former.left_ids:
            stored.lift(conn, former.judgement_id, reason="pinned anew", by=by, at=at)


def split_off(
    context: Context, records: Sequence[str], *, reason: str, by: str, seen: AsSeen | None = None
) -> JudgeReport:
    """Say that records (source:stream:key) are `not_same` as all others of their client now.

    Raises UsageError unless they belong to one client that has other records too, OpposingJudgements as `judge` does.
    """
    off = sorted({one_record(context, name) for name in records})
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        if seen is not None:
            is_still(conn, seen)
        rest = others_of(conn, off)
        refuse_opposed(context, conn, "not_same", [off, rest], None)
        judgement = stored.Judgement("not_same", off, rest, reason=reason or None)
        at = next_as_of(conn, context.clock)
        number = stored.add(conn, judgement, by=by, at=at, case=None if seen is None else seen.case)
        case_desk.decided(context, conn, seen, number, verdict="split", sides=(off, rest), by=by, at=at)
        enqueue_for(conn, "not_same", [*off, *rest])
    return JudgeReport(number, "not_same", resolve(context), publish(context))


def others_of(conn: psycopg.Connection, record_ids: Sequence[int]) -> list[int]:
    """The other records of the one client that all of these belong to."""
    clients = queries.clients_of_records(conn, record_ids)
    unknown = [i for i in record_ids if i not in clients]
    if unknown:
        name = resolution.names_of(conn, unknown).get(unknown[0], "A record")
        raise NothingFound(
            f"{name} belongs to no client now.", "`onefold trace source:stream:key` shows what is known."
        )
    of = sorted(set(clients.values()))
    if len(of) > 1:
        raise UsageError(f"These records belong to {len(of)} clients already: {', '.join(of)}.")
    others = sorted(set(resolution.members_of(conn, of)) - set(record_ids))
    if not others:
        raise UsageError(f"Client {of[0]} has no other records.", "`onefold client` lists them.")
    return others


@logged("lift")
def lift(
    context: Context, judgement_id: int, *, reason: str, by: str, told: Callable[[int], None] | None = None
) -> JudgeReport:
    """Undo a judgement by a new decision: evidence decides again, or of a pin the one whose place it took. `told` as in
    `judge`. NothingFound if it is not in force."""
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        again = take_back(context, conn, judgement_id, reason=reason, by=by)
    if told is not None:
        told(judgement_id)
    return JudgeReport(judgement_id, "lift", resolve(context), publish(context), again)


def take_back(context: Context, conn: psycopg.Connection, judgement_id: int, *, reason: str, by: str) -> int | None:
    """Under the hub lock: lift a judgement, and queue its records. The number of the pin that is said again, because
    this one had taken its place and it would still hold. NothingFound if it is not in force."""
    at = next_as_of(conn, context.clock)
    former = stored.former_pin(conn, judgement_id, today=today(context))
    try:
        was = stored.lift(conn, judgement_id, reason=reason or None, by=by, at=at)
    except stored.JudgementNotFoundError as error:
        raise NothingFound(f"{error}.", "`onefold judge list` shows those in force.") from None
    desk.undone(conn, judgement_id, by=by, at=at, note=reason or None)
    enqueue_for(conn, was.verdict, [*was.left_ids, *was.right_ids])
    if former is None or former.judgement_id is None:
        return None
    # At a moment of its own: it is a decision that can be taken back by itself, and then nothing comes back.
    said = stored.Again(former.judgement_id)
    return stored.add(conn, former, by=by, at=next_as_of(conn, context.clock), again=said)


def settle_identity(
    context: Context, record: str, *, same: bool, reason: str, by: str, seen: AsSeen | None = None
) -> JudgeReport:
    """Answer the case of a record that has changed its identity: what was said of it is lifted and, where it still says
    something, said again: of the record as it is now (`same`), or of whom it was, who stays as a record of its own.

    Raises NothingFound if no judgement about it is suspended, OpposingJudgements as `judge` does: nothing is stored.
    """
    record_id = one_record(context, record)
    with context.connection("onefold judge") as conn, unit_of_work(conn):
        hub_lock(conn)
        if seen is not None:
            is_still(conn, seen)
        suspended = [j for j in stored.in_force(conn, record_ids=[record_id]) if record_id in j.suspended_ids]
        if not suspended:
            raise NothingFound(f"No judgement about {record} is suspended.", "`onefold cases` lists what waits.")
        at = next_as_of(conn, context.clock)
        number, verdict = 0, "lift"
        for former in suspended:
            assert former.judgement_id is not None
            stored.lift(conn, former.judgement_id, reason=reason or None, by=by, at=at)
            number = former.judgement_id
            enqueue_for(conn, former.verdict, [*former.left_ids, *former.right_ids])
        if not same:
            former_records.confirm(conn, record_id)
        for former in suspended:
            again = former if same else _of_former(former, record_id)
            if again is None or former.judgement_id is None:
                continue
            refuse_opposed(context, conn, again.verdict, [again.left_ids, again.right_ids], again.attribute)
            again = replace(again, reason=reason or former.reason)
            said = stored.Again(former.judgement_id, record_id)
            number, verdict = stored.add(conn, again, by=by, at=at, again=said), again.verdict
        told = None if verdict == "lift" else number
        answer = "still_the_same" if same else "somebody_else"
        case_desk.decided(context, conn, seen, told, verdict=answer, sides=([record_id], []), by=by, at=at)
    return JudgeReport(number, verdict, resolve(context), publish(context))


def _of_former(judgement: stored.Judgement, record_id: int) -> stored.Judgement | None:
    """What a judgement says when it speaks of whom a record was, or no longer of it where that is not kept; None:
    nothing."""
    former = dict(zip(judgement.suspended_ids, judgement.former_ids, strict=True))[record_id]
    stands_for = [] if former is None else [former]
    left, right = (
        [i for i in ids if i != record_id] + (stands_for if record_id in ids else [])
        for ids in (judgement.left_ids, judgement.right_ids)
    )
    says = len(left) + len(right) > 1 if judgement.verdict == "same" else bool(left and right)
    return replace(judgement, left_ids=left, right_ids=right) if says else None


def judgements(context: Context) -> list[dict[str, Any]]:
    """The judgements in force, with their records by name; `suspended` are those that have changed their identity, of
    which they do not speak now."""
    with context.connection("onefold judge") as conn:
        found = stored.in_force(conn)
        names = resolution.names_of(conn, sorted({i for j in found for i in (*j.left_ids, *j.right_ids)}))
    return [
        {
            "judgement_id": j.judgement_id,
            "verdict": j.verdict,
            "records": [names.get(i, str(i)) for i in (*j.left_ids, *j.right_ids)],
            "suspended": [names.get(i, str(i)) for i in j.suspended_ids],
            "value": None if j.attribute is None else f"{j.attribute} = {j.value}",
            "policy": j.policy,
            "until": j.until,
            "by": j.decided_by,
            "at": j.decided_at,
            "reason": j.reason,
        }
        for j in found
    ]


def refuse_opposed(
    context: Context,
    conn: psycopg.Connection,
    verdict: str,
    sides: Sequence[Sequence[int]],
    attribute: str | None,
) -> None:
    """OpposingJudgements where a judgement in force says otherwise; NothingFound, UsageError: it cannot be said."""
    names = resolution.names_of(conn, [*sides[0], *sides[1]])
    unknown = [i for side in sides for i in side if i not in names]
    if unknown:
        raise NothingFound("No such record has been landed.", "`onefold trace source:stream:key` shows what is known.")
    if verdict == "pin":
        if attribute not in context.configuration.attributes:
            raise UsageError(f"There is no attribute {attribute}.", "See docs/configuration.md, attributes.yaml.")
        return
    if set(sides[0]) & set(sides[1]):
        raise UsageError("The same record stands on both sides.")
    if verdict != "same" and not (sides[0] and sides[1]):
        raise UsageError("Records stand on one side only.", "Say what they are told apart from.")
    if verdict == "cannot_tell":
        return
    grouping = "same" if verdict == "same" else "not_same"
    new = pa.table(
        {"judgement_id": [2**62], "verdict": [grouping], "left_ids": [sides[0]], "right_ids": [sides[1]]},
        JUDGEMENT,
    )
    asked = pa.concat_tables([stored.load_judgements(conn, JUDGEMENT, only_said=True), new])
    everybody = pa.chunked_array([pa.array(sorted(names), pa.int64())])
    _, _, conflicts = constraints_of(asked, everybody)
    opposed = next((conflict for conflict in conflicts if conflict.judgement_id == 2**62), None)
    if opposed is not None:
        numbers = ", ".join(str(number) for number in opposed.opposes)
        said = names[sides[0][0]], names[sides[1][0]]
        raise OpposingJudgements(
            f"{said[0]} and {said[1]}: `{verdict.replace('_', ' ')}` contradicts judgement {numbers}.",
            f"Lift that first: onefold judge undo {opposed.opposes[0]}",
        )


def enqueue_for(conn: psycopg.Connection, verdict: str, record_ids: Sequence[int]) -> None:
    """The steps that a judgement of these records concerns have them to look at."""
    step = {"pin": "publish", "same_document": "documents", "not_same_document": "documents"}.get(verdict, "resolve")
    queue.enqueue(conn, step, sorted(set(record_ids)))
    if verdict == "related":  # publish states it
        queue.enqueue(conn, "publish", sorted(set(record_ids)))
