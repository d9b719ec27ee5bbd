"""`onefold maintain`: what is kept only for a time."""

from __future__ import annotations

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened


@app.command(rich_help_panel="Hub")
def maintain(ctx: typer.Context) -> None:
    """Delete what hub.yaml keeps only for a time (`retention`), and vacuum tables that need it.

    In short transactions, while others go on; run it once a day. Without `retention` everything is kept: raw versions,
    closed rejects, runs, the access log, the change feed. `onefold doctor --hub` says what else deserves a look.
    """
    from onefold.steps.maintain import maintain as step

    with opened(ctx) as (context, output):
        report = step(context)
    output.data(report.as_dict())
    if not report.deleted:
        output.say("`retention` in hub.yaml names nothing: everything is kept.")
    for name, rows in report.deleted.items():
        output.say(f"{name:<14} {rows:,} rows deleted")
    for table in report.vacuumed:
        output.say(f"{table} vacuumed")
