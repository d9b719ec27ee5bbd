"""How the sources are: freshness against its promise, last runs, what is due, refused, held, and which fields changed.

For pages that are looked at often: by indexes and the last rows of `ops.run` only, however large the hub is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound
from onefold.steps.columns import drift
from onefold.steps.freshness import FRESHNESS, freshness
from onefold.steps.hold import next_commands
from onefold.steps.limits import in_words
from onefold.steps.logged import close_dead
from onefold.steps.schedule import due_sources, overdue
from warehouse import figures, holds, quality, source_runs

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration import SourceConfiguration
    from onefold.context import Context

RUNS: Final = 20
"""Runs of one source that its page lists, and that tell which fields came or went."""
RUNS_OF_EACH: Final = 5
DAYS: Final = 30
_WORST: Final = {state: rank for rank, state in enumerate(FRESHNESS)}
"""fresh, late, stale, never."""


def sources(context: Context, conn: psycopg.Connection, *, only: str | None = None) -> list[dict[str, Any]]:
    """Each configured source (or `only` one) as `_one` tells it, those that need somebody first, then by name."""
    configured = {name: one for name, one in context.configuration.sources.items() if only in (None, name)}
    now = context.clock()
    close_dead(conn, at=now)
    read = {(row["source"], row["stream"]): row["synced_at"] for row in figures.streams(conn)}
    refused: dict[str, int] = {}
    for row in figures.rejects(conn):
        refused[row["source"]] = refused.get(row["source"], 0) + row["rejects"]
    due = {one.source: one for one in due_sources(context, conn)}
    runs = by_source(source_runs.last(conn, configured, limit=RUNS_OF_EACH))
    found = []
    for name, source in configured.items():
        one = _one(context, name, source, read, runs.get(name, ()), now)
        when = due.get(name)
        one |= {
            "rejects": refused.get(name, 0),
            "next": when.next if when else None,
            "due_since": when.due_since if when else None,
            "overdue_seconds": overdue(when, now) if when else 0.0,
        }
        found.append(one)
    return sorted(found, key=lambda one: (not one["troubles"], one["source"]))


def by_source(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by their source, in the order in which they came."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["source"], []).append(row)
    return found


def _one(
    context: Context,
    name: str,
    source: SourceConfiguration,
    read: Mapping[tuple[str, str], datetime],
    runs: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """source, title, department, connector, owner, enabled, promise, streams (stream, synced_at, freshness), state (the
    worst of theirs), last (as `run_of`), drift, troubles (of late, stale, never, failed, held, stopped)."""
    known = [stream for place, stream in read if place == name]
    streams = []
    for stream in dict.fromkeys([*source.streams, *known]):
        at = read.get((name, stream))
        said = {"source": name, "stream": stream, "synced_at": at.isoformat() if at else None}
        streams.append({**said, "freshness": freshness(context, said, now)})
    state = FRESHNESS[max((_WORST[str(one["freshness"])] for one in streams), default=0)]
    last = run_of(runs[0]) if runs else None
    # Running or deferred is no trouble, and what was switched off is nobody's.
    troubles = [state] if state != "fresh" else []
    if last is not None and last["status"] in ("failed", "stopped", "held"):
        troubles.append(last["status"])
    return {
        "source": name,
        "title": source.title,
        "department": source.department,
        "owner": source.owner,
        "connector": source.connector,
        "enabled": source.enabled,
        "schedule": source.schedule or context.configuration.hub.schedule,
        "promise": source.freshness,
        "streams": streams,
        "state": state,
        "last": last,
        "drift": drift(runs),
        "troubles": troubles if source.enabled else [],
    }


def run_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """run_id, status, started_at, seconds, rows, changed, rejected, hold, errors (stream, error, error_class) of a
    sync.

    Rows are those that the source showed, changed or not; what it changed counts deletions too.
    """
    report = row["report"] or {}
    streams = report.get("streams") or ()
    ended = None if "died" in report else row["finished_at"]
    # What ended it as a whole.
    whole = (
        [{"stream": row["source"], "error": report["error"], "error_class": row["status"]}] if "error" in report else []
    )

    def total(*names: str) -> int:
        return sum(int(stream.get(name) or 0) for stream in streams for name in names)

    return {
        "run_id": row["run_id"],
        "status": "held" if row["hold"] == "open" else row["status"],
        "started_at": row["started_at"],
        "seconds": (ended - row["started_at"]).total_seconds() if ended else None,
        "rows": total("inserted", "updated", "unchanged"),
        "changed": total("inserted", "updated", "deleted"),
        "rejected": total("rejected"),
        "hold": row["hold"],
        "errors": [
            {name: stream.get(name) for name in ("stream", "error", "error_class")}
            for stream in (*whole, *streams)
            if stream.get("error")
        ],
    }


def source(context: Context, conn: psycopg.Connection, name: str) -> dict[str, Any]:
    """One source as `sources` tells it, with `runs`, `drift` over them, `days` and `reasons` of what is refused.

    NothingFound: no source of that name is configured.
    """
    if name not in context.configuration.sources:
        raise NothingFound(f"There is no source {name}.")
    found = next(iter(sources(context, conn, only=name)))
    rows = source_runs.last(conn, [name], limit=RUNS)
    now = context.clock()
    since = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = source_runs.ends(conn, name, since=since - timedelta(days=1))
    return {
        **found,
        "runs": [run_of(row) for row in rows],
        "drift": drift(rows),
        "days": days(ends, since, now),
        "reasons": quality.reject_reasons(conn, name),
    }


def days(ends: Sequence[Mapping[str, Any]], since: datetime, now: datetime) -> list[dict[str, Any]]:
    """Of each day (UTC) up to now: day, rows, changed, runs, failed, and hours: how old the news of the source grew at
    most (None while nothing is known of it)."""
    found = []
    by_day: dict[int, list[Mapping[str, Any]]] = {}
    for one in ends:
        by_day.setdefault((one["started_at"] - since).days, []).append(one)
    last: datetime | None = max((end["finished_at"] for end in ends if _is_news(end, since)), default=None)
    begin = since
    while begin <= now:
        end = min(begin + timedelta(days=1), now)
        mine = by_day.get((begin - since).days, [])
        oldest, waited = last, 0.0
        for one in mine:
            if one["status"] in ("done", "held") and one["finished_at"] is not None:
                waited = max(waited, _hours(oldest, one["finished_at"]))
                oldest = one["finished_at"]
        known = oldest is not None or bool(mine)
        hours = max(waited, _hours(oldest, end)) if known else None
        found.append(
            {
                "day": date(begin.year, begin.month, begin.day),
                "rows": sum(one["rows"] for one in mine),
                "changed": sum(one["changed"] for one in mine),
                "runs": len(mine),
                "failed": sum(one["status"] in ("failed", "stopped") for one in mine),
                "hours": hours,
            }
        )
        last, begin = oldest, begin + timedelta(days=1)
    return found


def _is_news(end: Mapping[str, Any], before: datetime) -> bool:
    return end["status"] in ("done", "held") and end["finished_at"] is not None and end["finished_at"] < before


def _hours(since: datetime | None, until: datetime) -> float:
    return 0.0 if since is None else max((until - since).total_seconds() / 3600, 0.0)


def open_holds(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """The runs that wait for a person, with what went beyond the limits in `words` and what to type in `next`."""
    return [
        {**hold, "words": list(map(in_words, hold["findings"])), "next": list(next_commands(hold))}
        for hold in holds.open_holds(conn)
    ]
