"""run --due: the sources whose time has come and the steps after them, for cron, systemd or whatever can start a
command; then whoever is to know of it is told."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from onefold.errors import HubBusy
from onefold.steps.logged import logged, start_run
from onefold.steps.mirror import look_weekly
from onefold.steps.notify import notify
from onefold.steps.report import DueReport, NoticesReport, RunReport
from onefold.steps.run import run
from onefold.steps.schedule import due_sources
from warehouse import runs

if TYPE_CHECKING:
    from onefold.context import Context

COMMAND = "run"


@logged("due")
def run_due(context: Context) -> DueReport:
    """Read what is due, bring the client view up to date, and tell whoever is to know. One at a time: raises HubBusy
    while another scheduled run is under way. An error that ends the run is told as well, and raised."""
    started = time.perf_counter()
    with context.connection("onefold run --due") as conn:
        if not runs.try_schedule_lock(conn):
            raise HubBusy("Another scheduled run is under way.", "This one left everything to it.")
        sources = due_sources(context, conn)
        run_id = start_run(context, conn, COMMAND)
        report: RunReport | None = None
        try:
            due = [one.source for one in sources if one.due_since is not None]
            report = run(context, due)
            look_weekly(context)
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
