"""What publish reads and writes: contributions in; golden records, their history and the change feed out.

All of it in the caller's transaction and under the hub lock, at one `as_of`; only differences are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from warehouse import arrow
from warehouse.clock import allocate_events
from warehouse.shapes import CONTRIBUTION, GOLDEN
from warehouse.sql import sql

_BULK_ROWS: Final = 100_000
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

    def __add__(self, other: Published) -> Published:
        return Published(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def touched_clients(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[str]:
    """Ids of the clients that these records belong to, or ever belonged to; ordered."""
    rows = conn.execute(sql("golden.touched_clients"), {"record_ids": list(record_ids)})
    return [str(row[0]) for row in rows]


def load_contributions(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> pa.Table:
    """The records of these clients as CONTRIBUTION, by client_id, then natural key, bytewise."""
    return arrow.read(conn, sql("golden.contributions"), {"client_ids": list(client_ids)}, schema=CONTRIBUTION)


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
        str(row[0]): (row[1].hex, row[2])
        for row in conn.execute(sql("golden.known"), {"client_ids": sorted({*client_ids, *found})})
    }
    kinds = dict(_compare(found, golden.column("golden_hash").to_pylist(), known))
    gone = [c for c in set(client_ids).difference(found) if c in known and not known[c][1]]
    targets = _redirects(conn, gone)
    kinds |= {c: "redirected" if c in targets else "retired" for c in gone}
    if not kinds:
        return Published()
    first = allocate_events(conn, len(kinds))
    seq = {client_id: first + n for n, client_id in enumerate(sorted(kinds))}
    created = _rows(golden, kinds, ("created",), seq)
    rewritten = _rows(golden, kinds, ("changed", "revived"), seq)
    with arrow.indexes_rebuilt(conn, _TABLES, created.num_rows >= _BULK_ROWS):
        _create(conn, created, as_of)
        if rewritten.num_rows:
            with arrow.staged(conn, "new_golden", "core.client", rewritten):
                for statement in ("changed_events", "rewrite", "close_rewritten", "open_rewritten"):
                    conn.execute(sql(f"golden.{statement}"), {"as_of": as_of})
        if gone:
            parameters = {
                "as_of": as_of,
                "client_ids": gone,
                "seqs": [seq[c] for c in gone],
                "targets": [targets.get(c) for c in gone],
            }
            for statement in ("gone_events", "bury", "close_gone", "open_gone"):
                conn.execute(sql(f"golden.{statement}"), parameters)
    counts = {kind: sum(value == kind for value in kinds.values()) for kind in set(kinds.values())}
    return Published(**counts, change_events=len(kinds))


def refresh_facts(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, as_of: datetime) -> Published:
    """Bring the derived columns of facts up to the crosswalk: interactions of these parties, these
    interactions themselves, and relationships; only what moved or is new is written, with the batch's change
    event.
    """
    parameters: dict[str, Any] = {"record_ids": list(record_ids)}
    with conn.transaction():
        conn.execute(sql("golden.find_facts"), parameters)
        counts = conn.execute(sql("golden.count_facts")).fetchone()
        assert counts is not None
        interactions, relationships = counts
        if interactions or relationships:
            parameters = {
                "seq": allocate_events(conn, 1),
                "as_of": as_of,
                "interactions": interactions,
                "relationships": relationships,
            }
            for statement in ("refresh_interactions", "refresh_relationships", "facts_event"):
                conn.execute(sql(f"golden.{statement}"), parameters)
        conn.execute(sql("golden.drop_facts"))
    moved = interactions + relationships
    return Published(links_moved=moved, change_events=1 if moved else 0)


def _compare(
    found: Sequence[str], hashes: Sequence[str], known: Mapping[str, tuple[str, bool]]
) -> Iterable[tuple[str, str]]:
    """What happened to each client: created, revived, changed; nothing for one that is as it was."""
    for client_id, text in zip(found, hashes, strict=True):
        before = known.get(client_id)
        if before is None:
            yield client_id, "created"
        elif before[1]:
            yield client_id, "revived"
        elif before[0] != text.replace("-", ""):
            yield client_id, "changed"


def _redirects(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> dict[str, str]:
    if not client_ids:
        return {}
    rows = conn.execute(sql("golden.redirects"), {"client_ids": list(client_ids)})
    return {str(row[0]): str(row[1]) for row in rows}


def _rows(golden: pa.Table, kinds: Mapping[str, str], wanted: Sequence[str], seq: Mapping[str, int]) -> pa.Table:
    """The rows of some kinds, in order of client_id, with their `changed_seq`."""
    chosen = pa.array(sorted(c for c, kind in kinds.items() if kind in wanted), pa.string())
    rows = golden.filter(pc.is_in(golden.column("client_id"), value_set=chosen)).sort_by("client_id")
    seqs = [seq[c] for c in rows.column("client_id").to_pylist()]
    return rows.append_column("changed_seq", pa.array(seqs, pa.int64()))


def _create(conn: psycopg.Connection[Any], rows: pa.Table, as_of: datetime) -> None:
    def constant(value: str) -> pa.Array:
        return pa.repeat(pa.scalar(value, pa.string()), rows.num_rows)

    at = constant(as_of.isoformat())
    arrow.copy_in(conn, "core.client", rows.append_column("valid_from", at))
    # The first version holds from the beginning of time, so that older facts find theirs.
    arrow.copy_in(conn, "core.client_history", rows.append_column("valid_from", constant("-infinity")))
    events = {
        "id": rows.column("changed_seq"),
        "at": at,
        "kind": constant("created"),
        "client_id": rows.column("client_id"),
        "payload": constant("{}"),
    }
    arrow.copy_in(conn, "ops.change_event", pa.table(events))
