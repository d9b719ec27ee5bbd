"""notify: what came up is told once, by every channel of `notifications` in hub.yaml, and once when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from onefold.channels.message import Message
from onefold.channels.send import NotTold, mail, post
from onefold.configuration.errors import SecretMissing
from onefold.configuration.secrets import environment, resolve_secrets
from onefold.errors import NothingFound
from onefold.settings import DAG_OF_SOURCE
from onefold.steps.freshness import freshness
from onefold.steps.limits import in_words
from onefold.steps.report import NoticesReport, RunReport, StreamReport
from warehouse import holds, notices, runs
from warehouse.concerns import raised
from warehouse.connect import unit_of_work
from warehouse.notices import Condition, Notice
from warehouse.standing import standing

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

LONGEST: Final = 2_000
"""Characters of an error that are told."""
_TOLD_FOR: Final = timedelta(days=7)
"""Runs that began before and died are no news."""
_STANDING: Final = frozenset({"stopped", "stale", "review", "concern"})
"""Kinds of what is so whoever runs the steps."""


def notify(
    context: Context, conn: psycopg.Connection, report: RunReport | None, *, failed: Exception | None = None
) -> NoticesReport:
    """Note what is so now after a run (or after the error that ended it), and tell who has not been told.

    A channel that does not take its message is no failure of the run: it is tried again by the next one.
    """
    conditions = list(_conditions(context, conn, report, failed))
    looked_at = [key for key in notices.open_keys(conn) if _was_looked_at(context, key, report)]
    return keep_and_tell(context, conn, conditions, looked_at)


def tell_standing(context: Context, conn: psycopg.Connection) -> NoticesReport:
    """The same of what stands whoever runs the steps: dead and held runs, stale streams, cases that wait.

    What was told of sources that are not configured any more is over: nothing of theirs is left to say so.
    """
    conditions = [*_dead(context, conn), *_standing(context, conn)]
    looked_at = [key for key in notices.open_keys(conn) if _stands(key) or _is_gone(context, key)]
    return keep_and_tell(context, conn, conditions, looked_at)


def _stands(key: str) -> bool:
    kind, _, place = key.partition(":")
    return place.startswith("died:") or (kind in _STANDING and not notices.is_of_task(key))


def _is_gone(context: Context, key: str) -> bool:
    """The stream that failed, or the source that a task of its DAG was about, is not configured any more."""
    kind, _, place = key.partition(":")
    sources = context.configuration.sources
    if notices.is_of_task(key):
        dag_id = place.removeprefix(notices.TASK).partition(".")[0]
        return dag_id.startswith(DAG_OF_SOURCE) and dag_id.removeprefix(DAG_OF_SOURCE) not in sources
    if kind != "failure" or place == "run" or place.startswith("died:"):
        return False
    source, _, stream = place.partition(":")
    return source not in sources or stream not in sources[source].streams


def keep_and_tell(
    context: Context, conn: psycopg.Connection, conditions: Sequence[Condition], looked_at: Sequence[str]
) -> NoticesReport:
    """Open what is so, close what of the keys `looked_at` is not, and tell every channel what it does not know yet."""
    with unit_of_work(conn):
        opened, closed = notices.keep(conn, conditions, looked_at, at=context.clock())
    told, errors = {}, []
    for channel, send in _channels(context):
        with unit_of_work(conn):
            untold = notices.untold(conn, channel, context.configuration.hub.notifications.on)
            if not untold:
                continue
            try:
                send(Message(_name(context), untold))
            except (NotTold, SecretMissing) as error:
                errors.append(str(error))
                continue
            notices.mark_told(conn, channel, untold)
            told[channel] = len(untold)
    return NoticesReport(tuple(opened), tuple(closed), told, tuple(errors))


def try_channels(context: Context) -> NoticesReport:
    """Send every channel a message that says it is a trial."""
    now = context.clock()
    trial = Notice(
        0, "failure", "trial", "a trial message", "Nothing is wrong. Notices of this hub come here.", now, None
    )
    told, errors = {}, []
    for channel, send in _channels(context):
        try:
            send(Message(_name(context), [trial]))
            told[channel] = 1
        except (NotTold, SecretMissing) as error:
            errors.append(str(error))
    return NoticesReport((), (), told, tuple(errors))


def _conditions(
    context: Context, conn: psycopg.Connection, report: RunReport | None, failed: Exception | None
) -> Iterator[Condition]:
    """What is so now; asked of what is kept, since this is asked every few minutes and `status` counts the hub."""
    if failed is not None:
        from onefold.failures import describe

        yield Condition("failure", "failure:run", "the run ended with an error", describe(failed)[:LONGEST])
    for source, stream in _streams(report):
        if stream.status == "failed":
            place = f"{source}:{stream.stream}"
            yield Condition("failure", f"failure:{place}", f"{place} failed", (stream.error or "no message")[:LONGEST])
    yield from _dead(context, conn)
    if report is None:
        return
    yield from _standing(context, conn)
    if _looks_for_drift(context, report):
        yield from _drift(context)


def _dead(context: Context, conn: psycopg.Connection) -> Iterator[Condition]:
    for dead in runs.dead_runs(conn, since=context.clock() - _TOLD_FOR):
        if not dead.is_over or not dead.is_known:
            what = f"{dead.command} of {dead.source}" if dead.source else dead.command
            detail = f"Begun {dead.started_at}; {runs.DIED}. The next run goes on. See: onefold runs {dead.run_id}"
            yield Condition("failure", f"failure:died:{dead.run_id}", f"run {dead.run_id} ({what}) died", detail)


def _standing(context: Context, conn: psycopg.Connection) -> Iterator[Condition]:
    for hold in holds.open_holds(conn):
        words = "; ".join(map(in_words, hold["findings"]))
        detail = f"{words}. See why, and decide: onefold runs {hold['run_id']}"
        yield Condition("stopped", f"stopped:{hold['run_id']}", f"run {hold['run_id']} is held", detail)
    now = context.clock()
    for one in notices.read_last(conn):
        if freshness(context, one, now) == "stale":
            place = f"{one['source']}:{one['stream']}"
            detail = f"Last read {one['synced_at']}. See why: onefold sync {one['source']} {one['stream']}"
            yield Condition("stale", f"stale:{place}", f"{place} has not been read for too long", detail)
    for one in raised(conn):
        # Clients are counted and never named: a notice leaves the hub.
        count = one["clients"] or one["row_count"]
        who = f" For: {one['owner']}." if one["owner"] else ""
        detail = f"{one['question_en']} {count} {'clients' if one['clients'] else 'rows'}.{who}"
        look = f"See them: onefold concerns show {one['concern']}"
        yield Condition("concern", f"concern:{one['concern']}", f"{one['concern']} is raised", f"{detail} {look}")
    _, open_cases = standing(conn)
    if open_cases:
        detail = f"{open_cases} wait for a person's word. See them: onefold cases"
        yield Condition("review", "review:cases", "cases wait for review", detail)


def _drift(context: Context) -> Iterator[Condition]:
    from onefold.steps.drift import drift

    with suppress(NothingFound):
        drifted = [one["kind"] for one in drift(context).kinds if one["verdict"] == "drifted"]
        if drifted:
            what = ", ".join(drifted)
            detail = f"Weights of {what} pairs are spread otherwise than before. See how: onefold evaluate --drift"
            yield Condition("drift", "drift:weights", "records are not what they were", detail)


def _looks_for_drift(context: Context, report: RunReport) -> bool:
    """Weights are others only where something was resolved."""
    return "drift" in context.configuration.hub.notifications.on and report.resolve.run_id is not None


def _streams(report: RunReport | None) -> Iterator[tuple[str, StreamReport]]:
    for sync in report.syncs if report else ():
        for stream in sync.streams:
            yield sync.source, stream


def _was_looked_at(context: Context, key: str, report: RunReport | None) -> bool:
    """Whether this run could tell that what is open is over: a stream that was not read says nothing of itself, unless
    it is no longer configured; one that is to come back later says nothing either."""
    kind, _, place = key.partition(":")
    if report is None or notices.is_of_task(key):
        return False
    if kind == "failure" and place != "run" and not place.startswith("died:"):
        read = {f"{source}:{stream.stream}" for source, stream in _streams(report) if stream.status != "deferred"}
        return place in read or _is_gone(context, key)
    return kind != "drift" or _looks_for_drift(context, report)


def _channels(context: Context) -> Iterator[tuple[str, Callable[[Message], None]]]:
    wanted = context.configuration.hub.notifications

    def secret(text: str) -> str:
        return str(resolve_secrets({"it": text}, environment(context.settings.config, context.environ))["it"])

    if wanted.webhook:
        yield "webhook", lambda message: post(secret(wanted.webhook or ""), message)
    if wanted.email:
        yield "email", lambda message: mail(secret(_smtp(wanted.smtp)), wanted.sender, wanted.email, message)


def _smtp(server: str | None) -> str:
    if server is None:
        raise NotTold("email: `notifications.smtp` of hub.yaml does not say by which server mail goes.")
    return server


def _name(context: Context) -> str:
    titles = context.configuration.hub.title or {}
    return next((titles[language] for language in context.configuration.hub.languages if language in titles), "Onefold")
