"""Runs that are held: what happens when a step would change too much, and release, discard and rollback of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from onefold.errors import HubBusy, NothingFound, Stale, UsageError
from onefold.steps.limits import TooMuch, in_words, what_to_do
from onefold.steps.logged import close_dead, logged
from onefold.steps.report import HoldReport, PublishReport, Report, ResolveReport, StandardiseReport
from warehouse import figures, holds, runs
from warehouse.at_work import is_worked_at, worked_at
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

R = TypeVar("R", ResolveReport, PublishReport)
DECIDABLE = ("open", "discarded", "rolled_back")


@dataclass(frozen=True, slots=True)
class DecisionReport(Report):
    """What a person's word about a run did."""

    run_id: int
    state: str
    """released, discarded or rolled_back."""
    records: int
    """Versions that were taken in, are left out, or were taken back."""
    kept: int
    """Of a rollback: records that the source has said otherwise of since; they stay as they are."""
    seconds: float
    standardise: StandardiseReport | None = None
    resolve: ResolveReport | None = None
    publish: PublishReport | None = None


def within_limits(context: Context, step: Callable[[], R], *, again: Callable[[], R], untouched: Callable[[], R]) -> R:
    """What `step` reports. Where it would change too much (TooMuch, and it has written nothing), what the syncs have
    landed is set aside and `again` does the rest; where no record is to blame, `untouched` says how things stand."""
    try:
        return step()
    except TooMuch as error:
        found = error
    held = hold_back(context, found)
    if held.cause == "rules":
        return replace(untouched(), run_id=found.run_id, held=held)
    from onefold.steps.standardise import standardise

    standardise(context)
    return replace(again(), held=held)


def settle_rules(context: Context, conn: psycopg.Connection, command: str) -> None:
    """A step of this command came through with the rules in force: who was asked about them need not answer any
    more."""
    if waiting_for_rules(conn, command):
        holds.settle_rules(conn, now=context.clock())


def hold_back(context: Context, found: TooMuch) -> HoldReport:
    """Set aside what the syncs that are not published have landed, or, where that is nothing, hold what the rules would
    do. The step itself has written nothing."""
    assert found.run_id is not None
    now = context.clock()
    with context.connection("onefold hold") as conn:
        known = [hold for hold in holds.open_holds(conn) if hold["cause"] == "rules"]
        with ExitStack() as stack:
            unpublished = holds.unpublished(conn)
            free = {source for source in sorted(set(unpublished.values())) if _is_free(stack, conn, source)}
            mine = {run: source for run, source in unpublished.items() if source in free}
            with unit_of_work(conn):
                with holds.news_of_runs(conn, mine) as count:
                    if count:
                        holds.set_aside(conn, found.run_id, "taken_in", now=now)
                        holds.mark_held(conn, found.run_id, list(mine))
                # One question is asked once, however often the step comes to it.
                hold_id = known[0]["run_id"] if known and not count else found.run_id
                cause = "records" if count else "rules"
                run_ids = list(mine) if count else []
                holds.hold(conn, hold_id, cause=cause, findings=found.findings, run_ids=run_ids, now=now)
            report = HoldReport(hold_id, cause, tuple(found.findings), what_to_do(hold_id, found.findings))
            runs.finish_run(conn, found.run_id, status="held", report=report.as_dict(), at=context.clock())
    return report


def waiting_for_rules(conn: psycopg.Connection, command: str) -> HoldReport | None:
    """The hold of a changed configuration or model that a step of this command came to, if one waits."""
    for hold in holds.open_holds(conn):
        if hold["cause"] == "rules" and hold["command"] == command:
            message = what_to_do(hold["run_id"], hold["findings"])
            return HoldReport(hold["run_id"], "rules", tuple(hold["findings"]), message)
    return None


def refuse_while_rules_wait(context: Context) -> None:
    """Raise UsageError while nothing is published: for steps whose effect must be."""
    with context.connection("onefold hold") as conn:
        waiting = [hold["run_id"] for hold in holds.open_holds(conn) if hold["cause"] == "rules"]
    if waiting:
        raise UsageError(
            f"Run {waiting[0]} waits for a decision, and nothing is published until then.",
            f"Decide first: onefold runs {waiting[0]}",
        )


