"""What a resolution leaves for the next one beside the crosswalk: blocking keys (by key and by record), points,
plausible pairs, refused blocks, generic and accepted values. All of it is a function of the records; it is written by
difference, under the hub lock and in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from warehouse import arrow, in_one_piece
from warehouse.arrays import bigints
from warehouse.sql import sql

_PAIR_KEY: Final = ("left_id", "right_id")
_VALUE_KEY: Final = ("kind", "type", "value")
_HOLDER: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
    ]
)


def was_resolved(conn: psycopg.Connection[Any]) -> bool:
    """A resolution has stored what the next one needs to look at changes only."""
    row = conn.execute(sql("evidence.was_resolved")).fetchone()
    return row is not None and bool(row[0])


def load_pairs(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Sequence[int] | None = None) -> pa.Table:
    """Plausible pairs (all, or those with one of these records) ordered by left_id, right_id."""
    name = "evidence.pairs" if record_ids is None else "evidence.pairs_of"
    return arrow.read(conn, sql(name), _of(record_ids), schema=schema)


def replace_pairs(conn: psycopg.Connection[Any], pairs: pa.Table) -> int:
    """Make `pairs` all plausible pairs there are; rows written."""
    return arrow.replace(conn, "identity.pair", pairs, _PAIR_KEY)


def change_pairs(conn: psycopg.Connection[Any], before: pa.Table, pairs: pa.Table) -> int:
    """Make `pairs` what `before` is: all plausible pairs that touch some records; rows written."""
    return arrow.change(conn, "identity.pair", before, pairs, _PAIR_KEY)


def load_keys(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Sequence[int] | None = None) -> pa.Table:
    """Blocking keys (all, or of these records) ordered by record_id, key; only first records of points have some."""
    name = "evidence.keys" if record_ids is None else "evidence.keys_of"
    return in_one_piece.read_integers(conn, sql(name), _of(record_ids), schema=schema)


def replace_keys(conn: psycopg.Connection[Any], keys: pa.Table) -> int:
    """Make `keys` all blocking keys there are; rows written."""
    # The members of a block stand together on disk, where lookups and later changes read them.
    order = np.argsort(keys["key"].to_numpy(), kind="stable")
    return arrow.replace(conn, "identity.blocking_key", keys.take(pa.array(order)), ("key", "record_id"))


def replace_key_lists(conn: psycopg.Connection[Any], lists: pa.Table) -> int:
    """Make `lists` (record_id, keys) those of all records, the same keys by record; rows written."""
    return arrow.replace(conn, "identity.key_list", lists, ("record_id",))


def change_keys(conn: psycopg.Connection[Any], removed: pa.Table, added: pa.Table, lists: pa.Table) -> None:
    """Take out exactly these blocking keys (key, record_id) and put in those; `lists` (record_id, keys) are all keys
    that records have now, of those of the two that have any."""
    if removed.num_rows:
        parameters = {name: bigints(removed[name].to_pylist()) for name in ("key", "record_id")}
        conn.execute(sql("evidence.drop_keys"), parameters)
    arrow.copy_in(conn, "identity.blocking_key", added)
    touched = pc.unique(pa.concat_tables([removed, added])["record_id"])
    if len(touched):
        conn.execute(sql("evidence.drop_key_lists"), _of(touched.to_pylist()))
        arrow.copy_in(conn, "identity.key_list", lists.filter(pc.is_in(lists["record_id"], value_set=touched)))


def block_members(conn: psycopg.Connection[Any], schema: pa.Schema, keys: Iterable[int]) -> pa.Table:
    """The records of these blocks: key, record_id."""
    return in_one_piece.read_integers(conn, sql("evidence.block_members"), {"keys": bigints(keys)}, schema=schema)


def state(conn: psycopg.Connection[Any]) -> str | None:
    """A text that is another one after every resolution, judgement or publication."""
    row = conn.execute(sql("evidence.state")).fetchone()
    return None if row is None else row[0]


def block_sizes(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> dict[int, int]:
    """Of every block that one of these records is in: how many points it holds, by key."""
    return {row[0]: row[1] for row in conn.execute(sql("evidence.block_sizes"), {"record_ids": list(record_ids)})}


def refused_blocks(conn: psycopg.Connection[Any], schema: pa.Schema, keys: Iterable[int]) -> pa.Table:
    """Those of these blocks that are over the limit: key, size."""
    return in_one_piece.read_integers(conn, sql("evidence.refused_blocks"), {"keys": bigints(keys)}, schema=schema)


def replace_refused(conn: psycopg.Connection[Any], blocks: pa.Table) -> int:
    """Make `blocks` all that are over the limit; rows written."""
    return arrow.replace(conn, "identity.refused_block", blocks, ("key",))


def change_refused(conn: psycopg.Connection[Any], before: pa.Table, blocks: pa.Table) -> int:
    """Make `blocks` what `before` is: those of some keys that are over the limit; rows written."""
    return arrow.change(conn, "identity.refused_block", before, blocks, ("key",))


def load_points(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Sequence[int]) -> pa.Table:
    """The points of those of these records that the last resolution saw."""
    return arrow.read(conn, sql("evidence.points"), _of(record_ids), schema=schema)


def alike(conn: psycopg.Connection[Any], schema: pa.Schema, fingerprints: Iterable[int]) -> pa.Table:
    """The records with one of these fingerprints, in natural order: record_id, fingerprint, first_id and the
    parts of the natural key."""
    return arrow.read(conn, sql("evidence.alike"), {"fingerprints": bigints(fingerprints)}, schema=schema)


def replace_points(conn: psycopg.Connection[Any], points: pa.Table) -> int:
    """Make `points` those of all records; rows written."""
    return arrow.replace(conn, "identity.point", points, ("record_id",))


def change_points(conn: psycopg.Connection[Any], before: pa.Table, points: pa.Table) -> int:
    """Make `points` what `before` is: the points of some records; rows written."""
    return arrow.change(conn, "identity.point", before, points, ("record_id",))


def load_generic(conn: psycopg.Connection[Any], schema: pa.Schema) -> pa.Table:
    """The generic values of the last resolution, in order."""
    return arrow.read(conn, sql("evidence.generic_values"), schema=schema)


def values_of(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Type and value of every valid identifier of these records, and of those that were generic when they bore them."""
    return sorted(conn.execute(sql("evidence.generic_values_of"), _of(record_ids)).fetchall())


