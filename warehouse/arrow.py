"""Arrow tables in and out by COPY, on the caller's connection and in its transaction.

They go in in binary (`copy_format`), or as CSV with types that it does not know: there both sides tell null (nothing)
from the empty string (""). They come out in COPY's text format, whose rows are lines, parsed on all cores. COPY,
because it sees the caller's own uncommitted rows; a driver with a connection of its own would not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from warehouse import copy_format
from warehouse.arrays import nullable
from warehouse.sql import qualified, sql

_CHUNK_ROWS: Final = 50_000
_WIDE_CHUNK_ROWS: Final = 5_000
"""Of rows with texts: the server stores the first while the next are laid out."""
_BULK_ROWS: Final = 100_000
_BLOCK_BYTES: Final = 1 << 23
_SMALL_BYTES: Final = 1 << 18
_WIDTHS: Final = {pa.int64(): 8, pa.int32(): 4}
_INTEGERS: Final = {("int8", pa.int64()), ("int4", pa.int32())}
_EVERY_ROW: Final = SQL("true")
_ESCAPES: Final = (
    # No text holds a NUL: it stands for the backslash that is meant, until the others are read.
    ("\\\\", "\0"),
    ("\\b", "\b"),
    ("\\f", "\f"),
    ("\\n", "\n"),
    ("\\r", "\r"),
    ("\\t", "\t"),
    ("\\v", "\v"),
    ("\0", "\\"),
)


def copy_in(conn: psycopg.Connection[Any], table: str, rows: pa.Table) -> int:
    """COPY all rows into `table` (`schema.name`) by column names; how many. Lists become arrays."""
    if rows.num_rows == 0:
        return 0
    is_plain = _is_plain(rows)
    types = {} if is_plain else dict(conn.execute(sql("arrow.column_types"), {"table": table}).fetchall())
    is_plain = is_plain or all((types.get(field.name), field.type) in _INTEGERS for field in rows.schema)
    form = "binary" if is_plain or copy_format.is_encodable(rows, types) else "csv"
    statement = SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
        qualified(table), SQL(", ").join(map(Identifier, rows.column_names)), SQL(form)
    )
    with conn.cursor().copy(statement) as copy:
        if form == "binary":
            copy.write(copy_format.HEAD)
            for batch in rows.to_batches(max_chunksize=_CHUNK_ROWS if is_plain else _WIDE_CHUNK_ROWS):
                copy.write(_binary(batch) if is_plain else copy_format.encode(batch, types))
            copy.write(copy_format.END)
        else:
            for batch in _flat(rows).to_batches(max_chunksize=_CHUNK_ROWS):
                copy.write(_csv(batch))
    return int(rows.num_rows)


def _csv(batch: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    pacsv.write_csv(pa.Table.from_batches([batch]), sink, options)
    return memoryview(sink.getvalue())


def _is_plain(rows: pa.Table) -> bool:
    """Whether all columns are integers without nulls, of whatever type the table has them."""
    return all(field.type in _WIDTHS for field in rows.schema) and not any(c.null_count for c in rows.columns)


def _binary(batch: pa.RecordBatch) -> bytes:
    """Rows of integers as COPY's binary format has them: the number of fields, then each with its length. That of a
    null is -1, and its value is left out."""
    columns = [
        (f"{side}{at}", form)
        for at, field in enumerate(batch.schema)
        for side, form in (("length", ">i4"), ("value", f">i{_WIDTHS[field.type]}"))
    ]
    out = np.zeros(batch.num_rows, dtype=[("fields", ">i2"), *columns])
    out["fields"] = batch.num_columns
    left_out = []
    for at, field in enumerate(batch.schema):
        column = batch.column(at)
        out[f"length{at}"] = _WIDTHS[field.type]
        if column.null_count:
            nulls = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
            out[f"length{at}"][nulls] = -1
            left_out.append((at, nulls))
            column = pc.fill_null(column, 0)
        out[f"value{at}"] = column.to_numpy()
    if not left_out:
        return out.tobytes()
    written = np.ones((len(out), out.itemsize), np.bool_)
    for at, nulls in left_out:
        field, first = out.dtype.fields[f"value{at}"][:2]
        written[nulls, first : first + field.itemsize] = False
    return out.view(np.uint8).reshape(written.shape)[written].tobytes()


def read(
    conn: psycopg.Connection[Any],
    query: SQL | Composed,
    parameters: Mapping[str, Any] | None = None,
    *,
    schema: pa.Schema,
) -> pa.Table:
    """The rows of a query as a table of `schema`; the query yields the schema's columns in its order."""
    statement = SQL("COPY ({}) TO STDOUT (FORMAT text)").format(query)
    sink = pa.BufferOutputStream()
    with conn.cursor().copy(statement, parameters) as copy:
        for block in copy:
            sink.write(block)
    return _parse(sink.getvalue(), schema)


