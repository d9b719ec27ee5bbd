"""Changing the configuration without fear: plan, apply, test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.report import CheckReport, PlanReport


@app.command(rich_help_panel="Changes")
def plan(ctx: typer.Context) -> None:
    """What the edited configuration would do to the stored data. Nothing is written.

    Mappings, matching rules, thresholds, survivorship, the model in use: the steps run on a copy of the hub, so that
    the plan is what happens, to the record. The exit code is 1 where `expectations.yaml` would not hold.

    Example: edit config/matching.yaml, then: onefold plan
    """
    from onefold.steps.plan import plan as step

    with opened(ctx) as (context, output):
        report = step(context)
    output.data({**report.as_dict(), "changes": report.changes})
    show_plan(output, report)
    if report.changes:
        output.say("Next         onefold apply", style="bold")
    _leave(report.check)


@app.command(rich_help_panel="Changes")
def apply(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Also where expectations would not hold.")] = False,
) -> None:
    """Plan, and then do it: map, resolve and publish anew what the edited configuration changes.

    Where `expectations.yaml` would not hold nothing is done, unless --force.
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.plan import apply as step

    with opened(ctx) as (context, output):
        report = step(context, by=login_name(), force=force)
    output.data({**report.as_dict(), "changes": report.changes})
    show_plan(output, report)
    output.say(
        f"Applied in {report.seconds:.1f} s." if report.changes else "There was nothing to apply.", style="bold green"
    )


@app.command(rich_help_panel="Changes")
def test(ctx: typer.Context) -> None:
    """Check what `expectations.yaml` says must hold: who shares a client and who does not, golden values, counts.

    The exit code is 1 where something does not hold.
    """
    from onefold.steps.expectations import check_hub

    with opened(ctx) as (context, output):
        report = check_hub(context)
    output.data(report.as_dict())
    show_check(output, report)
    if not report.checked:
        output.say("config/expectations.yaml expects nothing yet; see docs/plan.md for what it can say.")
    _leave(report)


def show_plan(output: Output, report: PlanReport) -> None:
    """A plan for people."""
    if report.waiting:
        waiting = ", ".join(f"{step}: {count}" for step, count in report.waiting.items())
        output.say(f"Waiting      {waiting}; what is new since the last run is part of this")
    if not report.changes:
        output.say("Nothing would change.", style="bold green")
        show_check(output, report.check)
        return
    output.table(
        ("stream", "changed", "new", "gone"),
        [(f"{r['source']}:{r['stream']}", r["changed"], r["new"], r["gone"]) for r in report.remapped],
        title="Records mapped otherwise",
        right=range(1, 4),
    )
    output.say(
        f"Clients      {report.clients_before} now, {report.clients_after} then: {report.merged} would hold the records"
        f" of several, {report.split} would fall apart, {report.links_moved} records would move"
    )
    for title, listed, other in (
        ("Largest merges", report.largest_merged, "of"),
        ("Largest splits", report.largest_split, "into"),
    ):
        output.table(
            ("client", "name", "records", "clients", other),
            [
                (c["client_id"], c["display_name"], c["records"], c["clients"], ", ".join(n or "?" for n in c["names"]))
                for c in listed
            ],
            title=title,
            right=(2, 3),
        )
    output.table(
        ("attribute", "changed", "filled", "emptied"),
        [(v["attribute"], v["changed"], v["filled"], v["emptied"]) for v in report.values],
        title="Golden values",
        right=range(1, 4),
    )
    output.table(
        ("client", "attribute", "now", "then"),
        [(e["client_id"], e["attribute"], _short(e["before"]), _short(e["after"])) for e in report.examples],
        title="Some of them",
    )
    output.say(f"Cases        {report.cases_opened} would be opened, {report.cases_closed} closed")
    show_check(output, report.check)


def show_check(output: Output, report: CheckReport) -> None:
    """What was expected and does not hold."""
    for miss in report.misses:
        because = f" (expected because: {miss.because})" if miss.because else ""
        output.warn(f"{miss.place}: {miss.message}{because}")
    if report.checked and not report.misses:
        output.say(f"Expected     all {report.checked} hold", style="green")


def _short(value: Any) -> str:
    text = "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _leave(report: CheckReport) -> None:
    if report.misses:
        raise typer.Exit(1)
