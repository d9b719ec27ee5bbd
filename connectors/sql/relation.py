"""A stream's table or query as a selectable, its key and nullable columns, and the statements of a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from connectors.errors import SourceConfigurationError
from connectors.page import StreamRequest
from connectors.rows import CONTENT
from connectors.sql.engine import UtcTimestamp
from connectors.sql.settings import SqlOptions


@dataclass(frozen=True, slots=True)
class Relation:
    """What is read, with columns in the order of their names (so that records need no sorting)."""

    table: sa.FromClause
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Empty for keyless rows."""
    updated_at: str | None
    nullable: frozenset[str]

    def column(self, name: str) -> sa.ColumnElement[Any]:
        """One column by its name; KeyError for one that is not there."""
        return self.table.c[name]

    def select(self) -> sa.Select[Any]:
        """Every column, in the order of `columns`."""
        return sa.select(*(self.table.c[name] for name in self.columns))

    def after(self, names: Sequence[str], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Rows behind a position in the order of `names`: a > x or (a = x and (b > y or ...)); every
        database takes it."""
        name, value = names[0], values[0]
        behind: sa.ColumnElement[bool] = self.column(name) > value
        if len(names) == 1:
            return behind
        return sa.or_(behind, sa.and_(self.column(name) == value, self.after(names[1:], values[1:])))


def relation(
    connection: sa.Connection, options: SqlOptions, request: StreamRequest, schema: str | None, source: str
) -> Relation:
    """The relation of a stream. Raises SourceConfigurationError for a missing table or column."""
    if options.query:
        text = options.query.strip().rstrip(";")
        probe = sa.text(text).columns(sa.column("x")).subquery("q")
        names = list(connection.execute(sa.select(sa.literal_column("*")).select_from(probe).where(sa.false())).keys())
        table: sa.FromClause = sa.text(text).columns(*(sa.column(name) for name in names)).subquery("q")
        nullable, primary = frozenset(names), []
    else:
        space, name = split_name(options.table or request.name, schema)
        inspector = sa.inspect(connection)
        if not (inspector.has_table(name, schema=space) or name in inspector.get_view_names(schema=space)):
            raise SourceConfigurationError(
                f"there is no table {name!r}", source=source, stream=request.name,
                hint=f"Tables: {', '.join(sorted(inspector.get_table_names(schema=space))[:30])}",
            )  # fmt: skip
        described = inspector.get_columns(name, schema=space)
        primary = list(inspector.get_pk_constraint(name, schema=space).get("constrained_columns") or ())
        names = [column["name"] for column in described]
        nullable = frozenset(column["name"] for column in described if column.get("nullable", True)) - set(primary)
        # Without types, values come as the driver gives them; typed SQLite columns stumble over odd dates.
        moments = {column["name"] for column in described if isinstance(column["type"], mysql.TIMESTAMP)}
        typed = (sa.column(name, UtcTimestamp() if name in moments else None) for name in names)
        table = sa.table(name, *typed, schema=space)
    wanted = [request.key] if isinstance(request.key, str) else list(request.key or primary)
    key = tuple(name for name in wanted if name != CONTENT)
    for name in (*key, *([request.updated_at] if request.updated_at else [])):
        if name not in names:
            raise SourceConfigurationError(
                f"there is no column {name!r}",
                source=source,
                stream=request.name,
                hint=f"Columns: {', '.join(names[:40])}",
            )
    return Relation(table, tuple(sorted(names)), key, request.updated_at, nullable)


def split_name(name: str, schema: str | None) -> tuple[str | None, str]:
    """`schema.table` as its parts."""
    space, dot, table = name.rpartition(".")
    return (space, table) if dot else (schema, name)