def read_in_pieces(
    conn: psycopg.Connection[Any], query: SQL | Composed, *, schema: pa.Schema, block: int
) -> Iterator[pa.Table]:
    """`read` for what is too much for the memory: tables of about `block` bytes of text each, in the query's order."""
    statement = SQL("COPY ({}) TO STDOUT (FORMAT text)").format(query)
    sink = pa.BufferOutputStream()
    with conn.cursor().copy(statement) as copy:
        for line in copy:
            sink.write(line)
            if sink.tell() >= block:
                yield _parse(sink.getvalue(), schema)
                sink = pa.BufferOutputStream()
        if sink.tell():
            yield _parse(sink.getvalue(), schema)


@contextmanager
def staged(conn: psycopg.Connection[Any], name: str, like: str, rows: pa.Table) -> Iterator[None]:
    """A temporary table `name` with these rows, columns typed as in `like`; gone after the block."""
    create = SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
        Identifier(name), SQL(", ").join(map(Identifier, rows.column_names)), qualified(like)
    )
    with conn.transaction():
        conn.execute(create)
        copy_in(conn, f"pg_temp.{name}", rows)
        _analyse(conn, f"pg_temp.{name}")
        yield
        conn.execute(SQL("DROP TABLE {}").format(Identifier("pg_temp", name)))


