"""Search before create: the stored records that share a block with one that is not stored, in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import pyarrow as pa

from warehouse.arrays import bigints
from warehouse.resolution import record_columns
from warehouse.sql import sql


@dataclass(frozen=True)
class Nearest:
    """What the register holds near one record, as of one moment."""

    state: str | None
    """As `evidence.state`: under which resolution the keys and records stand."""
    found: int
    """How many records share a block with it; `records` may be fewer."""
    records: pa.Table
    identifiers: pa.Table
    clients: Mapping[int, tuple[str, str | None]]
    """By record its client, and what that is called once it is published."""


def nearest(
    conn: psycopg.Connection[Any],
    keys: Iterable[int],
    most: int,
    record: pa.Schema,
    identifier: pa.Schema,
    attributes: Sequence[str],
) -> Nearest:
    """At most `most` records in the blocks `keys` that are within their limit, those of the smallest blocks first.

    `record` and `identifier` are the schemas of the tables, `attributes` the open attributes that are wanted.
    """
    query = _query(tuple(record.names), tuple(attributes))
    rows = conn.execute(query, {"keys": bigints(keys), "most": most}).fetchall()
    state = rows[0][0]
    if rows[0][1] is None:
        return Nearest(state, 0, record.empty_table(), identifier.empty_table(), {})
    _, _, client, name, listed, *columns = zip(*rows, strict=True)
    tables = {
        # A content hash is a UUID to the driver.
        field.name: pa.array(map(_text, column) if field.type == pa.string() else column, field.type)
        for field, column in zip(record, columns, strict=True)
    }
    ids: list[int] = tables["record_id"].to_pylist()
    entries = [(at, *entry) for at, own in zip(ids, listed, strict=True) for entry in own or ()]
    parts = zip(*entries, strict=True) if entries else ((),) * len(identifier)
    identifiers = [pa.array(part, field.type) for part, field in zip(parts, identifier, strict=True)]
    return Nearest(
        state,
        rows[0][1],
        pa.table(tables, schema=record),
        pa.table(identifiers, schema=identifier),
        {at: (one, called) for at, one, called in zip(ids, client, name, strict=True) if one is not None},
    )


@cache
def _query(columns: tuple[str, ...], attributes: tuple[str, ...]) -> bytes:
    """The statement as the driver sends it, composed once."""
    return sql("nearest.nearest").format(columns=record_columns(columns, attributes)).as_bytes()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
