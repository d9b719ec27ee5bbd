"""pin: a person's word on one golden value, and how long it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import By, Reason, judge_app, login_name, show_judgement
from onefold.cli.opening import opened


@judge_app.command("pin")
@app.command(rich_help_panel="Clients")
def pin(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="A record (source:stream:key) or a client id.")],
    attribute: Annotated[str, typer.Argument(help="The golden attribute, such as legal_name.")],
    value: Annotated[str | None, typer.Argument(help="The value that stands, whatever the sources say.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="In place of a value: the attribute is to be empty.")] = False,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which it holds.")
    ] = None,
    until_changed: Annotated[
        bool, typer.Option("--until-changed", help="Only until the record says something else than today.")
    ] = False,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only as long as no source has a valid value.")] = False,
    reason: Reason = "",
    by: By = None,
) -> None:
    """Pin a golden value of one client. It follows the record through merges and splits, until it expires or is undone.

    A client id means the record that the value comes from now. A new pin takes the place of the record's former one.

    Examples: onefold pin crm:companies:10 legal_name "Romashka LLC" --reason "renamed, register of 2026-11-02"

    onefold pin erp:customers:C-7 email a@example.org --until 2027-01-31 --reason "on leave until then"
    """
    from onefold.errors import UsageError
    from onefold.steps.judge import judge

    if (value is None) != clear:
        raise UsageError("Give a value, or --clear for none.", "onefold pin --help")
    if until_changed and if_empty:
        raise UsageError("--until-changed and --if-empty are two policies: choose one.", "onefold pin --help")
    policy = "until_source_changes" if until_changed else "fill_if_empty" if if_empty else "pin"
    if policy == "pin" and until is not None:
        policy = "until_date"
    with opened(ctx) as (context, output):
        report = judge(
            context,
            "pin",
            [who],
            attribute=attribute,
            value=value,
            policy=policy,
            until=until.date() if until else None,
            reason=reason,
            by=by or login_name(),
        )
    show_judgement(output, report)
