"""What standardise reads and writes: raw records in, standard records, interactions and relationships out.

Every function works in the caller's transaction and writes only what differs from what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.sql import SQL, Identifier

from warehouse import arrow, versions
from warehouse.arrays import bigints
from warehouse.keys import fingerprint
from warehouse.sql import sql


class PendingRaw(NamedTuple):
    """A raw record as the mapping reads it."""

    record_id: int
    source: str
    stream: str
    source_key: str
    payload: bytes
    """JSON as PostgreSQL writes it: every value, not every space."""
    is_deleted: bool
    source_updated_at: datetime | None


class Child(NamedTuple):
    """A raw record whose fields feed another one."""

    record_id: int
    stream: str
    source_key: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """Record ids whose stored form is another one now, and those that left."""

    changed: Sequence[int] = ()
    removed: Sequence[int] = ()

    @property
    def all(self) -> list[int]:
        """Both."""
        return [*self.changed, *self.removed]


class MappingReject(Protocol):
    """A record, or one field of it, that could not be mapped."""

    @property
    def record_id(self) -> int:
        """The record."""

    @property
    def reason(self) -> str:
        """Short code in kebab-case."""

    @property
    def detail(self) -> str:
        """One sentence without client data."""

    @property
    def path(self) -> str | None:
        """The field's path, if one field is to blame."""


def pending_raw(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[PendingRaw]:
    """The raw records of these ids, tombstones included, ordered by id; unknown ids are left out."""
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sql("standard.pending_raw"), {"record_ids": bigints(record_ids)}).fetchall()
    return list(map(PendingRaw._make, rows))


