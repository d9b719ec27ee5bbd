"""What `onefold_v1` is, read from the database itself: its views and columns, and the registry of interaction types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class ServedColumn:
    """A column of a served view; as onefold_v1.meta_column."""

    dataset: str
    column_name: str
    data_type: str
    meaning_en: str | None
    label_ru: str | None
    personal_data: str
    refers_to: str | None
    """`view.column` in which the same value is a key."""
    allowed_values: list[str] | None


@dataclass(frozen=True, slots=True)
class _Head:
    dataset: str
    meaning_en: str | None
    rows: int
    is_estimated: bool
    key_columns: list[str] | None
    replace_by: list[str] | None
    is_incremental: bool


@dataclass(frozen=True, slots=True)
class ServedView:
    """A served view; as onefold_v1.meta_dataset, with its columns in order."""

    name: str
    meaning: str
    rows: int
    is_estimated: bool
    key: tuple[str, ...]
    """Columns that tell one row from another; empty: none are known."""
    replace_by: tuple[str, ...]
    """Columns by whose values an incremental reader replaces rows as a whole."""
    is_incremental: bool
    columns: tuple[ServedColumn, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """All of it: views by name, and the interaction types (columns of dim_interaction_type)."""

    views: tuple[ServedView, ...]
    types: tuple[dict[str, Any], ...]

    def view(self, name: str) -> ServedView | None:
        """The view of this name, if it is served."""
        return next((view for view in self.views if view.name == name), None)


def describe(conn: psycopg.Connection[Any]) -> Contract:
    """The contract of a hub; quick also where there are millions of rows."""
    with conn.cursor(row_factory=class_row(ServedColumn)) as cursor:
        columns = cursor.execute(sql("contract.columns")).fetchall()
    with conn.cursor(row_factory=class_row(_Head)) as heads:
        found = heads.execute(sql("contract.datasets")).fetchall()
    with conn.cursor(row_factory=dict_row) as rows:
        types = rows.execute(sql("contract.types")).fetchall()
    views = tuple(
        ServedView(
            one.dataset,
            one.meaning_en or "",
            one.rows,
            one.is_estimated,
            tuple(one.key_columns or ()),
            tuple(one.replace_by or ()),
            one.is_incremental,
            tuple(column for column in columns if column.dataset == one.dataset),
        )
        for one in found
    )
    return Contract(views, tuple(types))
