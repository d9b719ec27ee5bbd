"""run --due: the sources whose time has come and the steps after them, for cron, systemd or whatever can start a
command; then whoever is to know of it is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from onefold.configuration.schedule import last_due, next_due
from onefold.errors import HubBusy
from onefold.steps.notify import notify
from onefold.steps.report import DueReport, DueSource, NoticesReport, RunReport
from onefold.steps.run import enabled_sources, run
from warehouse import runs

if TYPE_CHECKING:
    from onefold.context import Context
    from warehouse.runs import LastRun

COMMAND = "run"
_CLOCKS_DIFFER = timedelta(minutes=1)
"""By how much the clocks of machines that run one hub may differ."""


def due_sources(context: Context, conn: psycopg.Connection) -> tuple[DueSource, ...]:
    """When each enabled source is to be read, in the configuration's order.

    A source follows its `schedule`, else that of the hub; without either it is read whenever it is asked. It is due
    when a moment of the schedule has passed since its last sync began, when that sync was killed, and when the time
    has come that the source itself asked to be asked again at; and where that sync began in the future, because the
    clock was set back since.
    """
    now, last = context.clock(), runs.last_runs(conn, "sync")
    hub = context.configuration.hub.schedule
    configured = context.configuration.sources
    return tuple(_due(name, configured[name].schedule or hub, last.get(name), now) for name in enabled_sources(context))


def _due(source: str, schedule: str | None, last: LastRun | None, now: datetime) -> DueSource:
    if last is not None and last.started_at > now + _CLOCKS_DIFFER:
        last = None  # the machine's clock was set back: how long ago that was nobody can say
    began = last.started_at if last else None
    since: datetime | None = now
    following = next_due(schedule, now) if schedule else None
    if last is not None and last.status == "deferred" and (retry := _retry_at(last.report)):
        since, following = (retry, following) if retry <= now else (None, retry)
    elif last is not None and last.status == "running":
        since = last.started_at
    elif schedule:
        moment = last_due(schedule, now)
        since = moment if moment is not None and (began is None or began < moment) else (None if began else now)
    return DueSource(source, schedule, _text(began), _text(since), _text(following))


def _retry_at(report: Mapping[str, Any] | None) -> datetime | None:
    """The earliest moment at which a stream of the run asked to be read again."""
    asked = [stream["retry_at"] for stream in (report or {}).get("streams", ()) if stream.get("retry_at")]
    return min(map(datetime.fromisoformat, asked)) if asked else None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def run_due(context: Context) -> DueReport:
    """Read what is due, bring the client view up to date, and tell whoever is to know. One at a time: raises HubBusy
    while another scheduled run is under way. An error that ends the run is told as well, and raised."""
    started = time.perf_counter()
    with context.connection("onefold run --due") as conn:
        if not runs.try_schedule_lock(conn):
            raise HubBusy("Another scheduled run is under way.", "This one left everything to it.")
        sources = due_sources(context, conn)
        runs.stop_abandoned(conn, command=COMMAND, at=context.clock())
        run_id = runs.start_run(conn, command=COMMAND, at=context.clock())
        report: RunReport | None = None
        try:
            due = [one.source for one in sources if one.due_since is not None]
            report = run(context, due)
        except BaseException as error:
            with suppress(psycopg.Error):  # a server that has gone is what the error says already
                runs.finish_run(conn, run_id, status="failed", report={}, at=context.clock())
                if isinstance(error, Exception):
                    notify(context, conn, None, failed=error)
            raise
        notices = notify(context, conn, report)
        done = DueReport(run_id, round(time.perf_counter() - started, 3), sources, report, notices)
        runs.finish_run(conn, run_id, status=done.status, report={"due": due}, at=context.clock())
    return done


def look(context: Context) -> DueReport:
    """What `run_due` would read now; nothing is done."""
    with context.connection("onefold run --due") as conn:
        return DueReport(0, 0.0, due_sources(context, conn), None, NoticesReport())
