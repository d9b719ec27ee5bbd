"""The registry of interaction types in core.interaction_type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from warehouse import typed_views
from warehouse.sql import sql

_COLUMNS: Final = (
    "code", "department", "label_en", "label_ru", "direction", "detail_schema", "money", "tax", "has_lines",
)  # fmt: skip
_DEFAULTS: Final[Mapping[str, Any]] = {"detail_schema": {}, "money": "none", "has_lines": False}


def store_interaction_types(conn: psycopg.Connection[Any], types: Iterable[Mapping[str, Any]]) -> None:
    """Bring core.interaction_type and the served view of each type up to the configured registry; a type that is no
    longer configured stays, and so does the view of lines of one that has none any more.

    Each entry maps the table's columns to values; `code` and `label_en` must be there. Raises ViewNameTaken.
    """
    changed = changed_interaction_types(conn, types)
    with conn.transaction():
        for values in changed:
            values["detail_schema"] = Jsonb(dict(values["detail_schema"] or {}))
            conn.execute(sql("standard.store_interaction_type"), values)
        if changed:
            typed_views.compose(conn, [values["code"] for values in changed])


def changed_interaction_types(
    conn: psycopg.Connection[Any], types: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Those of the entries that are not stored as they are."""
    stored = {row[0]: tuple(row) for row in conn.execute(sql("standard.interaction_types"))}
    wanted = [{name: entry.get(name) or _DEFAULTS.get(name) for name in _COLUMNS} for entry in types]
    for values in wanted:
        values["has_lines"] = values["has_lines"] or bool(stored.get(values["code"], (False,))[-1])
    return [values for values in wanted if stored.get(values["code"]) != tuple(values.values())]
