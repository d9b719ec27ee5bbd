"""The served views whose columns grow: `dim_party`, `dim_client` and `dim_client_history`, and the comments
of all.

`CREATE OR REPLACE VIEW` may only append columns, so these three are composed: the columns that a view has, in
the order in which it has them, then what the package or attributes.yaml added since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse import as_of
from warehouse.sql import qualified, sql

_VIEWS: Final = (
    (
        "onefold_v1.dim_party",
        "core.served_party",
        False,
        "All parties: clients, suppliers, staff and authorities",
    ),
    ("onefold_v1.dim_client", "core.served_party", True, "Clients and prospects: one golden record for each"),
    (
        "onefold_v1.dim_client_history",
        "core.served_party_history",
        False,
        "All versions of the golden records; the first is valid from -infinity",
    ),
)
_ATTRIBUTE_COLUMNS: Final = ("name", "kind", "type", "is_multi", "label_en", "label_ru", "personal_data")


def extend(conn: psycopg.Connection[Any], attributes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Append open attributes (name, kind, type, is_multi, label_en, label_ru, personal_data) to the dim
    views.

    The names that are new or changed; with none of them nothing is written. An attribute keeps its column for
    good.
    """
    with conn.transaction():
        changed = changed_attributes(conn, attributes)
        for values in changed:
            conn.execute(sql("served.store_attribute"), values)
        if changed:
            compose(conn)
    return [str(values["name"]) for values in changed]


def changed_attributes(conn: psycopg.Connection[Any], attributes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those of the open attributes that are not stored as they are, as rows of core.attribute."""
    defaults = {"kind": "any", "type": "text", "is_multi": False}
    stored = {row[0]: tuple(row) for row in conn.execute(sql("served.stored_attributes"))}
    changed = []
    for entry in attributes:
        values = {name: entry.get(name, defaults.get(name)) for name in _ATTRIBUTE_COLUMNS}
        values["label_en"] = values["label_en"] or values["name"]
        if stored.get(values["name"]) != tuple(values.values()):
            changed.append(values)
    return changed


def compose(conn: psycopg.Connection[Any]) -> None:
    """Bring the composed views up to the package and to core.attribute, and comment every served column."""
    conn.execute(sql("served.lock"))
    open_attributes = {
        row[0]: _expression(row[0], row[1], row[2]) for row in conn.execute(sql("served.attributes")).fetchall()
    }
    for view, base, clients_only, comment in _VIEWS:
        statement = sql("served.replace_view").format(
            view=qualified(view),
            columns=SQL(", ").join(select_list(columns_of(conn, view), columns_of(conn, base), open_attributes)),
            base=qualified(base),
            condition=SQL(" ") + sql("served.clients_only") if clients_only else SQL(""),
        )
        conn.execute(statement)
        conn.execute(sql("served.comment_view").format(view=qualified(view), comment=Literal(comment)))
    as_of.compose(conn)
    comment_columns(conn)


def comment_columns(conn: psycopg.Connection[Any]) -> None:
    """Comment every column of every served view: by its label where configuration gave it, else by the glossary."""
    rows = SQL(", ").join(SQL("({}, {})").format(Literal(n), Literal(c)) for n, c in glossary().items())
    conn.execute(sql("served.comment_columns").format(glossary=rows))


@cache
def glossary() -> dict[str, str]:
    """Column name -> what it means, the same in every served view."""
    text = (files("warehouse.sql") / "glossary.tsv").read_text("utf-8")
    return dict(line.split("\t", 1) for line in text.splitlines() if line)


def columns_of(conn: psycopg.Connection[Any], view: str) -> dict[str, str]:
    """Column -> type of a view, in its order; empty when there is no such view."""
    return dict(conn.execute(sql("served.columns_of"), {"view": view}).fetchall())


def select_list(
    had: Mapping[str, str], standard: Mapping[str, str], added: Mapping[str, Composable]
) -> list[Composable]:
    """Select-list of a view: what it `had` in its order, then what is new of its base's `standard` columns and of
    those `added` to them; a column that is no more stays as null.
    """
    columns: list[Composable] = []
    for name in [*had, *(n for n in [*standard, *added] if n not in had)]:
        if name in standard:
            columns.append(SQL("p.{}").format(Identifier(name)))
        elif name in added:
            cast = SQL("::{}").format(SQL(had[name])) if name in had else SQL("")
            columns.append(SQL("({}){} AS {}").format(added[name], cast, Identifier(name)))
        else:
            columns.append(SQL("NULL::{} AS {}").format(SQL(had[name]), Identifier(name)))
    return columns


def _expression(name: str, type_: str, is_multi: bool) -> Composable:
    if is_multi:
        return SQL("core.golden_list(p.attributes, {})").format(Literal(name))
    if type_ == "date":
        return SQL("core.golden_date(p.attributes, {})").format(Literal(name))
    if type_ in ("number", "boolean"):
        return SQL("core.golden_{}(p.attributes, {})").format(SQL(type_), Literal(name))
    return SQL("core.golden_text(p.attributes, {})").format(Literal(name))
