"""Docs: what is made of the served contract, into a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.contract import dictionary, metabase
from onefold.contract.dbt import sources_yml
from onefold.contract.queries import queries
from onefold.steps.report import Report
from warehouse.contract import describe

if TYPE_CHECKING:
    import httpx

    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class DocsReport(Report):
    """What was written."""

    views: int
    columns: int
    unclassified: tuple[str, ...]
    """Columns (`view.column`) of which nobody has said what personal data they hold."""
    files: tuple[str, ...]


def docs(context: Context, folder: Path, language: metabase.Language = "en") -> DocsReport:
    """Write dictionary, dbt sources, Metabase metadata and queries under `folder`; the same hub, the same bytes."""
    with context.connection() as conn:
        contract = describe(conn)
    asked = queries()
    made = {
        "dictionary.html": dictionary.html(contract, asked),
        "dictionary.md": dictionary.markdown(contract, asked),
        "dbt/models/onefold/sources.yml": sources_yml(contract),
        "metabase.json": json.dumps(metabase.metadata(contract, language), ensure_ascii=False, indent=1) + "\n",
        **{f"queries/{query.name}.sql": query.statement for query in asked},
    }
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    columns = [column for view in contract.views for column in view.columns]
    unclassified = tuple(f"{c.dataset}.{c.column_name}" for c in columns if c.personal_data == "unclassified")
    return DocsReport(len(contract.views), len(columns), unclassified, tuple(str(folder / name) for name in made))


def tell_metabase(
    context: Context, client: httpx.Client, database: str | None, language: metabase.Language = "en"
) -> metabase.Sent:
    """Bring a Metabase's metadata up to the contract; see `metabase.send`."""
    with context.connection() as conn:
        contract = describe(conn)
    return metabase.send(client, metabase.metadata(contract, language), database)