def existing(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[int]:
    """Those of the ids that are landed and not deleted."""
    if not record_ids:
        return []
    rows = conn.execute(sql("standard.existing"), {"record_ids": bigints(record_ids)})
    return [row[0] for row in rows]


def children(conn: psycopg.Connection[Any], parent_ids: Sequence[int]) -> dict[int, list[Child]]:
    """Child records (not deleted) by parent, each list ordered by stream and key, bytewise."""
    found: dict[int, list[Child]] = {}
    if parent_ids:
        with conn.cursor(binary=True) as cursor:
            cursor.execute(sql("standard.children"), {"parent_ids": bigints(parent_ids)})
            for parent, *child in cursor:
                found.setdefault(parent, []).append(Child(*child))
    return found


def parents_of(conn: psycopg.Connection[Any], child_ids: Sequence[int]) -> list[int]:
    """Records that these children feed, as far as is stored."""
    if not child_ids:
        return []
    rows = conn.execute(sql("standard.parents_of"), {"child_ids": bigints(child_ids)})
    return [row[0] for row in rows]


def store_child_links(
    conn: psycopg.Connection[Any], child_ids: Sequence[int], links: Iterable[tuple[int, int]]
) -> None:
    """Make `links` (child, parent) the only ones of these children; only differences are written."""
    pairs = sorted(set(links))
    parameters = {
        "child_ids": bigints(child_ids),
        "children": [child for child, _ in pairs],
        "parents": [parent for _, parent in pairs],
    }
    conn.execute(sql("standard.drop_child_links"), parameters)
    conn.execute(sql("standard.add_child_links"), parameters)


def store_parties(
    conn: psycopg.Connection[Any], records: pa.Table, identifiers: pa.Table, removed_ids: Sequence[int] = ()
) -> Stored:
    """Store standard records whose content or source time differs, with their identifiers; remove
    `removed_ids`.

    `records` and `identifiers` in the columns of their tables (identity.schema.RECORD and IDENTIFIER).
    """
    record_ids = records.column("record_id").to_pylist()
    known = {
        row[0]: (row[1].hex, row[2])
        for row in conn.execute(sql("standard.known_parties"), {"record_ids": bigints([*record_ids, *removed_ids])})
    }
    changed = record_ids
    if known:
        hashes = _hashes(records)
        times = records.column("source_updated_at").to_pylist()
        changed = [
            record_id
            for record_id, hash_, at in zip(record_ids, hashes, times, strict=True)
            if known.get(record_id) != (hash_, at)
        ]
    removed = [record_id for record_id in removed_ids if record_id in known]
    stale = [record_id for record_id in changed if record_id in known] + removed
    is_all = len(changed) == len(record_ids)
    mine = identifiers if is_all else _only(identifiers, changed)
    if stale:
        _keep_cards(conn, stale, records)
        conn.execute(sql("standard.drop_parties"), {"record_ids": bigints(stale)})
        mine = _drop_other_identifiers(conn, stale, mine)
    if changed:
        arrow.copy_in(conn, "identity.standard_record", records if is_all else _only(records, changed))
        arrow.copy_in(conn, "identity.identifier", mine)
    return Stored(changed, removed)


def _keep_cards(conn: psycopg.Connection[Any], stale: Sequence[int], records: pa.Table) -> None:
    rows = _only(records, stale)
    ids, kinds, roles, documents = (rows.column(n).to_pylist() for n in ("record_id", "kind", "role", "attributes"))
    urls = [json.loads(text).get("url") if '"url"' in text else None for text in documents]
    cards = dict(zip(ids, zip(kinds, roles, (first_text(url) for url in urls), strict=True), strict=True))
    gone = (None, None, None)
    now = [cards.get(record_id, gone) for record_id in stale]
    versions.keep_cards(conn, stale, *(list(column) for column in zip(*now, strict=True)))


def first_text(value: Any) -> str | None:
    """An attribute's value as `core.golden_text` reads it: of several the first."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        first = first.get("v")
    return None if first is None or isinstance(first, list) else str(first)


def _drop_other_identifiers(conn: psycopg.Connection[Any], record_ids: Sequence[int], now: pa.Table) -> pa.Table:
    """Drop the stored identifiers of those of the records that have others `now`; the rows of `now` that are to be
    stored. What changed is mostly a name or an address, and each row is an entry anywhere in two indexes."""
    columns = SQL(", ").join(map(Identifier, now.column_names))
    query = sql("standard.identifiers_of").format(columns=columns)
    stored = arrow.read(conn, query, {"record_ids": bigints(record_ids)}, schema=now.schema)
    old, new = (
        set(zip(*(table[name].to_pylist() for name in now.column_names), strict=True)) for table in (stored, now)
    )
    at = now.column_names.index("record_id")
    other = {row[at] for row in old ^ new}
    dropped = sorted(other.intersection(record_ids))
    if dropped:
        conn.execute(sql("standard.drop_identifiers"), {"record_ids": bigints(dropped)})
    return _only(now, sorted(other))


def parts_of_cards(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[int]:
    """The records that were made of these cards (`KEY#inn=...`) as far as is stored."""
    return [row[0] for row in conn.execute(sql("standard.parts_of_cards"), {"record_ids": bigints(record_ids)})]


def store_interactions(
    conn: psycopg.Connection[Any],
    interactions: pa.Table | None,
    lines: pa.Table | None,
    promises: pa.Table | None,
    removed_ids: Sequence[int] = (),
) -> Stored:
    """Store interactions whose content differs, with lines and promises; mark `removed_ids` deleted.

    A changed interaction keeps what publish derived, such as its client, until publish looks at it again; until then
    `changed_seq` is null and readers are shown the version before (`warehouse.versions`).
    """
    record_ids = interactions.column("record_id").to_pylist() if interactions is not None else []
    known = {
        row[0]: (row[1].hex, row[2])
        for row in conn.execute(
            sql("standard.known_interactions"), {"record_ids": bigints([*record_ids, *removed_ids])}
        )
    }
    removed = [i for i in removed_ids if i in known and not known[i][1]]
    changed = [
        record_id
        for record_id, hash_ in zip(record_ids, _hashes(interactions) if interactions is not None else (), strict=True)
        if record_id not in known or known[record_id] != (hash_, False)
    ]
    stale = [record_id for record_id in changed if record_id in known]
    if removed or stale:
        versions.keep_interactions(conn, [*removed, *stale])
    if removed:
        conn.execute(sql("standard.mark_interactions_deleted"), {"record_ids": bigints(removed)})
        versions.hide_parts(conn, removed)
    if stale:
        # In place: what publish derived stays until publish looks at it again.
        with arrow.staged(conn, "stated_interaction", "core.interaction", _only(interactions, stale)):
            conn.execute(sql("standard.restate_interactions"))
        versions.replace_lines(conn, stale, None if lines is None else _only(lines, stale))
        versions.replace_promises(conn, stale, None if promises is None else _only(promises, stale))
    fresh = [record_id for record_id in changed if record_id not in known]
    if fresh:
        arrow.copy_in(
            conn, "core.interaction", interactions if len(fresh) == len(record_ids) else _only(interactions, fresh)
        )
        for table, rows in (("core.interaction_line", lines), ("core.promise", promises)):
            if rows is not None:
                arrow.copy_in(conn, table, _only(rows, fresh))
    return Stored(changed, removed)


def store_relationships(
    conn: psycopg.Connection[Any], relationships: pa.Table | None, record_ids: Sequence[int]
) -> list[int]:
    """Make `relationships` the only ones that these records state; the stating records where something
    changed.

    A relationship that is no longer stated is marked deleted; queue the returned ids for publish.
    """
    parameters = {"record_ids": bigints(record_ids)}
    if not (relationships is not None and relationships.num_rows):
        known = conn.execute(sql("standard.states_relationships"), parameters).fetchone()
        if known is not None and not known[0]:
            return []
    with arrow.staged(conn, "stated_relationship", "core.relationship", stated_rows(relationships)):
        return replace_stated(conn, record_ids)


def replace_stated(conn: psycopg.Connection[Any], stating_ids: Sequence[int]) -> list[int]:
    """Make what the temporary table `stated_relationship` holds all that these ids state; those where something
    changed."""
    parameters = {"record_ids": bigints(stating_ids)}
    turned = dict(conn.execute(sql("standard.find_turned"), parameters).fetchall())
    if turned:
        versions.keep_relationships(conn, list(turned))
        conn.execute(sql("standard.turn_relationships"), {"relationship_keys": bigints(list(turned))})
    added = conn.execute(sql("standard.add_relationships"), parameters)
    return sorted({*turned.values(), *(row[0] for row in added)})


def groups_of(conn: psycopg.Connection[Any], stating_ids: Sequence[int]) -> list[int]:
    """The groups whose members these records state or stated, and all members: resolve has to look at them."""
    if not stating_ids:
        return []
    return [row[0] for row in conn.execute(sql("standard.groups_of"), {"record_ids": bigints(stating_ids)})]


def replace_rejects(
    conn: psycopg.Connection[Any],
    record_ids: Sequence[int],
    rejects: Sequence[MappingReject],
    *,
    run_id: int,
    now: datetime,
) -> None:
    """Make `rejects` the open mapping rejects of these records: new ones are added with the raw payload,
    those that did not come again are closed, the same ones are left as they are.
    """
    prints = [fingerprint("standardise", str(r.record_id), r.path or "", r.reason, r.detail) for r in rejects]
    parameters = {
        "record_ids": bigints(record_ids),
        "fingerprints": prints,
        "rejected_ids": [r.record_id for r in rejects],
        "reasons": [r.reason for r in rejects],
        "details": [r.detail for r in rejects],
        "paths": [r.path for r in rejects],
        "run_id": run_id,
        "now": now,
    }
    conn.execute(sql("standard.close_rejects"), parameters)
    if rejects:
        conn.execute(sql("standard.reopen_rejects"), parameters)
        conn.execute(sql("standard.add_rejects"), parameters)


def _hashes(table: pa.Table) -> list[str]:
    """content_hash as 32 hex digits, however its text is written."""
    return [str(text).replace("-", "").lower() for text in table.column("content_hash").to_pylist()]


def _only(table: pa.Table, record_ids: Sequence[int]) -> pa.Table:
    wanted = pa.array(sorted(set(record_ids)), pa.int64())
    return table.filter(pc.is_in(table.column("record_id"), value_set=wanted))


def stated_rows(relationships: pa.Table | None) -> pa.Table:
    """The columns of core.relationship that are stated and not derived; empty without rows."""
    names = ("record_id", "from_record_id", "to_record_id", "type", "role", "valid_from", "valid_to")
    if relationships is not None:
        return relationships.select(list(names))
    whole, day = pa.int64(), pa.date32()
    types = (whole, whole, whole, pa.string(), pa.string(), day, day)
    return pa.schema(list(zip(names, types, strict=True))).empty_table()
