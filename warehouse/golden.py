"""What publish reads and writes: contributions in; golden records, their history and the change feed out.

All of it in the caller's transaction and under the hub lock, at one `as_of`; only differences are written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import dict_row

from warehouse import arrow
from warehouse.arrays import bigints, uuids
from warehouse.clock import allocate_events
from warehouse.shapes import CONTRIBUTION, GOLDEN
from warehouse.sql import sql

_TABLES: Final = ("core.client", "core.client_history", "ops.change_event")


@dataclass(frozen=True, slots=True)
class Published:
    """What one batch changed."""

    created: int = 0
    changed: int = 0
    redirected: int = 0
    retired: int = 0
    revived: int = 0
    links_moved: int = 0
    change_events: int = 0
    documents: int = 0
    """Those that were linked with it."""

    def __add__(self, other: Published) -> Published:
        return Published(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def touched_clients(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[str]:
    """Ids of the clients that these records belong to, or ever belonged to; ordered."""
    rows = conn.execute(sql("golden.touched_clients"), {"record_ids": bigints(record_ids)})
    return [row[0] for row in rows.fetchall()]


def reach(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> tuple[list[int], list[str]]:
    """These records with those of their clients whose link waits to be published, and all clients that they touch.

    A link waits for a client that is not there, because the record was deleted and resolve had yet to hear of that.
    When the record is there again and something else touches that client first, the two come back together.
    """
    reached = list(record_ids)
    while True:
        clients = touched_clients(conn, reached)
        rows = conn.execute(sql("golden.waiting_records"), {"client_ids": uuids(clients)}).fetchall()
        more = {row[0] for row in rows}.difference(reached)
        if not more:
            return reached, clients
        reached += sorted(more)


def load_contributions(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> pa.Table:
    """The records of these clients as CONTRIBUTION, by client_id, then natural key, bytewise."""
    return _contributions(conn, "contributions", {"client_ids": uuids(client_ids)})


def _contributions(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> pa.Table:
    found = arrow.read(conn, sql(f"golden.{statement}"), parameters, schema=CONTRIBUTION)
    # Sorted here: the server would have to spill rows of this width to disk.
    return found.sort_by([(name, "ascending") for name in ("client_id", "source", "stream", "source_key")])


def stored_golden(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What is published of those of these clients that are there: client_id, kind, display_name, attributes,
    record_count."""
    cursor = conn.cursor(row_factory=dict_row)
    return cursor.execute(sql("golden.stored"), {"client_ids": uuids(client_ids)}).fetchall()


def changed_values(conn: psycopg.Connection[Any], golden: pa.Table) -> int:
    """How many of these golden records (GOLDEN) have other values than those that are published."""
    with arrow.staged(conn, "new_golden", "core.client", golden.select(GOLDEN.names)):
        row = conn.execute(sql("holds.count_golden")).fetchone()
    return int(row[0]) if row else 0


class ClientRange(NamedTuple):
    """Clients from `first` to `last`, both included; texts of UUIDs."""

    first: str
    last: str


