"""What evidence from documents reads and writes: documents as they are stated, their keys, twins, and what client
records have in common.

In the caller's transaction and under the hub lock; only differences are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Composable, Composed, Literal

from warehouse import arrow
from warehouse.arrays import bigints
from warehouse.sql import sql

Ids = npt.NDArray[np.int64]
_ID: Final = pa.schema([pa.field("record_id", pa.int64(), nullable=False)])
_OF_RECORDS: Final = SQL("i.record_id = ANY (%(record_ids)s::bigint[])")
PIECE: Final = 1 << 22
"""Bytes of text that documents take at a time when all are read: some 50,000 of them."""
SHOWN: Final = ("left", "left_number", "right", "right_number", "occurred_on", "amount", "currency", "worth")


def papers(
    conn: psycopg.Connection[Any], schema: pa.Schema, states: Mapping[str, Sequence[str]], record_ids: Ids
) -> pa.Table:
    """Those of these documents that are sales as they are stated now, published or not, in the columns of `schema`.
    `states`: `fields` of detail that say how a document stands, and the words that mean `void`, in lower case."""
    return arrow.read(conn, _papers(states, _OF_RECORDS), _of(record_ids), schema=schema)


def all_papers(
    conn: psycopg.Connection[Any], schema: pa.Schema, states: Mapping[str, Sequence[str]]
) -> Iterator[pa.Table]:
    """`papers` of all records, some ten thousand at a time, in no order."""
    return arrow.read_in_pieces(conn, _papers(states, SQL("true")), schema=schema, block=PIECE)


def _papers(states: Mapping[str, Sequence[str]], scope: Composable) -> Composed:
    void = [
        SQL("lower(i.detail ->> {}) = ANY ({}::text[])").format(Literal(name), Literal(list(states["void"])))
        for name in states["fields"]
    ]
    is_void: Composable = SQL("coalesce({}, false)").format(SQL(" OR ").join(void)) if void else SQL("false")
    return sql("in_common.papers").format(is_void=is_void, scope=scope)


def keys_of(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Ids) -> pa.Table:
    """The stored keys of these documents, in the columns of `schema`."""
    return arrow.read(conn, sql("in_common.keys_of"), _of(record_ids), schema=schema)


def neighbours(conn: psycopg.Connection[Any], record_ids: Ids, most: int) -> Ids:
    """Documents that share a key with these as far as is stored, of each key at most so many; these included."""
    found = arrow.read(conn, sql("in_common.neighbours"), {**_of(record_ids), "most": most}, schema=_ID)
    return np.union1d(record_ids, found["record_id"].to_numpy())


def twins_of(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Ids, *, by_party: bool = False) -> pa.Table:
    """The stored twins of these documents (of the documents of these client records), in the columns of `schema`."""
    name = "twins_of_parties" if by_party else "twins_of"
    return arrow.read(conn, sql(f"in_common.{name}"), _of(record_ids), schema=schema)


def store_keys(conn: psycopg.Connection[Any], keys: pa.Table, record_ids: Ids | None) -> None:
    """Make `keys` those of these documents (None: all there are)."""
    scope = SQL("true") if record_ids is None else SQL("t.record_id = ANY (%(record_ids)s::bigint[])")
    arrow.replace(conn, "identity.document_key", keys, ("record_id", "face"), scope, _of(record_ids))


def store_twins(conn: psycopg.Connection[Any], twins: pa.Table, record_ids: Ids | None) -> None:
    """Make `twins` those of these documents (None: all there are)."""
    scope = SQL("true") if record_ids is None else SQL(
        "(t.left_record_id = ANY (%(record_ids)s::bigint[]) OR t.right_record_id = ANY (%(record_ids)s::bigint[]))"
    )  # fmt: skip
    key = ("left_record_id", "right_record_id")
    arrow.replace(conn, "identity.document_twin", twins, key, scope, _of(record_ids))


def store_shared(conn: psycopg.Connection[Any], shared: pa.Table, record_ids: Ids | None) -> int:
    """Make `shared` what these client records (None: all) have in common with others; those for which that is another
    now are queued for resolve. How many rows were written."""
    scope = SQL("true") if record_ids is None else SQL(
        "(t.record_id = ANY (%(record_ids)s::bigint[]) OR t.other_record_id = ANY (%(record_ids)s::bigint[]))"
    )  # fmt: skip
    with arrow.staged(conn, "new_shared", "identity.shared_document", shared):
        conn.execute(sql("in_common.find_changed"), {"record_ids": _of(record_ids).get("record_ids")})
        conn.execute(sql("in_common.queue_changed"))
        conn.execute(sql("in_common.drop_changed"))
    key = ("record_id", "other_record_id")
    return arrow.replace(conn, "identity.shared_document", shared, key, scope, _of(record_ids))


def forget_queue(conn: psycopg.Connection[Any]) -> None:
    """Take out what waits, since everything is looked at next."""
    conn.execute(sql("in_common.everything"))


def shown(conn: psycopg.Connection[Any], left: int, right: int, limit: int) -> list[dict[str, Any]]:
    """The documents that two client records have in common, oldest first, in the columns of SHOWN."""
    rows = conn.execute(sql("in_common.shown"), {"left": left, "right": right, "limit": limit}).fetchall()
    return [dict(zip(SHOWN, row, strict=True)) for row in rows]


def _of(record_ids: Ids | None) -> dict[str, Any]:
    return {} if record_ids is None else {"record_ids": bigints(record_ids.tolist())}
