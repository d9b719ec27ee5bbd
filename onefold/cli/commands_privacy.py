"""Persons' rights: erase, unsuppress, erasures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import By, login_name
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.erase import EraseReport


@app.command(rich_help_panel="Privacy")
def erase(
    ctx: typer.Context,
    client: Annotated[str, typer.Argument(help="A client id, or a record of the client: source:stream:key.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; name no person in it.")],
    keep_documents: Annotated[
        str | None,
        typer.Option("--keep-documents", metavar="GROUND", help="Documents with money keep numbers, lines: why."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be redacted; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
) -> None:
    """Erase a person: redact every value everywhere in the hub, and keep them from coming back. It cannot be undone.

    The systems themselves are not changed: erase there too.

    Example: onefold erase crm:contacts:42 --reason "request of 3 May" --dry-run
    """
    from onefold.errors import UsageError
    from onefold.steps.erase import erase as step

    who = by or login_name()
    with opened(ctx) as (context, output):
        plan = step(context, client, reason=reason, by=who, ground=keep_documents, dry_run=True)
        if dry_run:
            output.data(plan.as_dict())
            show_erasure(output, plan)
            return
        if not yes:
            if output.as_json or not sys.stdin.isatty():
                raise UsageError("Nobody can be asked here.", "Look at --dry-run first, then say --yes.")
            show_erasure(output, plan)
            typer.confirm("Erase this person for good?", abort=True)
        report = step(context, plan.client_id, reason=reason, by=who, ground=keep_documents)
    output.data(report.as_dict())
    show_erasure(output, report)


def show_erasure(output: Output, report: EraseReport) -> None:
    """What is or was redacted; no value of the person."""
    is_done = report.erasure_id is not None
    output.heading(f"{'Erased' if is_done else 'Would be erased'}: client {report.client_id}")
    for record in report.records:
        output.say(f"  {record}")
    output.table(("table", "rows redacted"), sorted(report.counts.items()), right=(1,))
    output.say(
        f"{report.documents} documents and contacts keep date, type and amount under the bare id; "
        f"{report.documents_kept} of them their numbers and lines too."
    )
    if report.shared_identifiers:
        output.say(f"{report.shared_identifiers} identifiers are others' too, and stay theirs.")
    if is_done:
        output.say(f"Erasure {report.erasure_id}. Erase the person in the systems too; `onefold erasures` lists all.")


@app.command(rich_help_panel="Privacy")
def unsuppress(
    ctx: typer.Context,
    erasure: Annotated[str, typer.Argument(help="The number of an erasure, or the id of the erased client.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why the person may come back.")],
    by: By = None,
) -> None:
    """Let an erased person in again, who became a client again. What was redacted stays redacted.

    Example: onefold unsuppress 6f1c... --reason "a client again since May"
    """
    from onefold.steps.erase import unsuppress as step

    with opened(ctx) as (context, output):
        report = step(context, erasure, reason=reason, by=by or login_name())
    output.data(report.as_dict())
    output.say(f"{report.suppressions} suppressions lifted. Read the sources anew as a whole for the person to come:")
    for source in report.sources:
        output.say(f"  onefold run --source {source} --full")


@app.command(rich_help_panel="Privacy")
def erasures(ctx: typer.Context) -> None:
    """Who was erased by their bare ids: when, by whom, why, how much, and whether they may come back."""
    from onefold.steps.erase import erasures as step

    with opened(ctx) as (context, output):
        rows = step(context)
    output.data(rows)
    if not rows:
        output.say("Nobody was erased.")
        return
    output.table(
        ("erasure", "client", "at", "by", "reason", "documents kept", "rows", "let in again"),
        [
            (
                row["erasure_id"],
                ", ".join(row["client_ids"]),
                row["erased_at"][:16],
                row["erased_by"],
                row["reason"],
                row["ground"],
                sum(row["counts"].values()),
                row["lifted_at"] and row["lifted_at"][:16],
            )
            for row in rows
        ],
        right=(6,),
    )