def client_ranges(conn: psycopg.Connection[Any], records: int) -> list[ClientRange]:
    """All client ids in ascending ranges that hold about so many records each; at least one range.

    Client ids are hashes, so that equal parts of their space hold equal shares.
    """
    row = conn.execute(sql("golden.count_links")).fetchone()
    count = max(1, math.ceil((row[0] if row else 0) / records))
    starts = [UUID(int=(n << 128) // count) for n in range(count)]
    ends = [UUID(int=((n + 1 << 128) // count) - 1) for n in range(count)]
    return [ClientRange(str(first), str(last)) for first, last in zip(starts, ends, strict=True)]


def load_contributions_of_range(conn: psycopg.Connection[Any], clients: ClientRange) -> pa.Table:
    """As `load_contributions`, of the clients of a range."""
    parameters = {"first": clients.first, "last": clients.last}
    return _contributions(conn, "contributions_of_range", parameters)


def store_golden(
    conn: psycopg.Connection[Any], golden: pa.Table, client_ids: Sequence[str], *, as_of: datetime
) -> Published:
    """Make `golden` (GOLDEN) the golden records of the touched `client_ids`; one of them without a row in it
    is gone: redirected where the ledger says so, else retired. Histories close and open at `as_of`, one event
    per client.
    """
    golden = golden.select(GOLDEN.names)
    found = golden.column("client_id").to_pylist()
    known = {
        row[0]: _Known(*row[1:])
        for row in conn.execute(sql("golden.known"), {"client_ids": uuids({*client_ids, *found})}).fetchall()
    }
    kinds = dict(_compare(found, golden.column("golden_hash").to_pylist(), known))
    left = _without_links(conn, [c for c in set(client_ids).difference(found) if c in known], found)
    targets = _redirects(conn, left)
    # One that is gone already may lead to another client now.
    gone = [c for c in left if not known[c].is_deleted or known[c].target != targets.get(c, _NOWHERE)[0]]
    kinds |= {c: "redirected" if c in targets else "retired" for c in gone}
    if not kinds:
        return Published()
    first = allocate_events(conn, len(kinds))
    seq = {client_id: first + n for n, client_id in enumerate(sorted(kinds))}
    created = _rows(golden, kinds, ("created",), seq)
    rewritten = _rows(golden, kinds, ("changed", "revived"), seq)
    _create(conn, created, first, as_of)
    if rewritten.num_rows:
        with arrow.staged(conn, "new_golden", "core.client", rewritten):
            for statement in ("changed_events", "rewrite", "close_rewritten", "open_rewritten"):
                conn.execute(sql(f"golden.{statement}"), {"as_of": as_of})
    if gone:
        parameters = {
            "as_of": as_of,
            "client_ids": gone,
            "seqs": [seq[c] for c in gone],
            "targets": [targets.get(c, _NOWHERE)[0] for c in gone],
            "redirected_at": [targets.get(c, _NOWHERE)[1] for c in gone],
        }
        for statement in ("gone_events", "bury", "close_gone", "open_gone"):
            conn.execute(sql(f"golden.{statement}"), parameters)
    counts = {kind: sum(value == kind for value in kinds.values()) for kind in set(kinds.values())}
    return Published(**counts, change_events=len(kinds))


def store_first(conn: psycopg.Connection[Any], golden: pa.Table, *, as_of: datetime) -> Published:
    """`store_golden` within `first_load`, of clients that were never published: `golden` (GOLDEN) is ordered by
    client_id, and nobody is asked what is known of them."""
    first = allocate_events(conn, golden.num_rows) if golden.num_rows else 0
    seqs = pa.array(np.arange(first, first + golden.num_rows, dtype=np.int64))
    _create(conn, golden.select(GOLDEN.names).append_column("changed_seq", seqs), first, as_of)
    return Published(created=golden.num_rows, change_events=golden.num_rows)


def is_unpublished(conn: psycopg.Connection[Any]) -> bool:
    """No golden record was ever published."""
    return arrow.is_empty(conn, "core.client")


@contextmanager
def first_load(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A large load into the empty tables of golden records: their indexes are built after the block.

    Only that of core.client by event stays, by which the history and the events of the last batch find their clients.
    """
    with arrow.indexes_rebuilt(conn, _TABLES, True, keep=("core.ix_client_changed_seq",)):
        yield


class _Known(NamedTuple):
    """What is stored of a client."""

    golden_hash: str
    is_deleted: bool
    target: str | None
    """The client that answers for it, if it is redirected."""


_NOWHERE: Final = (None, None)


def _compare(found: Sequence[str], hashes: Sequence[str], known: Mapping[str, _Known]) -> Iterable[tuple[str, str]]:
    """What happened to each client: created, revived, changed; nothing for one that is as it was."""
    for client_id, text in zip(found, hashes, strict=True):
        before = known.get(client_id)
        if before is None:
            yield client_id, "created"
        elif before.is_deleted:
            yield client_id, "revived"
        elif before.golden_hash != text:
            yield client_id, "changed"


def _without_links(conn: psycopg.Connection[Any], client_ids: Sequence[str], found: Sequence[str]) -> list[str]:
    """Those to which no record belongs, when the clients `found` are there. One whose records are deleted, but not
    looked at by resolve yet, stays as it is: its links still stand."""
    if not client_ids:
        return []
    parameters = {"client_ids": uuids(client_ids), "found": uuids(found)}
    linked = {row[0] for row in conn.execute(sql("golden.still_linked"), parameters)}
    return [client_id for client_id in client_ids if client_id not in linked]


def _redirects(
    conn: psycopg.Connection[Any], client_ids: Sequence[str]
) -> dict[str, tuple[str | None, datetime | None]]:
    """Where the ledger says that ids lead, and since when."""
    if not client_ids:
        return {}
    rows = conn.execute(sql("golden.redirects"), {"client_ids": uuids(client_ids)})
    return {row[0]: (row[1], row[2]) for row in rows}


def _rows(golden: pa.Table, kinds: Mapping[str, str], wanted: Sequence[str], seq: Mapping[str, int]) -> pa.Table:
    """The rows of some kinds, in order of client_id, with their `changed_seq`."""
    chosen = pa.array(sorted(c for c, kind in kinds.items() if kind in wanted), pa.string())
    rows = golden.filter(pc.is_in(golden.column("client_id"), value_set=chosen)).sort_by("client_id")
    seqs = [seq[c] for c in rows.column("client_id").to_pylist()]
    return rows.append_column("changed_seq", pa.array(seqs, pa.int64()))


def _create(conn: psycopg.Connection[Any], rows: pa.Table, first: int, as_of: datetime) -> None:
    """New clients with their first version and event, whose numbers begin at `first`."""
    if rows.num_rows == 0:
        return
    at = pa.repeat(pa.scalar(as_of, pa.timestamp("us", tz="UTC")), rows.num_rows)
    arrow.copy_in(conn, "core.client", rows.append_column("valid_from", at))
    parameters = {"as_of": as_of, "first": first, "last": pc.max(rows.column("changed_seq")).as_py()}
    for statement in ("open_created", "created_events"):
        conn.execute(sql(f"golden.{statement}"), parameters)
