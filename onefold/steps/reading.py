"""Reads on two connections at once: a register's rows lie scattered, and the database fetches them on one core each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from warehouse.clock import same_moment

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

T = TypeVar("T")
Read = Callable[["psycopg.Connection"], T]

FEW = 400
"""Rows asked for below which one connection is as fast as two."""


class Readers:
    """A transaction's connection, and perhaps a second one that sees the same moment and none of its writes."""

    def __init__(
        self, conn: psycopg.Connection, other: psycopg.Connection | None = None, pool: ThreadPoolExecutor | None = None
    ) -> None:
        self.conn = conn
        self.other = other
        self._pool = pool

    def beside(self, read: Read[T]) -> Callable[[], T]:
        """`read` on the second connection while the first is used; what is given waits for its outcome. Without a
        second connection it is read first."""
        if self.other is None or self._pool is None:
            found = read(self.conn)
            return lambda: found
        future: Future[T] = self._pool.submit(read, self.other)
        return future.result

    def halves(self, ids: Sequence[int], read: Callable[[psycopg.Connection, Sequence[int]], T]) -> list[T]:
        """What is read of the ids, in one or two parts."""
        if self.other is None or len(ids) < FEW:
            return [read(self.conn, ids)]
        middle = len(ids) // 2
        second = self.beside(lambda other: read(other, ids[middle:]))
        return [read(self.conn, ids[:middle]), second()]


@contextmanager
def readers(context: Context, conn: psycopg.Connection, *, is_unwritten: bool) -> Iterator[Readers]:
    """Readers of the moment that the transaction of `conn` sees; two, where it `is_unwritten`: what is to be read is
    nothing that this transaction has changed."""
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as pool:
        if not is_unwritten:
            yield Readers(conn, None, pool)
            return
        with context.connection("onefold resolve, reading") as other, same_moment(conn, other):
            yield Readers(conn, other, pool)
