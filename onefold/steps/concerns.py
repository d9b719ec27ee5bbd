"""concerns: what worries is asked after each publish, kept with the rows that prove it, and told once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from onefold.errors import NothingFound, UsageError
from onefold.nearest import did_you_mean
from onefold.steps.concern_rules import VERSION, asked, concerns_asked
from onefold.steps.report import Report
from onefold.steps.rules import fingerprint, today
from warehouse import fingerprints
from warehouse.clock import last_event
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import psycopg

    from onefold.context import Context
    from warehouse.concern_rules import Asked
    from warehouse.concerns import Answer

_KIND: Final = "concerns"


@dataclass(frozen=True, slots=True)
class ConcernsReport(Report):
    """What asking changed."""

    asked: int = 0
    raised: tuple[str, ...] = ()
    """Those that are raised since now."""
    closed: tuple[str, ...] = ()
    """Those that are over."""
    failed: tuple[str, ...] = ()
    """Those that could not be asked; `onefold concerns list` says why."""
    seconds: float = 0.0


def is_idle(context: Context, conn: psycopg.Connection) -> bool:
    """The same was asked of the same on the same day, or nothing is asked."""
    stored = fingerprints.stored(conn, _KIND)
    if context.configuration.concerns is None and stored.get("rules", UUID(int=0)) == UUID(int=0):
        return True
    return stored.get("seen") == UUID(int=last_event(conn)) and stored.get("rules") == _state(context)


def find_concerns(context: Context, conn: psycopg.Connection, *, anew: bool = False) -> ConcernsReport:
    """Ask every concern of what is published, where anything has changed (or `anew`).

    Each is asked in a transaction of its own that cannot write; then all that they found is stored in one.
    """
    if not anew and is_idle(context, conn):
        return ConcernsReport()
    from warehouse import concerns

    started = time.perf_counter()
    state, seen = _state(context), last_event(conn)
    wanted = asked(context.configuration)
    answers = _answers(context, conn, wanted, today(context))
    rules = {name: fingerprint([VERSION, one]) for name, (one, _) in concerns_asked(context.configuration).items()}
    raised, closed = [], []
    with unit_of_work(conn):
        concerns.lock(conn)
        known, at = fingerprints.stored(conn, "concern"), context.clock()
        for one in wanted:
            is_new = known.get(one.name) != rules[one.name]
            news = concerns.store(conn, one, answers[one.name], at=at, is_new_rule=is_new)
            raised += [one.name] if news == "raised" else []
            closed += [one.name] if news == "closed" else []
        gone = sorted(concerns.known(conn) - set(answers))
        closed += [name for name in gone if concerns.forget(conn, name, at=at)]
        fingerprints.remember(conn, "concern", {**{name: UUID(int=0) for name in gone}, **rules})
        fingerprints.remember(conn, _KIND, {"seen": UUID(int=seen), "rules": state})
    failed = tuple(name for name, one in answers.items() if one.failed is not None)
    seconds = round(time.perf_counter() - started, 3)
    return ConcernsReport(len(wanted), tuple(raised), tuple(closed), failed, seconds)


def _answers(context: Context, conn: psycopg.Connection, wanted: Sequence[Asked], day: date) -> dict[str, Answer]:
    from warehouse import concerns

    file = context.configuration.concerns
    milliseconds = 1 if file is None else max(1, round(file.timeout.total_seconds() * 1000))
    return {
        one.name: concerns.ask(conn, one, today=day, milliseconds=milliseconds) if one.rule else concerns.Answer()
        for one in wanted
    }


def concerns_on(context: Context, day: date) -> list[dict[str, Any]]:
    """What all concerns would say if `day` were today, of what is known now; nothing is kept. In their order: concern,
    question_en, question_ru, owner, template, threshold, is_shipped, state, why, clients, row_count, is_cut."""
    from warehouse import concerns as kept

    wanted = asked(context.configuration)
    with context.connection("onefold concerns") as conn:
        answers = _answers(context, conn, wanted, day)
        return [kept.told(conn, one, answers[one.name]) for one in wanted]


def concerns(context: Context) -> list[dict[str, Any]]:
    """All concerns as they stand, in their order: concern, question_en, question_ru, owner, template, threshold,
    is_shipped, state (calm, raised, not_available, failed), why, clients, row_count, is_cut, raised_at,
    acknowledged_at, acknowledged_by, acknowledge_reason."""
    from warehouse import concerns as kept

    with context.connection("onefold concerns") as conn:
        return kept.listed(conn)


def concern(
    context: Context, name: str, *, after: str | None = None, client_id: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One concern as `concerns` has it, with `rows` that prove it now (row_key, client_id, kind, display_name,
    record_id, note, since, type, occurred_on, summary, source, stream, source_key), `next` (the row key after which
    there are more, or None) and `raises`, the latest first. NothingFound."""
    from warehouse import concerns as kept

    with context.connection("onefold concerns") as conn:
        known = {one["concern"]: one for one in kept.listed(conn)}
        if name not in known:
            hint = did_you_mean(name, known) if known else "Write config/concerns.yaml and `onefold run`."
            raise NothingFound(f"There is no concern `{name}`.", hint)
        rows = kept.rows(conn, name, after=after, client_id=client_id, limit=limit + 1)
        more = rows[limit - 1]["row_key"] if len(rows) > limit else None
        return {**known[name], "rows": rows[:limit], "next": more, "raises": kept.raises(conn, name)}


def acknowledge(context: Context, name: str, *, by: str, reason: str) -> dict[str, Any]:
    """A person took note of a raised concern: it is told no more until it is raised again. The concern as it stands.
    NothingFound; UsageError where it is not raised, or no reason is given."""
    from warehouse import concerns as kept

    if not reason.strip():
        raise UsageError("A reason is missing.", "Say what is done about it, without a client's name.")
    found = concern(context, name, limit=1)
    with context.connection("onefold concerns") as conn, unit_of_work(conn):
        since = kept.acknowledge(conn, name, by=by, reason=reason.strip(), at=context.clock())
    if since is None:
        raise UsageError(f"`{name}` is not raised: there is nothing to acknowledge.", f"It is {found['state']}.")
    return {one["concern"]: one for one in concerns(context)}[name]


def concerns_of(context: Context, client_id: str) -> list[dict[str, Any]]:
    """The raised concerns that a client is part of: concern, question_en, question_ru, raised_at, acknowledged_at."""
    from warehouse import concerns as kept

    with context.connection("onefold concerns") as conn:
        return kept.of_client(conn, client_id)


def ask_anew(context: Context) -> ConcernsReport:
    """Ask all of them now, whether anything has changed or not."""
    with context.connection("onefold concerns") as conn:
        return find_concerns(context, conn, anew=True)


def _state(context: Context) -> UUID:
    """What the answers depend on beside what is published."""
    configuration = context.configuration
    if configuration.concerns is None:
        return UUID(int=0)
    brought = sorted(
        (source, name, sorted(stream.type_codes), bool(stream.promise))
        for source, one in configuration.sources.items()
        for name, stream in one.streams.items()
    )
    told = [[name, concern] for name, (concern, _) in concerns_asked(configuration).items()]
    pressure = configuration.segments.guards.pressure
    timeout = configuration.concerns.timeout.total_seconds()
    owner = configuration.concerns.owner
    return fingerprint(
        [VERSION, told, owner, timeout, pressure, [list(map(str, one)) for one in brought], today(context).isoformat()]
    )
