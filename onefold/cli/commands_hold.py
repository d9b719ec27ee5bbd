"""Runs that were held or are taken back: runs, release, discard, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.hold import DecisionReport

Run = Annotated[int, typer.Argument(help="Its number, as `onefold status` and `onefold runs` show it.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; default: your login name.")]


@app.command(rich_help_panel="Pipeline")
def runs(
    ctx: typer.Context,
    run: Annotated[int | None, typer.Argument(help="Only this run, with what of it is held and why.")] = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only syncs of this source.")] = None,
    trace: Annotated[str | None, typer.Option("--trace", help="Only those of this trace, as the log names it.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """The last runs, newest first; of one run what it did, and what of it waits for a decision.

    Example: onefold runs 57
    """
    from onefold.steps.hold import last_runs, look_at_run

    with opened(ctx) as (context, output):
        if run is not None:
            found = look_at_run(context, run)
            output.data(found)
            _show_run(output, found)
            return
        rows = last_runs(context, source=source, trace_id=trace, limit=limit)
    output.data(rows)
    output.table(
        ("run", "step", "source", "started", "seconds", "status", "trace", "hold", "why"),
        [
            (r["run_id"], r["command"], r["source"], r["started_at"][:16], _seconds(r["seconds"]), r["status"],
             (r["trace_id"] or "")[:8],
             (r["hold"] or "").replace("_", " "), "; ".join(r["words"]))
            for r in rows
        ],
        right=(0, 4),
    )  # fmt: skip


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _show_run(output: Output, found: dict[str, Any]) -> None:
    shown = f", shown by run {found['published_by']}" if found["published_by"] else ""
    output.say(
        f"Run {found['run_id']}: {found['command']} {found['source'] or ''} at {found['started_at'][:16]},"
        f" {found['status']}{shown}"
    )
    if found["status"] == "failed" and "error" in (found["report"] or {}):
        output.say(f"Ended by     {found['report']['error']}", style="red")
    if found["trace_id"]:
        output.say(f"Trace        {found['trace_id']}: onefold runs --trace {found['trace_id']}")
    hold = found["hold"]
    if hold is None:
        return
    output.say(f"Hold         {hold['state'].replace('_', ' ')}", style="bold")
    for words in hold["words"]:
        output.say(f"Beyond       {words}", style="yellow")
    for one in hold["streams"]:
        output.say(
            f"Aside        {one['source']}:{one['stream']}: {one['records']} versions, {one['deleted']} deletions"
        )
    for finding in hold["findings"]:
        for client in finding.get("largest", ()):
            output.say(
                f"Largest      {client['client_id']}: {client['records']} records from {client['clients']} clients"
            )
    for name in hold["examples"]:
        output.say(f"Example      {name}")
    for line in hold["next"]:
        output.say(f"Next         {line}", style="bold")


@app.command(rich_help_panel="Pipeline")
def release(ctx: typer.Context, run: Run, by: By = None) -> None:
    """Take in what a held run landed, and publish it whatever the limits say; also of one discarded or rolled back.

    Example: onefold release 57
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.hold import release as step

    with opened(ctx) as (context, output):
        report = step(context, run, by=by or login_name())
    _show_decision(output, report, f"{report.records} versions of run {run} are taken in.")


@app.command(rich_help_panel="Pipeline")
def discard(ctx: typer.Context, run: Run, by: By = None) -> None:
    """Leave out what a held run landed: everything stays as before it, until the source says something else.

    Example: onefold discard 57
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.hold import discard as step

    with opened(ctx) as (context, output):
        report = step(context, run, by=by or login_name())
    _show_decision(
        output,
        report,
        f"{report.records} versions of run {run} are left out. To take them in after all: onefold release {run}",
    )


@app.command(rich_help_panel="Pipeline")
def rollback(ctx: typer.Context, run: Run, by: By = None) -> None:
    """Take back what a run has published: clients, golden values and documents are as before it, as new history.

    RUN is a sync, or the publication that showed several. What the sources have said otherwise of since stays.

    Example: onefold rollback 61
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.hold import rollback as step

    with opened(ctx) as (context, output):
        report = step(context, run, by=by or login_name())
    kept = f" {report.kept} changed again since and stay." if report.kept else ""
    _show_decision(
        output,
        report,
        f"{report.records} records stand as before run {run}.{kept} To apply it again: onefold release {run}",
    )


def _show_decision(output: Output, report: DecisionReport, words: str) -> None:
    from onefold.cli.commands_run import show_publish, show_resolve

    output.data(report.as_dict())
    output.say(words, style="bold")
    if report.resolve is not None and report.publish is not None:
        show_resolve(output, report.resolve)
        show_publish(output, report.publish)
