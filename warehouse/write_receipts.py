"""Receipts of what is written back to sources: what has to be written, what was sent, what the source said.

A receipt is committed before its change is sent, so that after a kill at any moment it is known what may have arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from warehouse.arrays import bigints, nullable
from warehouse.connect import unit_of_work
from warehouse.needs import touch
from warehouse.sql import sql

PAGE = 1000
"""Records that are looked at together."""
NOTHING_SETTLED = "0" * 32
"""A plan that no receipt was made under: all records are looked at."""
_FIRST = -(2**63)


class Candidate(NamedTuple):
    """A record with its client, and its last receipts; JSON as text, so that no digit is lost."""

    record_id: int
    source_key: str
    payload: str
    landed_at: datetime
    client_id: str
    golden_seq: int
    kind: str
    role: str
    display_name: str | None
    record_count: int
    attributes: str
    receipts: str | None
    """JSON list, oldest first: receipt_id, status, payload_hash, idempotence_key, fields, before, undoes, sent_at,
    echoed_at."""
    number: int
    """How many receipts the record has."""
    derived: str | None = None
    """JSON: `segment` (scheme -> segment, or unknown) and `need` (need -> whether it is held), where that was asked."""


class NewReceipt(NamedTuple):
    """A change that is about to be sent. `fields` and `before` are JSON."""

    source_key: str
    record_id: int
    client_id: str
    golden_seq: int
    fields: str
    before: str
    payload_hash: str
    idempotence_key: str
    undoes: int | None = None
    """The receipt of the change that this one takes back."""


class Written(NamedTuple):
    """A change that a run sent, with the record as it is landed now; JSON as text."""

    receipt_id: int
    record_id: int
    source_key: str
    client_id: str
    golden_seq: int
    fields: str
    before: str
    status: str
    """accepted or unknown."""
    sent_at: datetime
    echoed_at: datetime | None
    payload: str
    landed_at: datetime
    is_deleted: bool
    later: str | None
    """JSON list of what was sent to the record since and not refused, oldest first: receipt_id, run_id, status, fields,
    idempotence_key, undoes."""


class Answered(NamedTuple):
    """What became of a receipt."""

    receipt_id: int
    status: str
    code: str | None
    message: str | None


def candidates(
    conn: psycopg.Connection[Any],
    source: str,
    stream: str,
    plan_hash: str,
    *,
    derived: bool = False,
    among: Sequence[int] | None = None,
) -> Iterator[Candidate]:
    """Live records of a stream that belong to a client and are not settled, in the order of their ids; all, or `among`
    these, which are in order.

    Settled is what was taken in this version of its client under this plan (`plan_hash`), and was not landed since.
    """
    place = {"source": source, "stream": stream, "plan_hash": plan_hash, "limit": PAGE, "derived": derived}
    if among is not None:
        for first in range(0, len(among), PAGE):
            page = {"after": _FIRST, "among": bigints(among[first : first + PAGE])}
            yield from map(Candidate._make, conn.execute(sql("write_receipts.candidates"), {**place, **page}))
        return
    after = _FIRST
    while True:
        page = {"after": after, "among": None}
        rows = conn.execute(sql("write_receipts.candidates"), {**place, **page}).fetchall()
        yield from map(Candidate._make, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def with_news(conn: psycopg.Connection[Any], source: str, stream: str, *, seen: int, at: datetime) -> list[int]:
    """Live records of a stream, in the order of their ids, that were landed from `at` on, or whose link has moved, or
    whose client has news since the change event `seen` or came to another segment from `at` on."""
    with unit_of_work(conn):
        touch(conn, seen)
        place = {"source": source, "stream": stream, "seen": seen, "at": at}
        return [row[0] for row in conn.execute(sql("write_receipts.with_news"), place)]


def begin(
    conn: psycopg.Connection[Any],
    receipts: Sequence[NewReceipt],
    *,
    source: str,
    stream: str,
    run_id: int,
    plan_hash: str,
    now: datetime,
) -> list[int]:
    """Note what is about to be sent; the ids, in order. Durable when this returns, outside a transaction."""
    rows = conn.execute(
        sql("write_receipts.begin"),
        {
            "run_id": run_id, "source": source, "stream": stream, "plan_hash": plan_hash, "now": now,
            "source_keys": [one.source_key for one in receipts],
            "record_ids": bigints(one.record_id for one in receipts),
            "client_ids": [one.client_id for one in receipts],
            "golden_seqs": [one.golden_seq for one in receipts],
            "fields": [one.fields for one in receipts],
            "befores": [one.before for one in receipts],
            "payload_hashes": [one.payload_hash for one in receipts],
            "idempotence_keys": [one.idempotence_key for one in receipts],
            "undoes": nullable(one.undoes for one in receipts),
        },
    )  # fmt: skip
    return [row[0] for row in rows.fetchall()]


def begin_again(
    conn: psycopg.Connection[Any], golden_seqs: Mapping[int, int], *, run_id: int, plan_hash: str, now: datetime
) -> None:
    """Note that receipts (id -> version of the golden record) are sent again."""
    parameters = {"receipt_ids": list(golden_seqs), "golden_seqs": list(golden_seqs.values())}
    conn.execute(
        sql("write_receipts.begin_again"), {**parameters, "run_id": run_id, "plan_hash": plan_hash, "now": now}
    )


def answer(conn: psycopg.Connection[Any], answers: Sequence[Answered], *, now: datetime) -> None:
    """Keep what the source said."""
    columns = {
        "receipt_ids": [one.receipt_id for one in answers],
        "statuses": [one.status for one in answers],
        "codes": [one.code for one in answers],
        "messages": [one.message for one in answers],
    }
    conn.execute(sql("write_receipts.answer"), {**columns, "now": now})


def forget_unanswered(conn: psycopg.Connection[Any], source: str, stream: str) -> int:
    """Of what a killed run had under way nothing is known; call under the source's lock. How many."""
    return conn.execute(sql("write_receipts.unanswered"), {"source": source, "stream": stream}).rowcount


def written_streams(conn: psycopg.Connection[Any], source: str, run_id: int) -> list[str]:
    """The streams of a source that a run wrote to, by name."""
    rows = conn.execute(sql("write_receipts.written_streams"), {"source": source, "run_id": run_id}).fetchall()
    return [row[0] for row in rows]


def last_run(conn: psycopg.Connection[Any], source: str) -> int | None:
    """The last run that wrote to a source of its own accord: none that took another back."""
    row = conn.execute(sql("write_receipts.last_run"), {"source": source}).fetchone()
    return None if row is None else row[0]


def written(conn: psycopg.Connection[Any], source: str, stream: str, run_id: int) -> Iterator[Written]:
    """What a run wrote to a stream and was not refused, in the order of sending."""
    place = {"source": source, "stream": stream, "run_id": run_id, "limit": PAGE}
    after = 0
    while True:
        rows = conn.execute(sql("write_receipts.written"), {**place, "after": after}).fetchall()
        yield from map(Written._make, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def receipts(
    conn: psycopg.Connection[Any],
    source: str,
    *,
    stream: str | None = None,
    status: str | None = None,
    run_id: int | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """The last receipts of a source (or of one run of it), newest first."""
    parameters = {"source": source, "stream": stream, "status": status, "run_id": run_id, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("write_receipts.receipts"), parameters).fetchall()
