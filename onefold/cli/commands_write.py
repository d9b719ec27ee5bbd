"""Back into the systems: what the hub would write, the writing, and its receipts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.failures import exit_code_of_streams
from onefold.cli.opening import opened

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
) -> None:
    """Show what of the clients differs in the fields that the hub owns in a source; with --apply write it there.

    Example: onefold write-back crm --stream contacts --limit 10
    """
    from onefold.steps.write_back import write_back as step

    found: list[Difference] = []
    keep = None if apply else found.append
    with opened(ctx) as (context, output):
        report = step(context, source, stream or (), apply=apply, limit=limit, again=again, tell=keep)
    told = {} if apply else {"differences": [asdict(one) for one in found]}
    output.data({**report.as_dict(), "status": report.status, **told})
    show_differences(output, found)
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
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """What was written back to a source, newest first: record, fields, before and after, what the source said."""
    from onefold.steps.sync import find_source
    from warehouse import write_receipts

    with opened(ctx) as (context, output), context.connection() as conn:
        rows = write_receipts.receipts(conn, source, stream=stream, status=status, limit=limit)
        if not rows:  # those of a source that is configured no longer are shown all the same
            find_source(context, source)
    output.data(rows)
    if not rows:
        output.say("Nothing was written back.")
        return
    output.table(("record", "field", "before", "written", "status", "code", "sent", "came back"), _receipt_rows(rows))


def _receipt_rows(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (
            f"{row['source']}:{row['stream']}:{row['source_key']}",
            name,
            row["before"].get(name),
            value,
            row["status"],
            row["code"],
            row["sent_at"],
            row["echoed_at"],
        )
        for row in rows
        for name, value in row["fields"].items()
    ]


def show_differences(output: Output, found: list[Difference]) -> None:
    """Record, field, the source's value now and ours."""
    if not found:
        return
    rows = [(one.record, one.field, _shown(one.now), _shown(one.new), one.note) for one in found[:SHOWN]]
    output.table(("record", "field", "now", "new", ""), rows, title="Nothing is written; this would be")
    if len(found) > SHOWN:
        output.say(f"... and {len(found) - SHOWN} more (--json shows all)", style="dim")


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, dict | list) else value


def show_write_back(output: Output, report: WriteBackReport) -> None:
    """Counts per stream, then what went wrong in full, and what to do next."""
    done = report.run_id is not None
    columns = ("compared", "written" if done else "would be written")
    counts = ("records", "accepted" if done else "changes", *(("refused", "unknown") if done else ()))
    rows = [
        (f"{report.source}:{one.stream}", *(getattr(one, name) for name in counts), one.changed_back,
         one.refused_before, one.status)
        for one in report.streams
    ]  # fmt: skip
    heads = (*columns, *(("refused", "unknown") if done else ()), "changed back", "refused before")
    output.table(("stream", *heads, "status"), rows, title="Write-back", right=range(1, len(heads) + 1))
    for one in report.streams:
        if one.error:
            output.warn(one.error)
        if one.refused:
            output.warn(f"{report.source}:{one.stream}: {one.refused} refused; see `onefold receipts {report.source}`")
        if one.unknown:
            output.warn(f"{report.source}:{one.stream}: of {one.unknown} nothing is known; run it again")
        if one.changed_back or one.refused_before:
            output.warn(f"{report.source}:{one.stream}: left alone what was changed back or refused; --again takes it")
