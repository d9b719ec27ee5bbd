"""The pipeline's commands: sync, standardise, resolve, publish, run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.completing import source_names
from onefold.cli.opening import opened
from onefold.errors import UsageError
from onefold.failures import EXIT_HELD, EXIT_TRY_AGAIN, exit_code_of_streams

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.context import Context
    from onefold.steps.report import (
        HoldReport,
        NoticesReport,
        PublishReport,
        ResolveReport,
        RunReport,
        StandardiseReport,
    )

_EVENTS = {"mint": "ids new", "redirect": "lead to another", "retire": "retired", "revive": "came back"}
"""What happened to client ids, in words."""

EngineName = Annotated[
    str | None,
    typer.Option("--engine", help="local or spark: what compares a whole register, instead of `engine` of hub.yaml."),
]
Master = Annotated[
    str | None,
    typer.Option("--master", metavar="URL", help="With spark: the cluster, as spark://host:7077, yarn or local[2]."),
]

Sources = Annotated[
    list[str] | None,
    typer.Option("--source", "-s", help="Only this source; may be repeated.", autocompletion=source_names),
]


@app.command(rich_help_panel="Pipeline")
def sync(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A source of config/sources.", autocompletion=source_names)],
    streams: Annotated[list[str] | None, typer.Argument(help="Only these streams.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Forget the checkpoints and read everything again.")] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Delete even more records at once than `limits` allow.")
    ] = False,
) -> None:
    """Pull what is new from one source and land it, page by page, each with its checkpoint.

    When streams fail, the exit code is that of their common cause (3, 5, 75; 7: held for your decision), else 1.

    Example: onefold sync crm contacts
    """
    from onefold.steps.sync import sync as step

    with opened(ctx) as (context, output):
        report = step(context, source, streams or (), full=full, accept_deletions=accept_deletions)
    output.data(report.as_dict())
    show_syncs(output, [report])
    classes = {stream.error_class for stream in report.streams if stream.error_class}
    if classes:
        raise typer.Exit(exit_code_of_streams(classes))


@app.command(rich_help_panel="Pipeline")
def standardise(ctx: typer.Context) -> None:
    """Map what sync landed to standard client records and interactions."""
    from onefold.steps.standardise import standardise as step

    with opened(ctx) as (context, output):
        report = step(context)
    output.data(report.as_dict())
    show_standardise(output, report)


@app.command(rich_help_panel="Pipeline")
def resolve(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Compare all records again, not only what changed.")
    ] = False,
    engine: EngineName = None,
    master: Master = None,
) -> None:
    """Decide which records are the same client: block, compare, score, cluster what changed.

    Few changes are compared by key in the database; a whole register by the engine. The clients are the same by any.

    Example: onefold resolve --all --engine spark --master spark://cluster:7077
    """
    from onefold.steps.resolve import resolve as step

    with opened(ctx) as (context, output):
        report = step(with_engine(context, engine, master), everything=everything)
    output.data(report.as_dict())
    show_resolve(output, report)
    leave("held" if report.held else "done")


@app.command(rich_help_panel="Pipeline")
def publish(ctx: typer.Context) -> None:
    """Write golden records, their history and the served views for the clients that changed."""
    from onefold.steps.publish import publish as step

    with opened(ctx) as (context, output):
        report = step(context)
    output.data(report.as_dict())
    show_publish(output, report)
    leave("held" if report.held else "done")


@app.command(rich_help_panel="Pipeline")
def run(
    ctx: typer.Context,
    source: Sources = None,
    full: Annotated[bool, typer.Option("--full", help="Read the sources from the beginning.")] = False,
    due: Annotated[
        bool, typer.Option("--due", help="Only the sources whose `schedule` has come; then tell by `notifications`.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --due: only say what is due, and when the rest is.")
    ] = False,
    engine: EngineName = None,
    master: Master = None,
) -> None:
    """Do all of it: sync every source, standardise, resolve, publish. What did not change costs nothing.

    A source that fails is reported and leaves the others alone; the exit code is then 1 (75 if it only asked to come
    back later). What would change more than `limits` allow is held: kept, and not published; the exit code is then 7.

    For cron, systemd or the Windows scheduler: start `onefold run --due --quiet` every few minutes. It reads what
    is due by the schedules of the configuration (UTC); a second one that meets it ends with 75 and does nothing.
    """
    from onefold.steps.run import run as step

    if due:
        if source or full:
            raise UsageError("--due reads what is due, --source and --full what they say.", "Use one of them.")
        if engine or master:
            raise UsageError("--due compares with the engine of hub.yaml.", "Leave out --engine and --master.")
        run_due(ctx, dry_run)
        return
    if dry_run:
        raise UsageError("--dry-run goes with --due.", "onefold run --due --dry-run")
    with opened(ctx) as (context, output):
        report = step(with_engine(context, engine, master), sources=source or None, full=full)
    output.data({**report.as_dict(), "status": report.status})
    show_run(output, report)
    leave(report.status)


def with_engine(context: Context, engine: str | None, master: str | None) -> Context:
    """The context with the engine that the options name, if they do."""
    if engine is None and master is None:
        return context
    if engine not in (None, "local", "spark"):
        raise UsageError(f"There is no engine {engine!r}.", "It is local or spark.")
    from onefold.steps.engine import on_engine

    return on_engine(context, engine, master)  # type: ignore[arg-type]


def run_due(ctx: typer.Context, dry_run: bool) -> None:
    """`run --due`."""
    from onefold.steps.due import look
    from onefold.steps.due import run_due as step

    with opened(ctx) as (context, output):
        report = look(context) if dry_run else step(context)
    output.data({**report.as_dict(), "status": report.status})
    output.table(
        ("source", "schedule", "last sync", "due", "next"),
        [
            (s.source, s.schedule or "with every run", s.last_sync, "yes" if s.due_since else "no", s.next)
            for s in report.sources
        ],
        title="Schedule (UTC)",
    )
    if report.run:
        show_run(output, report.run)
    show_notices(output, report.notices)
    leave(report.status)


@app.command(rich_help_panel="Hub")
def notify(ctx: typer.Context) -> None:
    """Send a trial message by every channel of `notifications` in hub.yaml: mail, webhook.

    `onefold run --due` tells once what came up (a failure, a held run, a source that is stale), and once when it
    is over.
    """
    from onefold.steps.notify import try_channels

    with opened(ctx, database=False) as (context, output):
        report = try_channels(context)
    output.data(report.as_dict())
    show_notices(output, report)
    if not report.told and not report.errors:
        raise UsageError("hub.yaml names no channel.", 'Add `notifications: {webhook: "${ALERTS_WEBHOOK}"}` to it.')
    if report.errors:
        raise typer.Exit(1)


def show_notices(output: Output, report: NoticesReport) -> None:
    """Who was told of what."""
    for key in report.opened:
        output.say(f"Came up      {key}", style="yellow")
    for key in report.closed:
        output.say(f"Is over      {key}", style="green")
    for channel, count in report.told.items():
        output.say(f"Told         {count} by {channel}")
    for error in report.errors:
        output.warn(error)


def leave(status: str) -> None:
    """End with the exit code of a status."""
    if status == "failed":
        raise typer.Exit(1)
    if status == "held":
        raise typer.Exit(EXIT_HELD)
    if status == "deferred":
        raise typer.Exit(EXIT_TRY_AGAIN)


def show_run(output: Output, report: RunReport) -> None:
    """A whole run for people."""
    show_syncs(output, report.syncs)
    show_standardise(output, report.standardise)
    show_resolve(output, report.resolve)
    show_publish(output, report.publish)
    quiet = not any(s.changed for s in report.syncs) and not report.publish.change_events
    output.say(f"{'Nothing changed. ' if quiet else ''}Done in {report.seconds:.1f} s.", style="bold green")


def show_syncs(output: Output, reports: Any) -> None:
    """What came in, a row per stream; then the errors in full."""
    reports = list(reports)
    rows = [
        (f"{r.source}:{s.stream}", s.inserted, s.updated, s.unchanged, s.deleted, s.rejected, s.status)
        for r in reports
        for s in r.streams
    ]
    output.table(
        ("stream", "new", "changed", "same", "deleted", "rejected", "status"),
        rows,
        title="Sync",
        right=range(1, 6),
    )
    for report in reports:
        for stream in report.streams:
            if stream.error:
                output.warn(stream.error)
            if stream.rejected:
                output.warn(
                    f"{report.source}:{stream.stream}: {stream.rejected} rejected and kept; "
                    f"see `onefold rejects {report.source}`"
                )


def show_standardise(output: Output, report: StandardiseReport) -> None:
    """Counts of standardise."""
    output.say(
        f"Standardise  {report.records} records -> {report.parties_changed} client records and "
        f"{report.interactions_changed} interactions changed, {report.parties_removed} gone, "
        f"{report.rejected} rejected ({report.seconds:.1f} s)"
    )


def show_resolve(output: Output, report: ResolveReport) -> None:
    """Counts of resolve, and what it refused to compare."""
    events = ", ".join(f"{count} {_EVENTS[name]}" for name, count in sorted(report.events.items())) or "no id changed"
    output.say(
        f"Resolve      {report.records} records, {report.candidate_pairs} pairs compared, {report.moved} links moved, "
        f"{report.clients} clients; {events}; {report.cases_open} cases wait for review ({report.seconds:.1f} s)"
    )
    if report.model_note:
        output.say(f"             {report.model_note}", style="yellow")
    show_hold(output, report.held)
    for block in report.refused_blocks[:5]:
        output.say(f"             block left out (too large): {block}", style="dim")
    for one in report.divided[:5]:
        output.say(
            f"             {one['size']:,} records of kind {one['kind']} hang together, more than component_bound "
            f"(one is {one['example']}): only pairs of {one['from_bits']:g} bits and more counted there",
            style="dim",
        )
    if report.divided:
        output.say("             `onefold train` learns from these records what it takes to be one", style="dim")


def show_hold(output: Output, held: HoldReport | None) -> None:
    """What a step did not do, and what to type."""
    if held is not None:
        output.warn(held.message)


def show_publish(output: Output, report: PublishReport) -> None:
    """Counts of publish."""
    show_hold(output, report.held)
    output.say(
        f"Publish      {report.created} clients new, {report.changed} changed, {report.retired} retired, "
        f"{report.links_moved} interactions linked anew, {report.change_events} change events ({report.seconds:.1f} s)"
    )
