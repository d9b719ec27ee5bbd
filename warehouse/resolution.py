"""What resolve reads and writes: records and evidence in, crosswalk, ledger and review cases out.

Everything is set-based and in the caller's transaction; `apply` wants the hub lock. Nothing is written where
nothing changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Composed, Identifier, Literal

from warehouse import arrow, first_links
from warehouse.arrays import bigints
from warehouse.clock import allocate_events
from warehouse.sql import sql

NEW_EVIDENCE: Final = 3 * 1024
"""How much likelier, in 1/1024 bit, what nobody could tell must become before it is asked again: eight times."""
ASSIGNMENT: Final = pa.schema([pa.field("record_id", pa.int64(), nullable=False), pa.field("client_id", pa.string())])
"""Which client a record belongs to from now on; null: it has left (deleted, or no party any more)."""
LEDGER_EVENT: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),  # mint | redirect | retire | revive
        pa.field("target_client_id", pa.string()),  # of a redirect
        pa.field("founding_key", pa.string(), nullable=False),  # natural key of the founding record: source:stream:key
        pa.field("mint_number", pa.int32(), nullable=False),
    ]
)
"""One event in the life of a client id."""
_NOT_NOTED: Final = 5_000
"""Cases of an older version whose sources one resolution notes beside those of its own."""
REVIEW_CASE: Final = pa.schema(
    [
        pa.field(
            "fingerprint", pa.string(), nullable=False
        ),  # text of a UUID, the same whenever this question comes up
        pa.field("kind", pa.string(), nullable=False),
        pa.field("record_ids", pa.list_(pa.int64()), nullable=False),  # ascending
        pa.field("weight", pa.int32()),
        pa.field("impact", pa.int64(), nullable=False),
        pa.field("evidence", pa.string(), nullable=False),  # JSON object
    ]
)
"""A question for a steward."""


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """What the ledger knows about one client id."""

    client_id: str
    state: str
    """The last event: mint and revive mean alive, redirect, retire."""
    target_client_id: str | None
    """Where a redirected id leads."""
    founding_key: str
    mint_number: int
    last_records: frozenset[int]
    """Records that it held when it was redirected or retired; empty while it is alive."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one resolution changed."""

    linked: int = 0
    """Records that belong to a client for the first time, or again."""
    moved: int = 0
    """Records that went from one client to another."""
    removed: int = 0
    """Records that left."""
    events: Mapping[str, int] = field(default_factory=dict)
    """Ledger events by kind."""
    cases_opened: int = 0
    cases_closed: int = 0


def load_records(
    conn: psycopg.Connection[Any],
    schema: pa.Schema,
    record_ids: Sequence[int] | None = None,
    attributes: Sequence[str] | None = None,
    *,
    in_order: bool = True,
) -> pa.Table:
    """Standard records (all, or these) in natural-key order, bytewise, or in none, in the columns that `schema` names.

    `attributes`: the open attributes that are wanted of the documents, for records that are compared; what nobody
    compares (role, source time, content hash) is then left empty. None: the records as they are. Documents are the
    larger part of a record.
    """
    columns = record_columns(schema.names, attributes)
    query = sql("resolution.records" if record_ids is None else "resolution.records_of").format(columns=columns)
    found = arrow.read(conn, query, _ids(record_ids), schema=schema)
    # Sorted here: the server would have to spill rows of this width to disk.
    return found.sort_by([(name, "ascending") for name in ("source", "stream", "source_key")]) if in_order else found


_UNCOMPARED: Final = {
    "role": SQL("''").format(),
    "content_hash": SQL("''").format(),
    "source_updated_at": SQL("NULL::timestamptz").format(),
}


