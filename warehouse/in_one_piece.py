"""Rows of a query as one message: each column as an array, or as one text with the lengths of its parts.

COPY hands over a message for each row, which costs the reader more than the query costs the server where rows are many
and narrow. A value of the server holds a gigabyte: whoever reads more reads it in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from warehouse.sql import sql

_ELEMENT: Final = np.dtype([("length", ">i4"), ("value", ">i8")])
_ARRAY_HEAD: Final = 20
"""Bytes before the elements of an array of one dimension: dimensions, flags, type, length, lower bound."""


def read(
    conn: psycopg.Connection[Any],
    query: SQL | Composed,
    parameters: Mapping[str, Any] | None = None,
    *,
    schema: pa.Schema,
) -> pa.Table:
    """The rows of a query as a table of `schema`: integers and texts, null where the schema allows it; the query's
    columns bear the schema's names."""
    nullable = [field.name for field in schema if field.nullable]
    with conn.cursor(binary=True) as cursor:
        statement = sql("arrow.as_arrays").format(columns=_arrays(schema), query=query)
        row = cursor.execute(statement, parameters).fetchone()
    if row is None or row[0] is None:
        return schema.empty_table()
    nulls = _integers(row[-1]) if nullable else None
    pieces, made = iter(row), []
    for field in schema:
        values = _integers(next(pieces))
        mask = None
        if nulls is not None and field.nullable:
            mask = (nulls >> nullable.index(field.name) & 1).astype(np.bool_)
        if field.type == pa.string():
            made.append(_texts(values, next(pieces), mask))
        else:
            made.append(pa.array(values.astype(field.type.to_pandas_dtype()), field.type, mask=mask))
    return pa.table(made, schema=schema)


@cache
def _arrays(schema: pa.Schema) -> SQL:
    """The columns of `read`: put together anew they take as long as a small question."""
    columns: list[Composable] = []
    for field in schema:
        name = Identifier(field.name)
        if field.type == pa.string():
            columns.append(SQL("array_send(array_agg(coalesce(octet_length({}), 0)::bigint))").format(name))
            columns.append(SQL("convert_to(string_agg(coalesce({}, ''), ''), 'UTF8')").format(name))
        else:
            columns.append(SQL("array_send(array_agg(coalesce({}, 0)::bigint))").format(name))
    nullable = [field.name for field in schema if field.nullable]
    if nullable:
        bits = (
            SQL("CASE WHEN {} IS NULL THEN {} ELSE 0 END").format(Identifier(name), Literal(1 << at))
            for at, name in enumerate(nullable)
        )
        columns.append(SQL("array_send(array_agg(({})::bigint))").format(SQL(" + ").join(bits)))
    return SQL(SQL(", ").join(columns).as_string())


def read_integers(
    conn: psycopg.Connection[Any],
    query: SQL | Composed,
    parameters: Mapping[str, Any] | None = None,
    *,
    schema: pa.Schema,
) -> pa.Table:
    """`read` for columns of bigint that have no nulls, whatever the schema allows."""
    columns = SQL(", ").join(SQL("array_send(array_agg({}))").format(Identifier(name)) for name in schema.names)
    with conn.cursor(binary=True) as cursor:
        row = cursor.execute(sql("arrow.as_arrays").format(columns=columns, query=query), parameters).fetchone()
    if row is None or row[0] is None:
        return schema.empty_table()
    return pa.table([_integers(data) for data in row], schema=schema)


def _integers(data: bytes) -> npt.NDArray[np.int64]:
    return np.frombuffer(data, _ELEMENT, offset=_ARRAY_HEAD)["value"].astype(np.int64)


def _texts(lengths: npt.NDArray[np.int64], data: bytes, mask: npt.NDArray[np.bool_] | None) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    known = None
    if mask is not None and mask.any():
        known = pa.py_buffer(np.packbits(~mask, bitorder="little"))
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(data), known)
