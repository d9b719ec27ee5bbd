"""`ops.run`, and the lock that keeps two syncs of one source apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from warehouse.sql import sql


class LastRun(NamedTuple):
    """How a run went."""

    status: str
    started_at: datetime
    finished_at: datetime | None
    report: Mapping[str, Any] | None


class DeadRun(NamedTuple):
    """A run whose process ended before it did."""

    run_id: int
    command: str
    source: str | None
    started_at: str
    is_over: bool
    """A later run of the same step (of the same source) has ended well."""
    is_known: bool
    """There is or was a notice of it."""


DIED: Final = "its process, its machine or the database was stopped before it ended"
"""What is said of a run that was found dead."""


def start_run(
    conn: psycopg.Connection[Any], *, command: str, source: str | None = None, at: datetime, trace_id: str | None = None
) -> int:
    """Record that a step begins; its run id. Commit before working, so that a crash leaves a trace; until it is
    finished the connection's session holds the run's lock, by which others see that somebody is at it."""
    parameters = {"command": command, "source": source, "at": at, "trace_id": trace_id}
    row = conn.execute(sql("runs.start"), parameters).fetchone()
    assert row is not None
    return int(row[0])


def fail_run(conn: psycopg.Connection[Any], run_id: int, *, error: str, at: datetime) -> None:
    """Record that an error of this kind has ended a run, unless its end is recorded already by who knew it."""
    conn.execute(sql("runs.fail"), {"run_id": run_id, "report": Jsonb({"error": error}), "at": at})


def close_dead(conn: psycopg.Connection[Any], *, at: datetime) -> list[int]:
    """Close as failed, with the reason, the runs that are under way and that no session is at; their numbers."""
    report = Jsonb({"died": True, "error": DIED})
    return [row[0] for row in conn.execute(sql("runs.close_dead"), {"report": report, "at": at})]


def at_work(conn: psycopg.Connection[Any]) -> list[str]:
    """Steps that are under way now, the one that began first first."""
    return [row[0] for row in conn.execute(sql("runs.at_work"))]


def dead_runs(conn: psycopg.Connection[Any], *, since: datetime) -> list[DeadRun]:
    """Runs that began since then and were found dead, oldest first."""
    return [DeadRun(*row) for row in conn.execute(sql("runs.dead"), {"since": since})]


def finish_run(
    conn: psycopg.Connection[Any], run_id: int, *, status: str, report: Mapping[str, Any], at: datetime
) -> None:
    """Record how a run ended: done, failed, deferred or stopped, with its report (counts and ids only)."""
    conn.execute(sql("runs.finish"), {"run_id": run_id, "status": status, "report": Jsonb(dict(report)), "at": at})


def last_runs(conn: psycopg.Connection[Any], command: str) -> dict[str | None, LastRun]:
    """The latest run of a command, by source."""
    rows = conn.execute(sql("runs.last"), {"command": command}).fetchall()
    return {row[0]: LastRun(*row[1:]) for row in rows}


def try_schedule_lock(conn: psycopg.Connection[Any]) -> bool:
    """Take the session's lock on scheduled runs; False if another session holds it. It ends with the session."""
    return _try_lock(conn, _key(b"schedule lock"))


def try_plan_lock(conn: psycopg.Connection[Any]) -> bool:
    """Take the session's lock on plans; False if another session holds it. It ends with the session."""
    return _try_lock(conn, _key(b"plan lock"))


def try_source_lock(conn: psycopg.Connection[Any], source: str) -> bool:
    """Take the session's lock on a source; False if another session holds it. It ends with the session."""
    return _try_lock(conn, _lock_key(source))


def _try_lock(conn: psycopg.Connection[Any], key: int) -> bool:
    row = conn.execute(sql("runs.try_source_lock"), {"key": key}).fetchone()
    return bool(row and row[0])


def release_source_lock(conn: psycopg.Connection[Any], source: str) -> None:
    """Give the lock on a source back."""
    conn.execute(sql("runs.release_source_lock"), {"key": _lock_key(source)})


def _lock_key(source: str) -> int:
    return _key(b"source lock " + source.encode())


def _key(name: bytes) -> int:
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)
