"""Served views on their way out of the hub: as lines of CSV, or as typed Arrow tables; never a whole view in memory.

All of one export is read in one snapshot, in a transaction that cannot write, and as a reader where that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
import pyarrow as pa
from psycopg import errors
from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.sql import Literal as Value

from warehouse import arrow
from warehouse.contract import ServedColumn, ServedView
from warehouse.roles import role_names
from warehouse.sql import sql

Dialect = Literal["plain", "excel-ru"]
BEGINNING: Final = -1
"""The change after which everything comes: changes are numbered from 0."""
_NUMBER: Final = pa.decimal128(38, 12)
_ARROW: Final = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int32(),
    "boolean": pa.bool_(),
    "numeric": _NUMBER,
    "double precision": pa.float64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}
_TYPED: Final = {"date": "finite", "timestamp with time zone": "finite", "numeric": "twelve_decimals"}
_PLAIN: Final = {"date": "finite", "timestamp with time zone": "finite", "boolean": "as_text"}
_RUSSIAN: Final = {
    "numeric": "ru_number",
    "double precision": "ru_number",
    "real": "ru_number",
    "date": "ru_date",
    "timestamp with time zone": "ru_time",
    "boolean": "ru_boolean",
    "integer": "as_is",
    "smallint": "as_is",
}


class RoleRefused(Exception):
    """The hub may not act as this role: let an administrator grant it to the hub's own."""


@dataclass(frozen=True, slots=True)
class Span:
    """Changes `after < changed_seq <= upto`."""

    after: int
    upto: int


@contextmanager
def snapshot(conn: psycopg.Connection[Any], role: str | None = None) -> Iterator[int]:
    """A transaction that sees one state and cannot write; the number of the last change in it.

    `role` reads instead of the connection's own, so that what it may not see is not there: `reader` is the hub's
    reader, any other name a role of the server. Raises RoleRefused.
    """
    with conn.transaction():
        conn.execute(sql("export.begin"))
        row = conn.execute(sql("export.last_change")).fetchone()
        if role is not None:
            name = role_names(conn.info.dbname).reader if role == "reader" else role
            try:
                conn.execute(sql("export.become").format(role=Identifier(name)))
            except (errors.InsufficientPrivilege, errors.UndefinedObject, errors.InvalidParameterValue) as exc:
                raise RoleRefused(
                    f"the hub cannot read as the role {name}: it does not exist, or {conn.info.user} is no member of it"
                    f' (GRANT "{name}" TO "{conn.info.user}")'
                ) from exc
        yield int(row[0]) if row else 0


def spans(conn: psycopg.Connection[Any], view: ServedView, whole: Span, rows: int) -> Iterator[tuple[Span, int]]:
    """`whole` in pieces of about so many rows, with their rows; a change is never cut. The last piece ends it."""
    query = sql("export.sizes").format(view=_name(view), after=Value(whole.after), upto=Value(whole.upto))
    after, held = whole.after, 0
    last = after
    for seq, count in conn.execute(query).fetchall():
        if held and held + count > rows:
            yield Span(after, last), held
            after, held = last, 0
        last, held = seq, held + count
    if held:
        yield Span(after, whole.upto), held


def csv_lines(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    dialect: Dialect = "plain",
    where: Composable | None = None,
) -> Iterator[bytes]:
    """The header and then each row (of these changes; None: of all; that `where` holds for) as a line of CSV that ends
    as RFC 4180 wants it.

    plain: commas, ISO dates in UTC, lists as JSON, values as they are. excel-ru: semicolons, decimal commas, texts that
    a spreadsheet would calculate or take for numbers behind an apostrophe. Null is nothing, an empty text is "".
    """
    if dialect == "plain":
        query, delimiter = _query(view, span, where, _PLAIN, "as_json", "as_is"), ","
    else:
        query, delimiter = _query(view, span, where, _RUSSIAN, "ru_list", "ru_text"), ";"
    statement = SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER, DELIMITER {})").format(query, Value(delimiter))
    with conn.cursor().copy(statement) as copy:
        # The server sends row by row, so that the last byte is the end of a row and no line break within a value.
        for line in copy:
            yield bytes(line[:-1]) + b"\r\n"


def tables(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    block: int = 1 << 24,
    where: Composable | None = None,
) -> Iterator[pa.Table]:
    """The rows (of these changes; None: of all; that `where` holds for) as tables of `schema(view)`, about `block`
    bytes of text at a time.

    -infinity and infinity are null; numbers are rounded to twelve decimals where they have more.
    """
    wanted = schema(view.columns)
    lists = [field.name for field in wanted if pa.types.is_list(field.type)]
    flat = pa.schema([field.with_type(pa.string()) if field.name in lists else field for field in wanted])
    query = _query(view, span, where, _TYPED, "as_json", "as_text")
    for table in arrow.read_in_pieces(conn, query, schema=flat, block=block):
        columns = [_lists(table.column(name)) if name in lists else table.column(name) for name in wanted.names]
        yield pa.table(columns, schema=wanted)


def schema(columns: Iterable[ServedColumn]) -> pa.Schema:
    """The columns' types in Arrow: exact numbers, moments in UTC, lists of texts; ids and documents as text."""
    return pa.schema([(column.column_name, _type(column.data_type)) for column in columns])


def _type(data_type: str) -> pa.DataType:
    if data_type.endswith("[]"):
        return pa.list_(pa.string())
    return _ARROW.get(data_type, pa.string())


def _lists(texts: pa.ChunkedArray) -> pa.Array:
    import msgspec

    decode = msgspec.json.Decoder(list[str | None]).decode
    return pa.array([None if text is None else decode(text) for text in texts.to_pylist()], pa.list_(pa.string()))


def _query(
    view: ServedView, span: Span | None, where: Composable | None, names: dict[str, str], lists: str, other: str
) -> Composed:
    columns: Sequence[Composable] = [
        SQL("{} AS {}").format(
            sql(f"export.{_form(column.data_type, names, lists, other)}").format(Identifier(column.column_name)),
            Identifier(column.column_name),
        )
        for column in view.columns
    ]
    between = None
    if span is not None:
        between = sql("export.between").format(after=Value(span.after), upto=Value(span.upto))
    wanted = [one for one in (between, where) if one is not None] or [SQL("true")]
    condition = SQL(" AND ").join(wanted)
    return sql("export.rows").format(columns=SQL(", ").join(columns), view=_name(view), condition=condition)


def _form(data_type: str, names: dict[str, str], lists: str, other: str) -> str:
    if data_type.endswith("[]"):
        return lists
    if data_type in names:
        return names[data_type]
    return "as_is" if data_type in _ARROW and other == "as_text" else other


def _name(view: ServedView) -> Identifier:
    return Identifier("onefold_v1", view.name)
