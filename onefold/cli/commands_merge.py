"""merge, split, undo: judgements in everyday words, each the same as one of `onefold judge`."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import By, Reason, judge_undo, login_name, show_judgement
from onefold.cli.opening import opened


@app.command(rich_help_panel="Clients")
def merge(
    ctx: typer.Context,
    left: Annotated[str, typer.Argument(help="A client id, or a record: source:stream:key.")],
    right: Annotated[str, typer.Argument(help="The other client id or record.")],
    reason: Reason = "",
    by: By = None,
) -> None:
    """Make one client of two. The id with more records stays, the other one leads to it.

    Example: onefold merge crm:contacts:42 erp:customers:C-7 --reason "checked by phone"
    """
    from onefold.steps.judge import judge

    with opened(ctx) as (context, output):
        report = judge(context, "same", [left], [right], reason=reason, by=by or login_name())
    show_judgement(output, report)


@app.command(rich_help_panel="Clients")
def split(
    ctx: typer.Context,
    records: Annotated[list[str], typer.Argument(help="The records (source:stream:key) that do not belong.")],
    reason: Reason = "",
    by: By = None,
) -> None:
    """Take records out of their client. They never meet its other records again until the judgement is undone.

    Example: onefold split crm:contacts:42 --reason "father and son"
    """
    from onefold.steps.judge import split_off

    with opened(ctx) as (context, output):
        report = split_off(context, records, reason=reason, by=by or login_name())
    show_judgement(output, report)


app.command("undo", rich_help_panel="Clients")(judge_undo)