@logged("release")
def release(context: Context, run_id: int, *, by: str) -> DecisionReport:
    """Take in what is aside of a run (held, discarded or rolled back), and publish it whatever the limits say.

    Raises NothingFound and UsageError where there is nothing to release, also while somebody else publishes it; HubBusy
    while one of its sources is synced, Stale where somebody decides in the same moment.
    """
    started = time.perf_counter()
    with context.connection("onefold release") as conn, worked_at(conn, f"release {run_id}"):
        hold = _decidable(conn, run_id)
        with _locked(conn, (one["source"] for one in hold["streams"])), unit_of_work(conn):
            _say(context, conn, hold, "released", by=by)
            count = holds.take_in(conn, run_id, hold["run_ids"], now=context.clock())
        steps = _brought_up(context, everything=hold["cause"] == "rules")
    return DecisionReport(run_id, "released", count, 0, _since(started), *steps)


def under_way(context: Context, hold: Mapping[str, Any]) -> dict[str, Any] | None:
    """While a run is taken in and published: waiting (step, records), the steps that are at work now, and is_on. Where
    somebody took it in and is not at it any more (an error or the end of the process came between), is_on is False:
    what waits is for the next run. None: nobody is at it, and nothing waits."""
    with context.connection("onefold release") as conn:
        is_on = is_worked_at(conn, f"release {hold['run_id']}")
        if not is_on and hold["state"] != "released":
            return None
        waiting = figures.waiting(conn)
        return {"waiting": waiting, "steps": runs.at_work(conn), "is_on": is_on} if is_on or waiting else None


def take_rules(context: Context, *, by: str) -> None:
    """Publish what a changed configuration or model makes of the records, whatever the limits say; a run that was held
    for that is released."""
    with context.connection("onefold apply") as conn:
        waiting = [hold["run_id"] for hold in holds.open_holds(conn) if hold["cause"] == "rules"]
    for run_id in waiting:
        release(context, run_id, by=by)
    if not waiting:
        _brought_up(context)


@logged("discard")
def discard(context: Context, run_id: int, *, by: str) -> DecisionReport:
    """Leave out what a held run landed: it stays aside, and is known again when the source shows it once more, until
    the source says something else. Raises NothingFound, UsageError and Stale."""
    started = time.perf_counter()
    with context.connection("onefold discard") as conn:
        hold = _decidable(conn, run_id)
        if hold["state"] != "open":
            raise UsageError(f"Run {run_id} is {hold['state'].replace('_', ' ')} already.")
        if hold["cause"] == "rules":
            raise UsageError(
                f"Run {run_id} is held for a change of configuration or model, not for records.",
                f"Put the files back (or `onefold model use N`) and run again; or take it in: onefold release {run_id}",
            )
        _say(context, conn, hold, "discarded", by=by)
    return DecisionReport(run_id, "discarded", hold["records"], 0, _since(started))


@logged("rollback")
def rollback(context: Context, run_id: int, *, by: str) -> DecisionReport:
    """Take back what a run landed: its records stand as before it, and crosswalk, golden values and all that is served
    follow, as new history. A publication stands for the syncs that it showed.

    What the source has said otherwise of since stays. Raises NothingFound, UsageError, HubBusy.
    """
    started = time.perf_counter()
    with context.connection("onefold rollback") as conn:
        run = holds.find_run(conn, run_id)
        if run is None:
            raise NothingFound(f"There is no run {run_id}.", "onefold runs lists them.")
        _within_retention(context, run)
        taken = holds.shown_by(conn, run_id)
        if not taken:
            raise UsageError(
                f"Run {run_id} ({run['command']}) landed and published nothing that could be taken back.",
                "Name a sync, or the publication that showed it: onefold runs",
            )
        with _locked(conn, taken.values()), unit_of_work(conn):
            kept = holds.changed_since(conn, taken)
            with holds.news_of_runs(conn, taken) as count:
                if not count:
                    raise NothingFound(f"Nothing that run {run_id} landed stands any more.", "onefold runs lists them.")
                holds.set_aside(conn, run_id, "published", now=context.clock())
            holds.hold(
                conn, run_id, cause="rollback", findings=[], run_ids=list(taken), now=context.clock(), taken_back_by=by
            )
    return DecisionReport(run_id, "rolled_back", count, kept, _since(started), *_brought_up(context))


