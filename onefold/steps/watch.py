"""What is watched over time: schedules, how long cases wait, sizes, how long steps take, how weights lie."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from onefold.steps.schedule import due_sources, overdue
from warehouse import figures

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

RUNS: Final = 30
"""Last runs of each step that a trend is made of."""
TABLES: Final = 10
"""The largest tables are told by name; the others are in their schema's size."""
_CURRENT: Final = 3


def watch(context: Context, conn: psycopg.Connection, now: datetime) -> dict[str, Any]:
    """schedule (by source), case_ages, unanswered_writes, disk, steps (slowest first), weights (by kind)."""
    return {
        "schedule": [
            {**one.as_dict(), "overdue_seconds": round(overdue(one, now))} for one in due_sources(context, conn)
        ],
        "case_ages": [{**row, "oldest_at": row["oldest_at"].isoformat()} for row in figures.case_ages(conn, now)],
        "unanswered_writes": figures.unanswered_writes(conn),
        "disk": disk(context, conn),
        "steps": steps(context, conn),
        "weights": weights(conn),
    }


def disk(context: Context, conn: psycopg.Connection) -> dict[str, Any]:
    """database_bytes, schemas (name -> bytes), tables (the largest), free_bytes and total_bytes of the file system.

    The last two are None where the hub is on a server whose disk is not seen here.
    """
    rows, schemas = figures.sizes(conn), dict.fromkeys(figures.SCHEMAS, 0)
    for row in rows:
        schemas[row["schema"]] += row["bytes"]
    folder = data_folder(context)
    seen = shutil.disk_usage(folder) if folder else None
    return {
        "database_bytes": figures.database_size(conn),
        "schemas": schemas,
        "tables": rows[:TABLES],
        "free_bytes": seen.free if seen else None,
        "total_bytes": seen.total if seen else None,
    }


def data_folder(context: Context) -> Path | None:
    """Where the embedded database has its data; None where the hub is on a server whose disk is not seen here."""
    from onefold.access import embedded_server

    if context.settings.database_url:
        return None
    return embedded_server(context.settings).folders.cluster


def steps(context: Context, conn: psycopg.Connection) -> list[dict[str, Any]]:
    """step, source, runs, seconds (oldest first), last, median, trend; slowest by the median of the last three first.

    `trend` is that median over the one of the runs before: 2 means twice as slow; None with fewer than six runs.
    """
    rows = figures.durations(conn, list(context.configuration.sources), most=RUNS)
    found = [
        {
            "step": row["command"],
            "source": row["source"],
            "runs": row["runs"],
            "seconds": [round(value, 3) for value in row["seconds"]],
            "last": round(row["seconds"][-1], 3),
            "median": round(median(row["seconds"][-_CURRENT:]), 3),
            "trend": trend(row["seconds"]),
        }
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one["median"], one["step"], one["source"] or ""))


def trend(seconds: Sequence[float]) -> float | None:
    """The median of the last three over that of those before; None where those are fewer than three, or took no time.

    >>> trend([1, 1, 2, 4, 4, 5])
    4.0
    """
    before = seconds[:-_CURRENT]
    if len(before) < _CURRENT or not (usual := median(before)):
        return None
    return round(median(seconds[-_CURRENT:]) / usual, 2)


def weights(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """kind, runs: of each run of resolve its run_id, at, model_version, pairs, linked, review, median (bits), oldest
    first."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in figures.spreads(conn, most=RUNS):
        for kind, found in row["spread"].items():
            about = {
                "run_id": row["run_id"],
                "at": row["started_at"].isoformat(),
                "model_version": row["model_version"],
            }
            kinds.setdefault(kind, []).append({**about, **found})
    return [{"kind": kind, "runs": runs} for kind, runs in sorted(kinds.items())]


def concerns(found: dict[str, Any]) -> list[str]:
    """What of a status needs somebody: sources that are stale or were never read, runs that failed or are held, a disk
    that is nearly full. Waiting cases and rejects are work, not trouble."""
    said = [f"run {hold['run_id']} is held" for hold in found["holds"]]
    for stream in found["streams"]:
        if stream["freshness"] in ("stale", "never"):
            said.append(f"{stream['source']}:{stream['stream']} is {stream['freshness']}")
    said += [
        f"{run['command']}{' of ' + run['source'] if run['source'] else ''} {run['status']} (run {run['run_id']})"
        for run in found["runs"]
        if run["status"] in ("failed", "stopped")
    ]
    free, total = found["disk"]["free_bytes"], found["disk"]["total_bytes"]
    if free is not None and free < 0.05 * total:
        said.append(f"{free / total:.1%} of the disk is free")
    return said
