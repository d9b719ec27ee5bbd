"""The change feed on the command line: changes."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened


@app.command(rich_help_panel="For tools")
def changes(
    ctx: typer.Context,
    after: Annotated[
        int | None, typer.Option("--after", min=0, help="Read on from this changed_seq; 0: from the beginning.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Then wait for more, until it is stopped (Ctrl+C).")] = False,
) -> None:
    """What changed, in order. Without --after: the last 20, and with --follow only what comes from now on.

    With --json one JSON document a line, each flushed: a consumer keeps the last changed_seq and reads on from it.
    Nothing is skipped and nothing comes twice. Example: onefold changes --follow --after 4711 --json
    """
    from onefold.steps.changes import changes as step

    with opened(ctx) as (context, output):
        found = step(context, after=after, limit=limit, follow=follow)
        for change in found:
            output.line(change._asdict())
            where = f"client {change.client_id}" if change.client_id else ""
            output.say(f"{change.changed_seq:>10}  {change.changed_at:%Y-%m-%d %H:%M:%S}  {change.change:<10}  {where}")
