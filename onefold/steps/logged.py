"""How steps tell the log what they do: their beginning, their end with its counts, and the run that they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from onefold import logs, tracing
from onefold.failures import is_expected
from warehouse import runs

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from onefold.context import Context

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def logged(step: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A step whose lines in the log bear its name (and its `source`, if it is given one)."""

    def decorate(call: Callable[P, R]) -> Callable[P, R]:
        said = signature(call)
        has_source = "source" in said.parameters

        @wraps(call)
        def told(*args: P.args, **kwargs: P.kwargs) -> R:
            source = said.bind_partial(*args, **kwargs).arguments.get("source") if has_source else None
            started = time.perf_counter()
            with logs.bound(step=step, source=source, stream=None, run_id=None):
                logs.tell(log, logging.DEBUG, "step.started", f"{step} begins")
                try:
                    report = call(*args, **kwargs)
                except Exception as error:
                    # Its kind only: what the error says may be a source's words, and whoever called the step shows it.
                    seconds = round(time.perf_counter() - started, 3)
                    level = logging.INFO if is_expected(error) else logging.ERROR
                    kind = type(error).__name__
                    logs.tell(log, level, "step.failed", f"{step} failed", seconds=seconds, error=kind)
                    if (run_id := logs.run_under_way()) is not None and args:
                        _fail(args[0], run_id, error)
                    raise
                _tell_end(step, report, time.perf_counter() - started)
            return report

        return told

    return decorate


def start_run(context: Context, conn: psycopg.Connection, command: str, source: str | None = None) -> int:
    """Record in `ops.run` that a step begins, as part of the trace under way; its lines in the log are of this run.
    Runs whose processes have died are closed."""
    trace, at = tracing.current(), context.clock()
    close_dead(conn, at=at)
    run_id = runs.start_run(conn, command=command, source=source, at=at, trace_id=trace.trace_id if trace else None)
    logs.belongs_to(run_id)
    return run_id


def close_dead(conn: psycopg.Connection, *, at: datetime) -> None:
    """Close the runs whose processes have died, and tell the log."""
    for run_id in runs.close_dead(conn, at=at):
        with logs.bound(run_id=run_id):
            logs.tell(log, logging.WARNING, "run.died", runs.DIED)


def _fail(context: object, run_id: int, error: Exception) -> None:
    """Record what ended a run; where the database does not answer, the next command finds it. A step that works with no
    context has none to record it in."""
    import psycopg

    from onefold.context import Context
    from warehouse.connect import HubDatabaseError, is_lost

    # A deadlock, a full disk and a timeout are operational errors too, and the database answers after them.
    if not isinstance(context, Context) or is_lost(error) or isinstance(error, HubDatabaseError):
        return
    with suppress(psycopg.Error, HubDatabaseError), context.connection("onefold failed") as conn:
        runs.fail_run(conn, run_id, error=type(error).__name__, at=context.clock())


def keep_run(context: Context, conn: psycopg.Connection, command: str, report: Mapping[str, Any]) -> None:
    """Keep what was found as a run of `ops.run` that is over, for who looks without counting again. Lines in the log go
    on to be of the work under way."""
    with logs.bound():
        run_id = start_run(context, conn, command)
        runs.finish_run(conn, run_id, status="done", report=report, at=context.clock())


def _tell_end(step: str, report: object, seconds: float) -> None:
    as_dict = getattr(report, "as_dict", None)
    counts: Mapping[str, Any] = as_dict() if as_dict is not None else {}
    status = getattr(report, "status", None) or ("held" if counts.get("held") else "done")
    numbers = {name: value for name, value in counts.items() if type(value) is int and value and name != "run_id"}
    level = logging.INFO if status in ("done", "deferred") else logging.WARNING
    logs.tell(log, level, "step.finished", f"{step} {status}", status=status, seconds=round(seconds, 3), **numbers)
