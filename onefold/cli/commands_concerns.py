"""`onefold concerns`: what worries, by which rows, and who took note of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

concerns_app = typer.Typer(no_args_is_help=True, help="Questions asked after each publish, and what they found.")
app.add_typer(concerns_app, name="concerns", rich_help_panel="Clients")
FAIL = 1


@concerns_app.command("list")
def list_concerns(
    ctx: typer.Context,
    fail: Annotated[
        bool, typer.Option("--fail", help="Code 1 if any is raised and nobody has taken note of it, for schedulers.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Ask all of them now, whether anything has changed or not.")
    ] = False,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="As if this day were today; nothing is kept of it."),
    ] = None,
) -> None:
    """The concerns of concerns.yaml and those that come with Onefold: which are raised, since when, about how many
    clients, and which cannot be asked and why.

    With `--on` they are asked of what is known now as if another day were today: of data that end long ago, or to see
    what a new concern would have said.

    Example: onefold concerns list --fail
    Example: onefold concerns list --on 2025-12-31
    """
    from onefold.errors import UsageError
    from onefold.steps.concerns import ask_anew, concerns, concerns_on

    if on is not None and (fail or anew):
        raise UsageError("--on asks of another day; --fail and --anew are of today.", "Use one of them.")
    with opened(ctx) as (context, output):
        if anew:
            ask_anew(context)
        rows = concerns(context) if on is None else concerns_on(context, on.date())
        output.data(rows)
        if not rows:
            output.say("Nothing is asked: write config/concerns.yaml (`shipped: true` is enough) and `onefold run`.")
        else:
            show_concerns(output, rows)
    if fail and any(one["raised_at"] is not None and one["acknowledged_at"] is None for one in rows):
        raise typer.Exit(FAIL)


def show_concerns(output: Output, rows: Sequence[Mapping[str, Any]]) -> None:
    """Concerns as a table, and why some could not be asked."""
    output.table(
        ("concern", "question", "owner", "state", "clients", "rows", "since", "noted by"),
        [
            (r["concern"], r["question_en"], r["owner"], r["state"], r["clients"], r["row_count"],
             (r.get("raised_at") or "")[:16], r.get("acknowledged_by"))
            for r in rows
        ],
        right=(4, 5),
    )  # fmt: skip
    for one in rows:
        if one["why"]:
            output.say(f"{one['concern']}: {one['state'].replace('_', ' ')}: {one['why']}", style="yellow")


@concerns_app.command("show")
def show_concern(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The concern.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="Rows to show.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="On from this row: `next` of the page before.")] = None,
) -> None:
    """A concern with the clients and dealings that prove it now, and when it was raised, over and noted before.

    Example: onefold concerns show complaints_unanswered --limit 20
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.concerns import concern
    from onefold.steps.subject import looked

    with opened(ctx) as (context, output):
        found = concern(context, name, after=after, limit=limit)
        clients = sorted({row["client_id"] for row in found["rows"]} - {None})
        looked(context, clients, who=login_name(), how="concerns", fields=None)
    output.data(found)
    output.heading(f"{found['question_en']} ({found['state'].replace('_', ' ')})")
    if found["why"]:
        output.say(found["why"], style="yellow")
    output.table(
        ("client", "name", "type", "day", "record", "text", "note"),
        [
            (
                row["client_id"],
                row["display_name"],
                row["type"],
                row["occurred_on"],
                f"{row['source']}:{row['stream']}:{row['source_key']}" if row["source"] else None,
                row["summary"],
                row["note"],
            )
            for row in found["rows"]
        ],
    )
    if found["next"] is not None:
        output.say(f"There are more: --after {found['next']}")
    for one in found["raises"]:
        until = "until now" if one["closed_at"] is None else f"until {one['closed_at'][:16]} ({one['closed_as']})"
        noted = f"; noted by {one['acknowledged_by']}: {one['acknowledge_reason']}" if one["acknowledged_at"] else ""
        output.say(f"raised {one['raised_at'][:16]} for {one['clients'] or one['row_count']}, {until}{noted}")


@concerns_app.command("test")
def try_concerns(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Only these concerns.")] = None,
) -> None:
    """Try every concern on its own examples: what must raise it does, what must not does not. In temporary tables of
    the hub's database, without a client; code 1 if any fails.

    Example: onefold concerns test
    """
    from onefold.steps.concern_examples import try_examples as step

    with opened(ctx) as (context, output):
        report = step(context, names or ())
    output.data({**report.as_dict(), "failed": len(report.failed)})
    output.table(
        ("concern", "must be", "example", "found", "passes"),
        [(one.concern, one.direction, one.number, one.found, one.passes) for one in report.tried],
        right=(2, 3),
    )
    for one in report.failed:
        what = one.error or ("it was not raised" if one.direction == "raised" else "it was raised")
        output.say(f"{one.concern}, {one.direction} {one.number}: {what}", style="yellow")
    if not report.tried:
        output.say("Nothing is asked: write config/concerns.yaml.")
    if report.failed:
        raise typer.Exit(FAIL)


@concerns_app.command("acknowledge")
def acknowledge_concern(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The concern.")],
    reason: Annotated[str, typer.Option("--reason", help="What is done about it; name no client.")],
) -> None:
    """Say that you have taken note of a raised concern: Home and `list --fail` leave it out until it is raised again.

    Example: onefold concerns acknowledge late_deliveries --reason "the carrier is changed on Monday"
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.concerns import acknowledge

    with opened(ctx) as (context, output):
        found = acknowledge(context, name, by=login_name(), reason=reason)
    output.data(found)
    output.say(f"{name}: noted by {found['acknowledged_by']}.")