def record_columns(names: Sequence[str], attributes: Sequence[str] | None) -> Composed:
    """What to select of a standard record `r` for these columns; `attributes` as for `load_records`."""
    document = SQL("'{{}}'").format()
    if attributes:
        kept = [SQL("{0}, r.attributes -> {0}").format(Literal(name)) for name in attributes]
        # Most records have none of them, which is told in a tenth of the time.
        document = SQL(
            "CASE WHEN r.attributes ?| ARRAY[{}] THEN jsonb_strip_nulls(jsonb_build_object({}))::text ELSE '{{}}' END"
        ).format(SQL(", ").join(map(Literal, attributes)), SQL(", ").join(kept))
    instead = _UNCOMPARED | {"attributes": document} if attributes is not None else {}
    return SQL(", ").join(instead.get(name) or SQL("r.{}").format(Identifier(name)) for name in names)


def load_identifiers(
    conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Sequence[int] | None = None
) -> pa.Table:
    """Identifiers of the records (all, or these) and what they have in common by documents, ordered by record_id, type
    and value, in the columns of `schema`.
    """
    columns = SQL(", ").join(Identifier(name) for name in schema.names)
    name = "resolution.identifiers" if record_ids is None else "resolution.identifiers_of"
    query = sql(name).format(columns=columns, in_common=sql("resolution.in_common"))
    return arrow.read(conn, query, _ids(record_ids), schema=schema)


def load_crosswalk(
    conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Sequence[int] | None = None
) -> pa.Table:
    """The current crosswalk (of all records, or of these) ordered by record_id: record_id, client_id."""
    name = "resolution.crosswalk" if record_ids is None else "resolution.crosswalk_of"
    return arrow.read(conn, sql(name), _ids(record_ids), schema=schema)


def members_of(conn: psycopg.Connection[Any], client_ids: Sequence[str | UUID]) -> list[int]:
    """The records that belong to these clients now, ordered."""
    rows = conn.execute(sql("resolution.members_of"), {"client_ids": list(map(str, client_ids))})
    return [row[0] for row in rows]


def record_count(conn: psycopg.Connection[Any]) -> int:
    """How many standard records there are."""
    row = conn.execute(sql("resolution.record_count")).fetchone()
    return int(row[0]) if row else 0


def record_ids(conn: psycopg.Connection[Any]) -> list[int]:
    """The ids of all standard records, in order."""
    return [record for (record,) in conn.execute(sql("resolution.record_ids"))]


