"""The served views of single interaction types: `fct_<type>` with the fields of its detail as typed columns, and
`fct_<type>_line` where its interactions have lines.

They are made from core.interaction_type, so that a type of interactions.yaml needs nothing else. Columns are only
appended: a field that is gone keeps its column as null, one that takes another type gets a second column.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composable, Literal

from warehouse import served
from warehouse.sql import definitions, qualified, sql

LONGEST_CODE: Final = 63 - len("fct_") - len("_line")
"""Letters of a code whose views still fit into PostgreSQL's names."""

_BASE: Final = "onefold_v1.fct_interaction"
_LINE_BASE: Final = "onefold_v1.fct_interaction_line"
_EXPRESSIONS: Final = {
    "text": "p.detail ->> {}",
    "number": "core.golden_number(p.detail, {})",
    "boolean": "core.golden_boolean(p.detail, {})",
    "date": "core.golden_date(p.detail, {})",
    "timestamp": "core.detail_timestamp(p.detail, {})",
    "list": "CASE WHEN p.detail ->> {0} IS NOT NULL THEN core.golden_list(p.detail, {0}) END",
    "object": "p.detail -> {}",
}


class ViewNameTaken(ValueError):
    """A type's code would give its view the name of another served view: give the type another code."""


@cache
def reserved_codes() -> frozenset[str]:
    """Codes that no type can have, because `fct_<code>` is a served view of another meaning."""
    found = re.findall(r"VIEW onefold_v1\.fct_(\w+)", "\n".join(definitions().values()))
    return frozenset(found)


def why_not(code: str, others: Collection[str]) -> str | None:
    """Why a type cannot have this code beside `others`, in words; None: it can."""
    if code in reserved_codes():
        return f"its view would be fct_{code}, which is a served view of another meaning"
    if len(code) > LONGEST_CODE:
        return f"it has more than {LONGEST_CODE} characters, and its view's name would not fit"
    if code.endswith("_line") and code.removesuffix("_line") in others:
        return f"its view would be fct_{code}, which holds the lines of {code.removesuffix('_line')}"
    return None


def compose(conn: psycopg.Connection[Any], codes: Iterable[str] | None = None) -> None:
    """Bring the views of these types (None: of all) up to the registry, with comments. Raises ViewNameTaken."""
    types = conn.execute(sql("served.interaction_types")).fetchall()
    every = {row[0] for row in types}
    wanted = every.intersection(codes) if codes is not None else every
    if not wanted:
        return
    conn.execute(sql("served.lock"))
    bases = {base: served.columns_of(conn, base) for base in (_BASE, _LINE_BASE)}
    for code, label, schema, has_lines in types:
        if code not in wanted:
            continue
        if (reason := why_not(code, every - {code})) is not None:
            raise ViewNameTaken(f"the interaction type {code} cannot be served: {reason}; give it another code")
        fields = _fields(conn, code, schema, bases[_BASE])
        _replace(conn, f"onefold_v1.fct_{code}", _BASE, code, bases[_BASE], fields, label)
        if has_lines:
            _replace(conn, f"onefold_v1.fct_{code}_line", _LINE_BASE, code, bases[_LINE_BASE], {}, f"{label}: lines")
    served.comment_columns(conn)


def _replace(
    conn: psycopg.Connection[Any],
    view: str,
    base: str,
    code: str,
    standard: Mapping[str, str],
    fields: Mapping[str, Composable],
    label: str,
) -> None:
    # A field served before a column of its name came to all interactions keeps the name.
    others = {name: type_ for name, type_ in standard.items() if name not in fields}
    columns = served.select_list(served.columns_of(conn, view), others, fields)
    statement = sql("served.replace_view").format(
        view=qualified(view),
        columns=SQL(", ").join(columns),
        base=qualified(base),
        condition=SQL(" ") + sql("served.of_type").format(type=Literal(code)),
    )
    conn.execute(statement)
    conn.execute(sql("served.comment_view").format(view=qualified(view), comment=Literal(label)))


def _fields(
    conn: psycopg.Connection[Any], code: str, schema: Mapping[str, Any], standard: Mapping[str, str]
) -> dict[str, Composable]:
    """Column -> expression for every field that the type has or had; new ones are given their column for good."""
    stored = {
        (field, type_): column
        for of_type, column, field, type_ in conn.execute(sql("served.interaction_fields"))
        if of_type == code
    }
    taken = {*standard, *stored.values()}
    columns: dict[str, Composable] = {column: SQL("NULL") for column in stored.values()}
    for field, spec in sorted(schema.items()):
        type_ = spec.get("type", "text")
        column = stored.get((field, type_)) or _column(field, type_, taken, standard)
        taken.add(column)
        labels = spec.get("labels") or {}
        conn.execute(
            sql("served.store_interaction_field"),
            {
                "type": code,
                "column_name": column,
                "field": field,
                "detail_type": type_,
                "label_en": labels.get("en") or next(iter(labels.values()), field),
                "label_ru": labels.get("ru"),
            },
        )
        columns[column] = SQL(_EXPRESSIONS[type_]).format(Literal(field))
    return columns


def _column(field: str, type_: str, taken: Collection[str], standard: Collection[str]) -> str:
    """A free column name: the field's own, `detail_<field>` beside a column of all interactions, else with its type."""
    own = f"detail_{field}" if field in standard else field
    for name in (own, f"{own}_{type_}", f"detail_{own}_{type_}"):
        fitting = name.encode()[:63].decode(errors="ignore")
        if fitting not in taken:
            return fitting
    raise ViewNameTaken(f"no column name is left for the field {field}: give it another name in interactions.yaml")
