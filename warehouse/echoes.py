"""What a sync brings back of what the hub wrote: the record is no other one for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import psycopg
from psycopg import errors

from warehouse.arrays import bigints
from warehouse.sql import sql


class Read(NamedTuple):
    """A record as a page brings it."""

    record_id: int
    payload: bytes
    digest: bytes


Echo: TypeAlias = Literal["echo", "seen", "other"]
"""echo: only what was written has changed; seen: that has come, and more; other: something else stands there."""
EchoTest: TypeAlias = Callable[[str, bytes, str], Echo]
"""Of a record as landed, as read, and the list of what was written to it (JSON, oldest first)."""


def take_echoes(conn: psycopg.Connection[Any], rows: Sequence[Read], test: EchoTest, now: datetime) -> set[int]:
    """Which of the changed records are echoes; they are stored in place and their receipts confirmed.

    Receipts of a record that shows what was written, and other changes, are confirmed too; it is none of the result.
    """
    if not rows:
        return set()
    read = {row.record_id: row for row in rows}
    awaited = conn.execute(sql("write_receipts.awaited"), {"record_ids": bigints(read)}).fetchall()
    found = {record_id: test(landed, read[record_id].payload, written) for record_id, written, landed in awaited}
    echoes = [read[record_id] for record_id, echo in found.items() if echo == "echo"]
    if echoes and not _stored(conn, echoes):
        return set()
    if shown := [record_id for record_id, echo in found.items() if echo != "other"]:
        conn.execute(sql("write_receipts.confirm"), {"record_ids": bigints(shown), "now": now})
    return {row.record_id for row in echoes}


def _stored(conn: psycopg.Connection[Any], echoes: Sequence[Read]) -> bool:
    """False: the database refuses one of them, and they take the way of all changed records."""
    parameters = {
        "record_ids": bigints(row.record_id for row in echoes),
        "payloads": [row.payload.decode() for row in echoes],
        "hashes": [row.digest.hex() for row in echoes],
    }
    try:
        with conn.transaction():
            conn.execute(sql("write_receipts.take_echo"), parameters)
    except (errors.DataError, errors.ProgramLimitExceeded, errors.StatementTooComplex):
        return False
    return True
