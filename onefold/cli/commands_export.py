"""`onefold export`: served views as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import login_name
from onefold.cli.opening import opened


class Form(StrEnum):
    """Kinds of files."""

    parquet = "parquet"
    csv = "csv"
    xlsx = "xlsx"


@app.command(rich_help_panel="For tools")
def export(
    ctx: typer.Context,
    views: Annotated[list[str], typer.Argument(help="Served views, such as dim_client; 'fct_*' stands for several.")],
    to: Annotated[Path, typer.Option("--to", help="The folder to write to.")],
    form: Annotated[Form, typer.Option("--format", help="Typed Parquet, CSV (RFC 4180), or Excel.")] = Form.parquet,
    excel_ru: Annotated[
        bool, typer.Option("--excel-ru", help="CSV as a Russian Excel opens it: semicolons, BOM, decimal commas.")
    ] = False,
    since: Annotated[int | None, typer.Option("--since", min=0, help="Only what changed after this change.")] = None,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="On from where the last export into the folder ended.")
    ] = False,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", help="Only rows that this holds for: \"kind = 'person' and city in ('Клин', 'Тула')\"."
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--as", help="Read as this role: `reader`, or one of the server; sees what it may see."),
    ] = None,
) -> None:
    """Write served views to files: whole, from a change on, or on from the last export. Rows that no longer hold are
    marked is_deleted. `ops.access_log` says who exported which view, when, and how many rows.

    Example: onefold export dim_client 'fct_*' --to /data/lake --incremental
    """
    from onefold.steps.export import ExportOptions
    from onefold.steps.export import export as step

    options = ExportOptions(form.value, excel_ru, since, incremental, role, where)
    options.check()
    with opened(ctx) as (context, output):
        report = step(context, views, to, options, login_name())
    output.data(report.as_dict())
    output.table(
        ("view", "rows", "files", "seconds"),
        [(one.view, one.rows, len(one.files), one.seconds) for one in report.views],
        title=f"As of change {report.changed_seq}",
        right=(1, 2, 3),
    )
    for one in report.views:
        for file in one.files:
            output.say(f"  {file}")
        for note in one.notes:
            output.say(f"  {one.view}: {note}")
