"""Back into the systems: what the hub would write, the writing, and its receipts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened
from onefold.failures import exit_code_of_streams

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.report import WriteBackReport
    from onefold.steps.write_plan import Difference

SHOWN = 200
"""Differences that are shown to people; --json and --limit show others."""
Streams = Annotated[list[str] | None, typer.Option("--stream", help="Only this stream; may be repeated.")]


@app.command(rich_help_panel="Pipeline")
def write_back(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A source whose streams have `write_back`.")],
    stream: Streams = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write; without it nothing is written.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="So many records at most.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what the source refused before, or somebody changed back there.")
    ] = False,
    undo: Annotated[
        str | None,
        typer.Option(
            "--undo", metavar="RUN", help="Put back what stood there before a run wrote: its number, or last."
        ),
    ] = None,
) -> None:
    """Show what of the clients differs in the fields that the hub owns in a source; with --apply write it there.

    With --undo a run is taken back, field by field, where its value still stands there: first look, then --apply.

    Examples: onefold write-back crm --stream contacts --limit 10;
    onefold write-back crm --undo last
    """
    from onefold.errors import UsageError
    from onefold.steps.write_back import write_back as step
    from onefold.steps.write_undo import take_back

    if undo is not None and (limit is not None or again):
        raise UsageError("--undo takes a whole run back.", "Leave --limit and --again out; --stream may be said.")
    found: list[Difference] = []
    # What a run that is taken back leaves alone is told, applied or not.
    keep = found.append if undo is not None or not apply else None
    with opened(ctx) as (context, output):
        if undo is not None:
            report = take_back(context, source, undo, stream or (), apply=apply, tell=keep)
            found = [one for one in found if one.note] if apply else found
        else:
            report = step(context, source, stream or (), apply=apply, limit=limit, again=again, tell=keep)
    told = {"differences": [asdict(one) for one in found]} if keep is not None else {}
    output.data({**report.as_dict(), "status": report.status, **told})
    show_differences(output, found, "Left alone" if apply else DRY)
    show_write_back(output, report)
    classes = {one.error_class for one in report.streams if one.error_class}
    if classes:
        raise typer.Exit(exit_code_of_streams(classes))


@app.command(rich_help_panel="Pipeline")
def receipts(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A source that was written to.")],
    stream: Annotated[str | None, typer.Option("--stream", help="Only this stream.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="sent, accepted, refused or unknown.")] = None,
    run: Annotated[int | None, typer.Option("--run", help="Only what this run sent.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """What was written back to a source, newest first: record, fields, before and after, what the source said.

    The run's number is what `onefold write-back SOURCE --undo RUN` takes back.
    """
    from onefold.steps.sync import find_source
    from warehouse import write_receipts

    with opened(ctx) as (context, output), context.connection() as conn:
        rows = write_receipts.receipts(conn, source, stream=stream, status=status, run_id=run, limit=limit)
        if not rows:  # those of a source that is configured no longer are shown all the same
            find_source(context, source)
    output.data(rows)
    if not rows:
        output.say("Nothing was written back.")
        return
    columns = ("run", "record", "field", "before", "written", "status", "code", "sent", "came back")
    output.table(columns, _receipt_rows(rows), right=(0,))


def _receipt_rows(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (
            row["run_id"],
            f"{row['source']}:{row['stream']}:{row['source_key']}",
            name,
            row["before"].get(name),
            value,
            row["status"] if row["undoes"] is None else f"{row['status']} (taken back)",
            row["code"],
            row["sent_at"],
            row["echoed_at"],
        )
        for row in rows
        for name, value in row["fields"].items()
    ]


DRY = "Nothing is written; this would be"


def show_differences(output: Output, found: list[Difference], title: str) -> None:
    """Record, field, the source's value now and ours."""
    if not found:
        return
    rows = [(one.record, one.field, _shown(one.now), _shown(one.new), one.note) for one in found[:SHOWN]]
    output.table(("record", "field", "now", "new", ""), rows, title=title)
    if len(found) > SHOWN:
        output.say(f"... and {len(found) - SHOWN} more (--json shows all)", style="dim")


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, dict | list) else value


def show_write_back(output: Output, report: WriteBackReport) -> None:
    """Counts per stream, then what went wrong in full, and what to do next."""
    done, is_undo = report.run_id is not None, report.undo_of is not None
    columns = ("compared", "written" if done else "would be written")
    counts = ("records", "accepted" if done else "changes", *(("refused", "unknown") if done else ()))
    rows = [
        (f"{report.source}:{one.stream}", *(getattr(one, name) for name in counts), one.changed_back,
         one.left if is_undo else one.refused_before, one.status)
        for one in report.streams
    ]  # fmt: skip
    last = ("changed since", "cannot be") if is_undo else ("changed back", "refused before")
    heads = (*columns, *(("refused", "unknown") if done else ()), *last)
    title = f"Run {report.undo_of} taken back" if is_undo else "Write-back"
    output.table(("stream", *heads, "status"), rows, title=title, right=range(1, len(heads) + 1))
    if is_undo and done:
        output.say("Say `enabled: false` if nothing more is to be written there; what was taken back is left alone.")
    for one in report.streams:
        if one.error:
            output.warn(one.error)
        if one.refused:
            output.warn(f"{report.source}:{one.stream}: {one.refused} refused; see `onefold receipts {report.source}`")
        if one.unknown:
            output.warn(f"{report.source}:{one.stream}: of {one.unknown} nothing is known; run it again")
        if not is_undo and (one.changed_back or one.refused_before):
            output.warn(f"{report.source}:{one.stream}: left alone what was changed back or refused; --again takes it")