def last_runs(
    context: Context, *, source: str | None = None, trace_id: str | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """The last runs (of a source, of a trace), newest first; in `words` each hold, and what ended one that failed."""
    with context.connection("onefold runs") as conn:
        close_dead(conn, at=context.clock())
        found = holds.last_runs(conn, source=source, trace_id=trace_id, limit=limit)
    for run in found:
        error = run.pop("error")
        run["words"] = [*map(in_words, run.pop("findings") or ()), *([] if error is None else [error])]
    return found


def look_at_run(context: Context, run_id: int) -> dict[str, Any]:
    """One run with its report, and what of it is held: findings in words, examples by their names, what to type."""
    from warehouse.resolution import names_of

    with context.connection("onefold runs") as conn:
        run = holds.find_run(conn, run_id)
        if run is None:
            raise NothingFound(f"There is no run {run_id}.", "onefold runs lists them.")
        hold = holds.find_hold(conn, run_id)
        if hold is not None:
            ids = {record for one in hold["findings"] for record in one.get("examples", ())}
            names = names_of(conn, sorted(ids))
            hold["words"] = list(map(in_words, hold["findings"]))
            hold["examples"] = sorted(names[record] for record in ids if record in names)
            hold["next"] = list(next_commands(hold))
    return {**run, "hold": hold}


def next_commands(hold: dict[str, Any]) -> Iterator[str]:
    """What can be typed about a hold, with what it does."""
    run_id = hold["run_id"]
    if hold["state"] == "open" and hold["cause"] == "rules":
        yield f"onefold release {run_id}           do it, whatever the limits say"
        yield "onefold run                   after the configuration was put back"
    elif hold["state"] == "open":
        yield f"onefold release {run_id}           take it in, whatever the limits say"
        yield f"onefold discard {run_id}           leave it out until the source says something else"
    elif hold["state"] in DECIDABLE:
        yield f"onefold release {run_id}           take it in after all"


def _decidable(conn: psycopg.Connection, run_id: int) -> dict[str, Any]:
    hold = holds.find_hold(conn, run_id)
    if hold is None:
        others = ", ".join(str(one["run_id"]) for one in holds.open_holds(conn)) or "none"
        raise NothingFound(f"Nothing of run {run_id} is held.", f"Held now: {others}.")
    if hold["state"] not in DECIDABLE:
        raise UsageError(f"Run {run_id} is {hold['state']} already: nothing of it is aside.")
    return hold


def _say(context: Context, conn: psycopg.Connection, hold: Mapping[str, Any], state: str, *, by: str) -> None:
    run_id = hold["run_id"]
    if not holds.decide(conn, run_id, state, seen=hold["state"], by=by, now=context.clock()):
        raise Stale(f"Somebody has decided about run {run_id} meanwhile.", f"Look again: onefold runs {run_id}")


def _within_retention(context: Context, run: dict[str, Any]) -> None:
    """The version before a run must not have been deleted for its age."""
    from datetime import datetime

    kept = context.configuration.hub.retention.raw_versions
    if kept is not None and context.clock() - datetime.fromisoformat(run["started_at"]) > kept:
        raise UsageError(
            f"Run {run['run_id']} is older than `retention.raw_versions`: what stood before it may be deleted.",
            "Read the sources anew instead: onefold run --full",
        )


def _brought_up(
    context: Context, *, everything: bool = False
) -> tuple[StandardiseReport, ResolveReport, PublishReport]:
    """All that waits, without limits: a person has said so."""
    from onefold.steps.publish import publish
    from onefold.steps.resolve import resolve
    from onefold.steps.standardise import standardise

    standardised = standardise(context)
    return standardised, resolve(context, everything=everything, limited=False), publish(context, limited=False)


def _is_free(stack: ExitStack, conn: psycopg.Connection, source: str) -> bool:
    """Take the lock on a source for the stack; False if somebody syncs it."""
    is_mine = runs.try_source_lock(conn, source)
    if is_mine:
        stack.callback(runs.release_source_lock, conn, source)
    return is_mine


@contextmanager
def _locked(conn: psycopg.Connection, sources: Iterable[str]) -> Iterator[None]:
    with ExitStack() as stack:
        busy: Sequence[str] = [one for one in sorted(set(sources)) if not _is_free(stack, conn, one)]
        if busy:
            raise HubBusy(f"{', '.join(busy)} is being synced by another process.", "Try again when it has ended.")
        yield


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
