"""`onefold docs`: what the served views mean, for people and for their tools."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    import httpx

    from onefold.context import Context


class Language(StrEnum):
    """Languages of names that Metabase shows."""

    en = "en"
    ru = "ru"


@app.command(rich_help_panel="For tools")
def docs(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path("onefold-docs"),
    metabase: Annotated[
        str | None, typer.Option("--metabase", help="Also tell the Metabase at this address (key: METABASE_API_KEY).")
    ] = None,
    metabase_database: Annotated[
        str | None,
        typer.Option("--metabase-database", help="The hub's connection in Metabase, if there are several."),
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="Of the names that Metabase shows.")] = Language.en,
) -> None:
    """Write the data dictionary (HTML, Markdown), dbt sources with tests, Metabase metadata and ten queries.

    Example: onefold docs --out docs-of-our-hub
    """
    from onefold.steps.docs import docs as step
    from onefold.steps.docs import tell_metabase

    with opened(ctx) as (context, output):
        report = step(context, out, language.value)
        sent = None
        if metabase is not None:
            with metabase_client(context, metabase) as client:
                sent = tell_metabase(context, client, metabase_database, language.value)
    output.data({**report.as_dict(), "metabase": None if sent is None else asdict(sent)})
    output.say(f"{report.views} views with {report.columns} columns are described in {out}:")
    for file in report.files:
        output.say(f"  {file}")
    if report.unclassified:
        output.say(f"Nobody has said what personal data these hold: {', '.join(report.unclassified)}")
    if sent is not None:
        output.say(f"Metabase: {sent.tables} tables and {sent.fields} fields were changed.")
        if sent.unknown:
            output.say(f"Metabase has not seen yet: {', '.join(sent.unknown)}. Let it sync the schema and repeat this.")


def metabase_client(context: Context, address: str) -> httpx.Client:
    """A client with Metabase's address and key. UsageError when there is no key."""
    import httpx

    from onefold.contract.metabase import KEY_VARIABLE
    from onefold.errors import UsageError

    key = context.environ.get(KEY_VARIABLE)
    if not key:
        raise UsageError(
            f"Metabase asks for an API key, and {KEY_VARIABLE} is not set.",
            "Make one under Admin settings > Authentication > API keys, in the group Administrators.",
        )
    return httpx.Client(base_url=address.rstrip("/"), headers={"X-API-Key": key}, timeout=60)
