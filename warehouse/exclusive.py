"""All tables and views for oneself, for a moment, among others who read and write; or a word about who is in the way.

Whoever waits for a lock makes all wait who come after it. So one attempt at all locks is given up before PostgreSQL
looks for deadlocks: no reader waits longer for it, none is picked as a victim, and in the pause between two attempts
all get on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import errors

from warehouse.connect import connect
from warehouse.sql import sql

ATTEMPT_SHARE: Final = 0.8
"""Of deadlock_timeout: how long one attempt at all locks may take."""
PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between attempts; then the last one again and again."""
_LOOK_EVERY: Final = 0.1
_VACUUM: Final = "autovacuum worker"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process of the server that holds what a migration waits for."""

    pid: int
    role: str | None
    application: str
    backend: str
    state: str | None
    open_seconds: float | None
    waited_for: str | None

    def __str__(self) -> str:
        name = self.application or self.backend
        role = f", role {self.role}" if self.role else ""
        since = f", its transaction is open for {self.open_seconds:.0f} s" if self.open_seconds is not None else ""
        idle = " and idle" if (self.state or "").startswith("idle in transaction") else ""
        table = f" and holds {self.waited_for}" if self.waited_for else ""
        return f"{name} (process {self.pid}{role}{since}{idle}){table}"


class LocksRefused(Exception):
    """The locks were not to be had in time. `holders` had them."""

    def __init__(self, holders: Sequence[Holder]) -> None:
        self.holders = tuple(holders)
        super().__init__("; ".join(map(str, holders)) or "somebody held them and has gone since")


def lock_everything(conn: psycopg.Connection[Any], url: str, *, past_vacuum: bool = False) -> None:
    """Lock all tables and views of the hub until the open transaction of `conn` ends, in one short attempt; raises
    `LocksRefused`, with `conn`'s transaction failed.

    `past_vacuum`: wait so long that the server ends an autovacuum that is in the way.
    """
    row = conn.execute(sql("migrate.deadlock_timeout")).fetchone()
    milliseconds = int(row[0]) if row else 1000
    within = milliseconds * 3 if past_vacuum else int(milliseconds * ATTEMPT_SHARE)
    conn.execute(sql("migrate.finish_within"), {"milliseconds": within})
    with refused(conn, url):
        conn.execute(sql("migrate.lock_everything"))
    conn.execute(sql("migrate.finish_within"), {"milliseconds": 0})


@contextmanager
def refused(conn: psycopg.Connection[Any], url: str) -> Iterator[None]:
    """A wait for locks inside the block that a time-out ends raises `LocksRefused` with who had them."""
    with _watched(conn.info.backend_pid, url) as holders:
        try:
            yield
        except (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected) as exc:
            raise LocksRefused(holders()) from exc


@contextmanager
def _watched(pid: int, url: str) -> Iterator[Callable[[], Sequence[Holder]]]:
    """Looks every tenth of a second for whom process `pid` waits; the function tells who was seen last."""
    last: list[Holder] = []
    over = threading.Event()

    def look() -> None:
        with connect(url, application_name="onefold migrate, looking") as other:
            while not over.wait(_LOOK_EVERY):
                found = [Holder(*row) for row in other.execute(sql("migrate.holders"), {"pid": pid})]
                last[:] = found or last

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: tuple(last)
    finally:
        over.set()
        thread.join(10)


def only_vacuum(holders: Sequence[Holder]) -> bool:
    """Nothing but an autovacuum was in the way."""
    return bool(holders) and all(one.backend == _VACUUM for one in holders)


@contextmanager
def held_at_most(conn: psycopg.Connection[Any], seconds: float) -> Iterator[Callable[[], bool]]:
    """Cancels what `conn` does when the block has lasted so long; the function tells whether it was cancelled."""
    cancelled = threading.Event()

    def cancel() -> None:
        cancelled.set()
        conn.cancel()

    timer = threading.Timer(seconds, cancel)
    timer.daemon = True
    timer.start()
    try:
        yield cancelled.is_set
    finally:
        timer.cancel()


def attempts(patience: float) -> Iterator[float]:
    """Attempts with growing pauses between them, for `patience` seconds; each comes with the seconds that are left."""
    end = time.monotonic() + patience
    number = 0
    while True:
        left = end - time.monotonic()
        yield max(left, 0.0)
        if left <= 0:
            return
        time.sleep(min(PAUSES[min(number, len(PAUSES) - 1)], max(0.05, end - time.monotonic())))
        number += 1
