"""What readers see of facts and links is what was last published; what is replaced is kept.

Standardise writes without the hub lock, publish numbers the changes under it. In between a changed row has no
`changed_seq`: readers are shown the version before, which is kept here the moment it is replaced and ends with the
change event that publishes its successor. Whoever changes a row of `core.interaction`, its lines or promises, or of
`core.relationship`, keeps it first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.sql import SQL

from warehouse import arrow
from warehouse.arrays import bigints
from warehouse.sql import sql

_THESE: Final = SQL("= ANY (%(record_ids)s::bigint[])")
_MOVED: Final = SQL("IN (SELECT record_id FROM moved_fact WHERE record_id IS NOT NULL)")
_MOVED_RELATIONSHIPS: Final = SQL("IN (SELECT relationship_key FROM moved_fact WHERE relationship_key IS NOT NULL)")
_OPEN: Final = {"seq": None, "as_of": None}


def keep_interactions(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> None:
    """Keep what is published of these interactions, and lock them until the transaction ends: they are about to be
    replaced or marked deleted. Until that is published readers see the version kept."""
    parameters = {"record_ids": bigints(record_ids), **_OPEN}
    for statement in ("lock_interactions", "keep_interactions"):
        conn.execute(sql(f"versions.{statement}").format(which=_THESE), parameters)


def hide_parts(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> None:
    """Lines and promises of these interactions wait to be published with them, as they are."""
    for statement in ("hide_lines", "hide_promises"):
        conn.execute(sql(f"versions.{statement}"), {"record_ids": bigints(record_ids)})


def replace_lines(conn: psycopg.Connection[Any], record_ids: Sequence[int], lines: pa.Table | None) -> None:
    """Make `lines` (INTERACTION_LINE) those of these interactions, which were kept: a position that does not come
    again stays, marked removed."""
    if lines is not None and lines.num_rows:
        parameters = {
            "lines_of": bigints(lines.column("record_id").to_pylist()),
            "positions": lines.column("position").to_pylist(),
        }
        conn.execute(sql("versions.drop_lines"), parameters)
    conn.execute(sql("versions.remove_lines"), {"record_ids": bigints(record_ids)})
    if lines is not None and lines.num_rows:
        arrow.copy_in(conn, "core.interaction_line", _unpublished(lines))


def replace_promises(conn: psycopg.Connection[Any], record_ids: Sequence[int], promises: pa.Table | None) -> None:
    """Make `promises` (PROMISE) those of these interactions, which were kept: the n-th of its kind keeps its key, and
    one that does not come again stays, marked removed."""
    known: dict[tuple[int, str], list[int]] = defaultdict(list)
    for record_id, kind, key in conn.execute(sql("versions.promises_of"), {"record_ids": bigints(record_ids)}):
        known[record_id, kind].append(key)
    rows = promises if promises is not None else pa.table({})
    keys = [
        known[at].pop(0) if known[at] else None
        for at in (zip(*(rows.column(name).to_pylist() for name in ("record_id", "kind")), strict=True) if rows else ())
    ]
    kept = [key for key in keys if key is not None]
    if kept:
        conn.execute(sql("versions.drop_promises"), {"promise_keys": kept})
    conn.execute(sql("versions.remove_promises"), {"record_ids": bigints(record_ids)})
    if not keys:
        return
    column = pa.array(keys, pa.int64())
    rows = _unpublished(rows)
    arrow.copy_in(conn, "core.promise", rows.append_column("promise_key", column).filter(column.is_valid()))
    arrow.copy_in(conn, "core.promise", rows.filter(column.is_null()))


def keep_relationships(conn: psycopg.Connection[Any], relationship_keys: Sequence[int]) -> None:
    """As `keep_interactions`, of relationships by their keys."""
    parameters = {"record_ids": bigints(relationship_keys), **_OPEN}
    for statement in ("lock_relationships", "keep_relationships"):
        conn.execute(sql(f"versions.{statement}").format(which=_THESE), parameters)


def keep_cards(
    conn: psycopg.Connection[Any],
    record_ids: Sequence[int],
    kinds: Sequence[str | None],
    roles: Sequence[str | None],
    urls: Sequence[str | None],
) -> None:
    """Keep what the served crosswalk says of these records where they are about to say it otherwise; nulls: they go."""
    parameters = {"record_ids": bigints(record_ids), "kinds": list(kinds), "roles": list(roles), "urls": list(urls)}
    conn.execute(sql("versions.keep_cards"), parameters)


def waiting_links(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> int:
    """How many of these records have a link or card that is not published yet; they stand in the temporary table
    `waiting_link`, for `publish_links`."""
    waits = conn.execute(sql("versions.links_wait")).fetchone()
    if waits is None or not waits[0]:
        return 0
    conn.execute(sql("versions.find_links"), {"record_ids": bigints(record_ids)})
    conn.execute(sql("versions.postpone_links"))
    conn.execute(sql("versions.lock_cards"))
    row = conn.execute(sql("versions.count_links")).fetchone()
    if row is not None and row[0]:
        return int(row[0])
    conn.execute(sql("versions.drop_links"))
    return 0


def publish_links(conn: psycopg.Connection[Any], *, seq: int) -> None:
    """What `waiting_links` found is served from this change event on."""
    for statement in ("publish_links", "publish_link_history", "publish_cards", "drop_links"):
        conn.execute(sql(f"versions.{statement}"), {"seq": seq})


def lock_moved(conn: psycopg.Connection[Any]) -> None:
    """Lock the facts of the temporary table `moved_fact`, in the order in which standardise locks them."""
    conn.execute(sql("versions.lock_interactions").format(which=_MOVED))
    conn.execute(sql("versions.lock_relationships").format(which=_MOVED_RELATIONSHIPS))


def end_versions(conn: psycopg.Connection[Any], *, seq: int, as_of: datetime, published: bool) -> None:
    """The facts of `moved_fact` are about to be published by this change event: what readers saw of them ends with it.

    `published`: some of them are as they were published, but for their client, and are kept now.
    """
    parameters = {"seq": seq, "as_of": as_of}
    for statement in ("end_interactions", "end_relationships", "show_lines", "show_promises"):
        conn.execute(sql(f"versions.{statement}"), parameters)
    if published:
        conn.execute(sql("versions.keep_interactions").format(which=_MOVED), parameters)
        conn.execute(sql("versions.keep_relationships").format(which=_MOVED_RELATIONSHIPS), parameters)


def keep_moved(conn: psycopg.Connection[Any], which: SQL, *, seq: int, as_of: datetime) -> None:
    """The interactions `which` (a condition on their record_id) are about to be published anew by this change event, as
    they are but for derived columns: what readers saw of them is kept and ends with it."""
    for statement in ("lock_interactions", "keep_interactions"):
        conn.execute(sql(f"versions.{statement}").format(which=which), {"seq": seq, "as_of": as_of})


def _unpublished(rows: pa.Table) -> pa.Table:
    return rows.append_column("is_unpublished", pa.repeat(pa.scalar(True), rows.num_rows))