def names_of(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> dict[int, str]:
    """`source:stream:key` of those of the records that are landed, deleted ones included."""
    return {row[0]: row[1] for row in conn.execute(sql("resolution.names_of"), {"record_ids": list(record_ids)})}


def named_crosswalk(conn: psycopg.Connection[Any]) -> list[tuple[str, str, str, str]]:
    """Source, stream, key and client id of every record that belongs to a client."""
    return conn.execute(sql("resolution.named_crosswalk")).fetchall()


def has_ledger(conn: psycopg.Connection[Any]) -> bool:
    """Client ids were given before."""
    return not arrow.is_empty(conn, "identity.client_id_ledger")


def load_ledger(
    conn: psycopg.Connection[Any],
    client_ids: Sequence[str] | None = None,
    *,
    record_ids: Sequence[int] = (),
    founding_keys: Sequence[str] = (),
) -> list[LedgerFact]:
    """The ledger's facts, by client id: of all ids, or of `client_ids`, of every id that one of `record_ids`
    ever belonged to, of every id minted for one of `founding_keys`, and of every id that leads to one of
    these.
    """
    parameters = {
        "everything": client_ids is None and not record_ids and not founding_keys,
        "client_ids": list(client_ids or ()),
        "record_ids": list(record_ids),
        "founding_keys": list(founding_keys),
    }
    return [
        LedgerFact(str(row[0]), row[1], str(row[2]) if row[2] else None, row[3], row[4], frozenset(row[5]))
        for row in conn.execute(sql("resolution.ledger"), parameters)
    ]


def apply(
    conn: psycopg.Connection[Any],
    assignments: pa.Table,
    ledger_events: pa.Table,
    cases: pa.Table,
    *,
    as_of: datetime,
    run_id: int | None,
    changed: Sequence[int] = (),
    look: Callable[[psycopg.Connection[Any]], None] = lambda _: None,
) -> Applied:
    """Bring crosswalk, its history, the ledger and the review cases to this state as of `as_of`; queue
    publish.

    `assignments` (ASSIGNMENT) covers every record of the touched components; `ledger_events` are LEDGER_EVENT,
    `cases` REVIEW_CASE; `changed` are records whose content changed, which publish has to look at even where no link
    moved.
    Open cases about records in `assignments` that are not among `cases` are closed. Call it under the hub lock. `look`
    is asked before anything moves, with the moves in the temporary table `move`; what it raises stops it all. A first
    resolution is not looked at.
    """
    _add_ledger(conn, ledger_events, as_of, run_id)
    events = dict(Counter(ledger_events["event"].to_pylist()))
    if first_links.are_first(conn):
        wanted = assignments.select(ASSIGNMENT.names), cases.select(REVIEW_CASE.names)
        linked = first_links.store(conn, *wanted, as_of=as_of, changed=changed)
        return Applied(linked, events=events, cases_opened=cases.num_rows)
    with arrow.staged(conn, "assignment", "identity.crosswalk", assignments.select(ASSIGNMENT.names)):
        conn.execute(sql("resolution.find_moves"))
        counts = conn.execute(sql("resolution.count_moves")).fetchone()
        assert counts is not None
        linked, moved, removed = counts
        if linked or moved or removed:
            look(conn)
            seq = allocate_events(conn, 1)
            link_seq = first_links.served_by(conn, seq)
            parameters = {"as_of": as_of, "seq": seq, "link_seq": link_seq, "count": linked + moved + removed}
            before = _count_clients(conn)
            for statement in ("close_history", "unlink", "relink", "link", "open_history", "links_event"):
                conn.execute(sql(f"resolution.{statement}"), parameters)
            conn.execute(sql("resolution.keep_clients"), {"more": _count_clients(conn) - before})
        # A record that both moved and changed is published once.
        conn.execute(sql("resolution.queue_publish"), {"changed": bigints(changed)})
        opened, closed = _store_cases(conn, cases, as_of)
        conn.execute(sql("resolution.drop_moves"))
    return Applied(linked, moved, removed, events, opened, closed)


def _count_clients(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute(sql("resolution.count_clients")).fetchone()
    return int(row[0]) if row else 0


def _add_ledger(conn: psycopg.Connection[Any], events: pa.Table, as_of: datetime, run_id: int | None) -> None:
    at = pa.repeat(pa.scalar(as_of, pa.timestamp("us", tz="UTC")), events.num_rows)
    run = pa.array([run_id] * events.num_rows, pa.int64())
    rows = events.select(LEDGER_EVENT.names).append_column("at", at).append_column("run_id", run)
    arrow.load(conn, "identity.client_id_ledger", rows)


def _store_cases(conn: psycopg.Connection[Any], cases: pa.Table, as_of: datetime) -> tuple[int, int]:
    with arrow.staged(conn, "new_case", "identity.review_case", cases.select(REVIEW_CASE.names)):
        opened = conn.execute(sql("resolution.open_cases"), {"as_of": as_of}).rowcount
        opened += conn.execute(sql("resolution.reopen_cases"), {"as_of": as_of, "new_evidence": NEW_EVIDENCE}).rowcount
        opened += conn.execute(
            sql("resolution.reopen_told_apart"), {"as_of": as_of, "new_evidence": NEW_EVIDENCE}
        ).rowcount
        conn.execute(sql("resolution.note_sources"), {"most": opened + _NOT_NOTED})
        conn.execute(sql("resolution.update_cases"))
        closed = conn.execute(sql("resolution.close_cases"), {"as_of": as_of}).rowcount
    return opened, closed


def _ids(record_ids: Sequence[int] | None) -> dict[str, Any]:
    return {} if record_ids is None else {"record_ids": bigints(record_ids)}
