"""Work queues in `ops.pending`: append-only, without a unique key on the record.

A step reads rows, works, and deletes exactly the rows that it read in the transaction that writes its
results, so that a record queued again meanwhile stays queued. (An upsert into a unique queue would lose that
second entry.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg

from warehouse.arrays import bigints, uuids
from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one queue, oldest first; `record_ids` without repetitions, in that order."""

    step: str
    pending_ids: Sequence[int]
    record_ids: Sequence[int]

    def __bool__(self) -> bool:
        return bool(self.pending_ids)


def read(conn: psycopg.Connection[Any], step: str, limit: int | None = None, *, after: int = 0) -> Batch:
    """The oldest entries of a queue behind the entry `after`, at most `limit` of them. Nothing is locked."""
    return _batch(conn, step, "read", {"limit": limit, "after": after})


def read_parties(conn: psycopg.Connection[Any], step: str, size: int) -> list[Batch]:
    """All entries of a queue but those of interactions, oldest first, at most `size` in each. Nothing is locked."""
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sql("queue.read_parties"), {"step": step}).fetchall()
    return [_of(step, rows[first : first + size]) for first in range(0, len(rows), size)]


def facts_done(conn: psycopg.Connection[Any], step: str) -> int:
    """Delete the entries of interactions, none of which can change before the transaction ends; how many."""
    return conn.execute(sql("queue.facts_done"), {"step": step}).rowcount


def with_clients(conn: psycopg.Connection[Any], batch: Batch, client_ids: Sequence[str]) -> Batch:
    """The batch with all entries of its queue for records that belong to these clients now.

    A client whose records stand far apart in the queue, or twice, is then worked once.
    """
    more = _batch(conn, batch.step, "read_clients", {"client_ids": uuids(client_ids)})
    return Batch(
        batch.step,
        list(dict.fromkeys([*batch.pending_ids, *more.pending_ids])),
        list(dict.fromkeys([*batch.record_ids, *more.record_ids])),
    )


def _batch(conn: psycopg.Connection[Any], step: str, statement: str, parameters: dict[str, Any]) -> Batch:
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sql(f"queue.{statement}"), {"step": step, **parameters}).fetchall()
    return _of(step, rows)


def _of(step: str, rows: Sequence[tuple[int, int]]) -> Batch:
    return Batch(step, [row[0] for row in rows], list(dict.fromkeys([row[1] for row in rows])))


def done(conn: psycopg.Connection[Any], batch: Batch) -> None:
    """Delete exactly the entries of `batch`; call it in the transaction that writes the step's results."""
    if batch:
        conn.execute(sql("queue.done"), {"step": batch.step, "ids": bigints(batch.pending_ids)})


def enqueue(conn: psycopg.Connection[Any], step: str, record_ids: Sequence[int]) -> None:
    """Append records to a queue."""
    if len(record_ids):
        with conn.cursor().copy(sql("queue.enqueue")) as copy:
            copy.write(_lines(step, record_ids))


def is_empty(conn: psycopg.Connection[Any], step: str) -> bool:
    """The queue has no entry; quick, however long it is."""
    row = conn.execute(sql("queue.is_empty"), {"step": step}).fetchone()
    return row is not None and bool(row[0])


def size(conn: psycopg.Connection[Any], step: str) -> int:
    """Entries of a queue, repetitions included."""
    row = conn.execute(sql("queue.size"), {"step": step}).fetchone()
    return int(row[0]) if row else 0


def enqueue_stream(conn: psycopg.Connection[Any], step: str, source: str, stream: str) -> int:
    """Append every raw record of a stream, tombstones included; how many."""
    place = {"step": step, "source": source, "stream": stream}
    return conn.execute(sql("queue.enqueue_stream"), place).rowcount


def enqueue_parties(conn: psycopg.Connection[Any], step: str) -> int:
    """Append every standard client record; how many."""
    return conn.execute(sql("queue.enqueue_parties"), {"step": step}).rowcount


@contextmanager
def step_lock(conn: psycopg.Connection[Any], step: str) -> Iterator[None]:
    """Wait for the other process that does this step, and keep the others waiting during the block.

    Two processes on one queue could otherwise write an older version of a record over a newer one. The lock is the
    session's, so that it ends with the process even after kill -9.
    """
    key = int.from_bytes(blake2b(b"step lock " + step.encode(), digest_size=8).digest(), "big", signed=True)
    conn.execute(sql("queue.lock_step"), {"key": key})
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute(sql("queue.unlock_step"), {"key": key})


def _lines(step: str, record_ids: Iterable[int]) -> str:
    """Entries as COPY reads them: half the time of a statement that inserts them."""
    return f"{step}\t" + f"\n{step}\t".join(map(str, record_ids)) + "\n"
