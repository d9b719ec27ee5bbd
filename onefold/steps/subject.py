"""subject report: everything held about one person, for a request of access; and who looked at whom."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from onefold.steps.client import client
from warehouse import subject

if TYPE_CHECKING:
    from onefold.context import Context


def looked(
    context: Context,
    client_ids: Sequence[str],
    *,
    who: str,
    how: str,
    rows: int | None = None,
    purpose: str | None = None,
    fields: Sequence[str] | None = None,
) -> None:
    """Write into ops.access_log who looked at these clients by which command or call and what for, how many rows that
    were, and which attributes were shown unmasked (None: all)."""
    if not client_ids:
        return
    with context.connection("onefold access log") as conn:
        at = context.clock()
        subject.log_access(conn, client_ids, who=who, how=how, at=at, rows=rows, purpose=purpose, fields=fields)


def subject_report(context: Context, who: str) -> dict[str, Any]:
    """Everything held about a client: every record, value, version, interaction, judgement, and who looked.

    NothingFound when there is no such client.
    """
    view = client(context, who, limit=1)
    with context.connection("onefold subject report") as conn:
        held = subject.held_about(conn, view["client_id"])
    # With whom, but not by name: the report is about one person, and goes out of the house.
    for related in view["relationships"]:
        related.pop("display_name", None)
    kept = ("client_id", "former_ids", "kind", "role", "display_name", "attributes", "lineage", "relationships")
    return {"made_at": context.clock().isoformat(), **{name: view[name] for name in kept}, **held}


def as_html(report: dict[str, Any]) -> str:
    """The report as one page that needs nothing else: a table for each part."""
    parts = "".join(f"<h2>{escape(name.replace('_', ' '))}</h2>{_cell(value)}" for name, value in report.items())
    style = (
        "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:3px"
    )
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{escape(report['client_id'])}</title>"
        f"<style>{style} 6px;text-align:left;vertical-align:top}}</style></head>"
        f"<body><h1>{escape(str(report['display_name'] or report['client_id']))}</h1>{parts}</body></html>\n"
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        rows = "".join(f"<tr><th>{escape(str(key))}</th><td>{_cell(one)}</td></tr>" for key, one in value.items())
        return f"<table>{rows}</table>"
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        names = list(dict.fromkeys(name for one in value for name in one))
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
        rows = "".join("<tr>" + "".join(f"<td>{_cell(one.get(n))}</td>" for n in names) + "</tr>" for one in value)
        return f"<table><tr>{head}</tr>{rows}</table>"
    if isinstance(value, list):
        return escape(", ".join(map(str, value))) or "-"
    return "" if value is None else escape(str(value))