def names_behind(
    conn: psycopg.Connection[Any], schema: pa.Schema, values: Sequence[tuple[str, str]], more_than: int
) -> pa.Table:
    """Those of these values (type, value) with more than so many names behind them, per kind: kind, type, value,
    names."""
    with _wanted(conn, values):
        return arrow.read(conn, sql("evidence.names_behind"), {"more_than": more_than}, schema=schema)


def holders(conn: psycopg.Connection[Any], values: Sequence[tuple[str, str]]) -> list[int]:
    """The records that bear one of these values (type, value) as a valid one."""
    if not values:
        return []
    with _wanted(conn, values):
        return [row[0] for row in conn.execute(sql("evidence.holders"))]


def bearers(conn: psycopg.Connection[Any], values: Sequence[tuple[str, str]]) -> list[int]:
    """`holders` of a few values, in a transaction that may only read."""
    parameters = {"types": [name for name, _ in values], "values": [value for _, value in values]}
    return [row[0] for row in conn.execute(sql("evidence.bearers"), parameters)] if values else []


def replace_generic(conn: psycopg.Connection[Any], generic: pa.Table) -> int:
    """Make `generic` all generic values there are, and remember which records bear one; rows written."""
    written = arrow.replace(conn, "identity.generic_value", generic, _VALUE_KEY)
    held = arrow.read(conn, sql("evidence.generic_holders"), schema=_HOLDER)
    return written + arrow.replace(conn, "identity.generic_holder", held, _HOLDER.names)


def change_generic(
    conn: psycopg.Connection[Any], before: pa.Table, generic: pa.Table, record_ids: Sequence[int]
) -> int:
    """Make `generic` all generic values there are, where there were those `before`, and remember which of these
    records bear one; rows written."""
    written = 0 if generic.equals(before) else arrow.replace(conn, "identity.generic_value", generic, _VALUE_KEY)
    known, held = (
        arrow.read(conn, sql(f"evidence.{name}"), _of(record_ids), schema=_HOLDER)
        for name in ("known_holders_of", "generic_holders_of")
    )
    if known.num_rows == 0 == held.num_rows:
        return written
    scope = sql("evidence.records_scope")
    return written + arrow.replace(conn, "identity.generic_holder", held, _HOLDER.names, scope, _of(record_ids))


def load_accepted(conn: psycopg.Connection[Any], schema: pa.Schema) -> pa.Table:
    """The values that a human's word made one, as of the last resolution."""
    return arrow.read(conn, sql("evidence.accepted_values"), schema=schema)


def replace_accepted(conn: psycopg.Connection[Any], accepted: pa.Table) -> int:
    """Make `accepted` all such values; rows written."""
    return arrow.replace(conn, "identity.accepted_value", accepted, _VALUE_KEY)


def is_judged(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> bool:
    """A judgement, in force or lifted, speaks of one of these records."""
    row = conn.execute(sql("evidence.is_judged"), _of(record_ids)).fetchone()
    return row is not None and bool(row[0])


def together(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[int]:
    """All records of the clients that these records belong to."""
    return [row[0] for row in conn.execute(sql("evidence.together"), _of(record_ids))]


@contextmanager
def _wanted(conn: psycopg.Connection[Any], values: Sequence[tuple[str, str]]) -> Iterator[None]:
    parameters = {"types": [name for name, _ in values], "values": [value for _, value in values]}
    conn.execute(sql("evidence.create_wanted_values"), parameters)
    conn.execute(sql("evidence.analyze_wanted_values"))
    yield
    conn.execute(sql("evidence.drop_wanted_values"))


def _of(record_ids: Sequence[int] | None) -> dict[str, Any]:
    return {} if record_ids is None else {"record_ids": bigints(record_ids)}
