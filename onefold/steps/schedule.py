"""Which sources are to be read, and when: by the schedules of the configuration and the last runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from onefold.configuration.schedule import last_due, next_due
from onefold.steps.report import DueSource
from warehouse import runs

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from warehouse.runs import LastRun

_CLOCKS_DIFFER = timedelta(minutes=1)
"""By how much the clocks of machines that run one hub may differ."""


def enabled_sources(context: Context) -> list[str]:
    """The sources that a run without a choice reads; one with `enabled: false` is read when it is asked for by name."""
    return [name for name, source in context.configuration.sources.items() if source.enabled]


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
    elif last is not None and (last.status == "running" or "died" in (last.report or {})):
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


def overdue(source: DueSource, now: datetime) -> float:
    """Seconds since the first moment of its schedule that it missed; 0 when it is not due, or was never read."""
    if source.due_since is None or source.schedule is None or source.last_sync is None:
        return 0.0
    missed = next_due(source.schedule, datetime.fromisoformat(source.last_sync))
    return max((now - missed).total_seconds(), 0.0) if missed else 0.0
