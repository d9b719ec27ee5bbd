"""dbt's `sources.yml` of the served contract: descriptions, tests, freshness. Read by dbt 1.8 and later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from warehouse.contract import Contract, ServedColumn, ServedView

SOURCE: Final = "onefold"
SCHEMA: Final = "onefold_v1"
HARD: Final = frozenset({"dim_party.client_id", "dim_interaction_type.type"})
"""What a reference to must be found in; a record that another names may come later, so those tests only warn."""
_WARN_AFTER_HOURS: Final = 24
_FAIL_AFTER_HOURS: Final = 72


def sources_yml(contract: Contract) -> str:
    """The file; all its tests pass on a hub that is whole."""
    source = {
        "name": SOURCE,
        "schema": SCHEMA,
        "description": "One client view of all systems; views only, columns are only appended.",
        "tables": [_table(view) for view in contract.views],
    }
    head = "# Made by `onefold docs`; make it anew instead of editing it.\n"
    text: str = yaml.safe_dump({"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=120)
    return head + text


def _table(view: ServedView) -> dict[str, Any]:
    table: dict[str, Any] = {"name": view.name, "description": view.meaning}
    if view.is_incremental:
        table["config"] = {
            # One row instead of a scan; what counts is when the hub last published, changed rows or not.
            "loaded_at_query": f"select published_at from {SCHEMA}.meta_dataset where dataset = '{view.name}'",  # noqa: S608
            "freshness": {
                "warn_after": {"count": _WARN_AFTER_HOURS, "period": "hour"},
                "error_after": {"count": _FAIL_AFTER_HOURS, "period": "hour"},
            },
        }
    if len(view.key) > 1:
        table["data_tests"] = [{"unique": {"column_name": f"({', '.join(view.key)})"}}]
    table["columns"] = [_column(view, column) for column in view.columns]
    return table


def _column(view: ServedView, column: ServedColumn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.column_name,
        "description": column.meaning_en or "",
        "data_type": column.data_type,
        "meta": {"personal_data": column.personal_data, **({"label_ru": column.label_ru} if column.label_ru else {})},
    }
    if tests := list(_tests(view, column)):
        found["data_tests"] = tests
    return found


def _tests(view: ServedView, column: ServedColumn) -> Iterator[str | dict[str, Any]]:
    if column.column_name in view.key or column.column_name == "is_deleted":
        yield "not_null"
    if view.key == (column.column_name,):
        yield "unique"
    if column.allowed_values:
        yield {"accepted_values": {"values": column.allowed_values}}
    if column.refers_to:
        target, _, field = column.refers_to.partition(".")
        test: dict[str, Any] = {"to": f"source('{SOURCE}', '{target}')", "field": field}
        if column.refers_to not in HARD:
            test["config"] = {"severity": "warn"}
        yield {"relationships": test}
