"""The hub as a web process holds it: one context for what is written, one on kept connections for what is read."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeVar

from onefold.context import Context, open_context
from onefold.errors import HubBusy, UsageError

if TYPE_CHECKING:
    import psycopg
    from psycopg_pool import ConnectionPool

    from onefold.settings import Settings
    from onefold.steps.lookup import Lookup

Found = TypeVar("Found")

THREADS = 8
"""Requests that are worked on at once in one process; the others wait their turn."""
_CONNECTIONS = 2 * THREADS
"""A request may hold one connection while it asks for another: with twice as many none waits for itself."""
_LOOKUPS = 2
_WAITING, _PATIENCE = 2, 5.0
"""How many decisions wait for their turn, and for how many seconds."""


@dataclass(frozen=True)
class KeptContext(Context):
    """A context whose connections are kept open between uses."""

    pool: ConnectionPool | None = None

    @contextmanager
    def connection(self, name: str = "onefold") -> Iterator[psycopg.Connection[Any]]:  # noqa: ARG002
        """One of the kept connections, given back at the end."""
        assert self.pool is not None
        with self.pool.connection() as conn:
            yield conn


class Hub:
    """What a request works with."""

    def __init__(self, context: Context, pool: ConnectionPool) -> None:
        self.writing = context
        """Its steps open connections of their own: they hold locks, and read on two at once."""
        shared = {one.name: getattr(context, one.name) for one in fields(Context)}
        self.reading = KeptContext(**shared, pool=pool)
        self._pool = pool
        self._lookups: SimpleQueue[Lookup] = SimpleQueue()
        self._judging, self._next = BoundedSemaphore(THREADS // 2), BoundedSemaphore(_WAITING)

    def first_asked(self, question: Callable[[psycopg.Connection[Any]], Found]) -> Found:
        """The answer to the first question of a request; asked once more where the server has gone since the last."""
        import psycopg

        from warehouse.connect import is_lost

        try:
            with self.reading.connection() as conn:
                return question(conn)
        except psycopg.OperationalError as error:
            if not is_lost(error):
                raise
        self._pool.check()
        with self.reading.connection() as conn:
            return question(conn)

    @contextmanager
    def lookup(self) -> Iterator[Lookup]:
        """A lookup that keeps its rules and its connection; as many are made as are used at once, two are kept."""
        from onefold.steps.lookup import Lookup
        from warehouse.connect import connect

        one = self._kept_lookup()
        if one is None:
            one = Lookup(self.writing, connect(self.writing.database_url, application_name="onefold serve lookup"))
        try:
            yield one
        except UsageError:  # it was asked wrongly, and is as good as before
            self._keep(one)
            raise
        except BaseException:
            one.conn.close()
            raise
        self._keep(one)

    @contextmanager
    def judging(self) -> Iterator[Context]:
        """The context for a decision. HubBusy: half of the threads are at it and two wait; the others go on reading."""
        if not self._judging.acquire(blocking=False):
            busy = HubBusy("Other decisions are being taken; say it again.")
            if not self._next.acquire(blocking=False):
                raise busy
            try:
                if not self._judging.acquire(timeout=_PATIENCE):
                    raise busy
            finally:
                self._next.release()
        try:
            yield self.writing
        finally:
            self._judging.release()

    def _kept_lookup(self) -> Lookup | None:
        """One that is kept and whose server has not gone meanwhile."""
        import psycopg

        while True:
            try:
                one = self._lookups.get_nowait()
            except Empty:
                return None
            try:
                one.conn.execute("")
            except psycopg.OperationalError:
                one.conn.close()
            else:
                return one

    def _keep(self, one: Lookup) -> None:
        if self._lookups.qsize() < _LOOKUPS:
            self._lookups.put(one)
        else:
            one.conn.close()

    def close(self) -> None:
        """Close what is kept."""
        while not self._lookups.empty():
            self._lookups.get().conn.close()


@contextmanager
def open_hub(settings: Settings) -> Iterator[Hub]:
    """The hub for as long as the process serves; what it needs for good is left out of garbage collections."""
    from warehouse.connect import open_pool

    with open_context(settings) as context:
        pool = open_pool(context.database_url, application_name="onefold serve", most=_CONNECTIONS)
        hub = Hub(context, pool)
        gc.collect()
        gc.freeze()
        try:
            yield hub
        finally:
            gc.unfreeze()
            hub.close()
            pool.close()