def replace(
    conn: psycopg.Connection[Any],
    table: str,
    rows: pa.Table,
    key: Sequence[str],
    scope: SQL | Composed = _EVERY_ROW,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Make `rows` the rows of `table` (`schema.name`) in `scope`, a condition on `t`; how many were written.

    By difference: a row that is there already, found by its `key`, is left as it is.
    """
    if is_empty(conn, table):
        return load(conn, table, rows)
    values = [name for name in rows.column_names if name not in key]
    parts = {
        "table": qualified(table),
        "scope": scope,
        "same": SQL(" AND ").join(SQL("n.{0} = t.{0}").format(Identifier(name)) for name in key),
        "columns": SQL(", ").join(map(Identifier, rows.column_names)),
        "new": SQL(", ").join(SQL("n.{}").format(Identifier(name)) for name in rows.column_names),
        "assign": SQL(", ").join(SQL("{0} = n.{0}").format(Identifier(name)) for name in values),
        "old_values": SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in values),
        "new_values": SQL(", ").join(SQL("n.{}").format(Identifier(name)) for name in values),
    }
    with staged(conn, "new_row", table, rows):
        statements = ("drop_rows", "change_rows", "add_rows") if values else ("drop_rows", "add_rows")
        return sum(conn.execute(sql(f"arrow.{s}").format(**parts), parameters).rowcount for s in statements)


def change(conn: psycopg.Connection[Any], table: str, before: pa.Table, after: pa.Table, key: Sequence[str]) -> int:
    """Make `after` what `before` is of `table` (`schema.name`): all its rows in some scope; how many were written.

    Integers only. The difference is known before the database is asked for anything.
    """
    names = after.column_names
    old, new = (set(zip(*(rows[name].to_pylist() for name in names), strict=True)) for rows in (before, after))
    places = [names.index(name) for name in key]
    held, wanted = ({tuple(row[at] for at in places): row for row in rows} for rows in (old - new, new - old))
    gone = sorted(row for found, row in held.items() if found not in wanted)
    changed = sorted(row for found, row in wanted.items() if found in held)
    added = sorted(row for found, row in wanted.items() if found not in held)
    for statement, rows in (("drop_these", gone), ("change_these", changed)):
        if rows:
            conn.execute(*_on_rows(statement, table, rows, after.schema, key))
    if added:
        copy_in(conn, table, pa.table([list(column) for column in zip(*added, strict=True)], schema=after.schema))
    return len(gone) + len(changed) + len(added)


def _on_rows(
    statement: str, table: str, rows: Sequence[tuple[int | None, ...]], schema: pa.Schema, key: Sequence[str]
) -> tuple[Composed, dict[str, str]]:
    """A statement on given rows, and their columns as arrays."""
    columns = dict(zip(schema.names, zip(*rows, strict=True), strict=True))
    values = [name for name in schema.names if name not in key]
    used = key if statement == "drop_these" else schema.names
    arrays = SQL(", ").join(
        SQL("{}::{}[]").format(Placeholder(name), SQL("bigint" if schema.field(name).type == pa.int64() else "integer"))
        for name in used
    )
    query = sql(f"arrow.{statement}").format(
        table=qualified(table),
        same=SQL(" AND ").join(SQL("n.{0} = t.{0}").format(Identifier(name)) for name in key),
        assign=SQL(", ").join(SQL("{0} = n.{0}").format(Identifier(name)) for name in values),
        rows=SQL("unnest({}) AS n ({})").format(arrays, SQL(", ").join(map(Identifier, used))),
    )
    return query, {name: nullable(columns[name]) for name in used}


def load(conn: psycopg.Connection[Any], table: str, rows: pa.Table) -> int:
    """`copy_in`; for a large load into an empty table the indexes are built afterwards: half the time."""
    with indexes_rebuilt(conn, [table], rows.num_rows >= _BULK_ROWS):
        return copy_in(conn, table, rows)


@contextmanager
def indexes_rebuilt(
    conn: psycopg.Connection[Any],
    tables: Sequence[str],
    wanted: bool,
    *,
    keep: Sequence[str] = (),
    filled: bool = False,
    anew: bool = False,
) -> Iterator[None]:
    """Drop the indexes and keys of those tables that are empty and ours, and build them again after the
    block; those named in `keep` (`schema.name`) stay. `filled`: also of tables that hold rows. `anew`: empty ones,
    to which no foreign key leads, get new files too, into which a server with little log (wal_level minimal) writes
    rows without logging each: half the time of an INSERT ... SELECT.

    The tables stay locked until the transaction ends; that harms nobody where there is nothing to read in
    them yet.
    """
    rebuilt = [t for t in tables if wanted and (filled or is_empty(conn, t)) and is_owned(conn, t)]
    creates: list[str] = []
    for table in rebuilt:
        parameters = {"table": table, "keep": list(keep)}
        for drop, create in conn.execute(sql("arrow.index_definitions"), parameters).fetchall():
            conn.execute(drop)
            creates.append(create)
        if anew and is_empty(conn, table):  # asked once more: it is locked only now
            conn.execute(SQL("TRUNCATE {}").format(qualified(table)))
    yield
    for create in creates:
        conn.execute(create)
    for table in rebuilt:
        _analyse(conn, table)


def _analyse(conn: psycopg.Connection[Any], table: str) -> None:
    """Without documents: they are never compared as a whole, and their statistics take longer than all the others'."""
    plain = [row[0] for row in conn.execute(sql("arrow.plain_columns"), {"table": table})]
    columns = SQL(", ").join(map(Identifier, plain))
    conn.execute(SQL("ANALYZE {} ({})").format(qualified(table), columns))


def is_empty(conn: psycopg.Connection[Any], table: str) -> bool:
    """The table (`schema.name`) has no row that this transaction sees."""
    row = conn.execute(SQL("SELECT EXISTS (SELECT FROM {})").format(qualified(table))).fetchone()
    return row is not None and not row[0]


def is_owned(conn: psycopg.Connection[Any], table: str) -> bool:
    """Whether this user may drop the table's indexes."""
    row = conn.execute(sql("arrow.is_owned"), {"table": table}).fetchone()
    return row is not None and bool(row[0])


def _flat(rows: pa.Table) -> pa.Table:
    """CSV has no lists: lists of integers are written as PostgreSQL writes arrays."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_list(field.type):
            lists = rows.column(index).cast(pa.list_(pa.string()))
            rows = rows.set_column(
                index, field.name, pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
            )
    return rows


def _parse(data: pa.Buffer, schema: pa.Schema) -> pa.Table:
    if data.size == 0:
        return schema.empty_table()
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    types = {field.name: pa.string() if field.name in lists else field.type for field in schema}
    # A block must hold at least one whole row, however long its text.
    block = max(_BLOCK_BYTES, min(data.size, 1 << 30)) if data.size < 1 << 26 else _BLOCK_BYTES
    table = _unescaped(_parse_blocks(data, types, block))
    for name in lists:
        index = table.schema.get_field_index(name)
        values = [
            None if value is None else [int(part) for part in value.strip("{}").split(",") if part]
            for value in table.column(name).to_pylist()
        ]
        table = table.set_column(index, schema.field(name), pa.array(values, schema.field(name).type))
    return table.cast(schema)


def _unescaped(table: pa.Table) -> pa.Table:
    """The texts as they are stored: COPY writes a backslash before what would end a field or a row."""
    for index, field in enumerate(table.schema):
        texts = table.column(index)
        if field.type != pa.string() or not pc.any(pc.match_substring(texts, "\\")).as_py():
            continue
        for written, meant in _ESCAPES:
            texts = pc.replace_substring(texts, written, meant)
        table = table.set_column(index, field, texts)
    return table


def _parse_blocks(data: pa.Buffer, types: Mapping[str, pa.DataType], block: int) -> pa.Table:
    try:
        return pacsv.read_csv(
            pa.BufferReader(data),
            # For a few rows threads take longer to start than to parse.
            read_options=pacsv.ReadOptions(
                column_names=list(types), block_size=block, use_threads=data.size > _SMALL_BYTES
            ),
            parse_options=pacsv.ParseOptions(
                delimiter="\t", quote_char=False, escape_char=False, ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict(types),
                null_values=["\\N"],
                strings_can_be_null=True,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as exc:
        if "straddling" in str(exc) and block < 1 << 30:
            return _parse_blocks(data, types, block * 8)
        raise
