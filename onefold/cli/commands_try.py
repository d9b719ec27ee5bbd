"""try: files in, what stands in them out; no configuration, no database."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, progress_for

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.trying.outcome import Outcome


@app.command("try", rich_help_panel="Start")
def try_files(
    ctx: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Files (CSV, Excel, JSON, Parquet), folders, database URLs.")],
    told: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            help="What a column is: FILE:COLUMN=attribute (or key, kind, ignore); what a file holds: FILE=person, "
            "FILE=organisation. May be repeated; * is every file.",
        ),
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Of phones and addresses without one, such as RU, DE, US; guessed if not given.")
    ] = None,
    report: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("onefold-report.html"),
    out: Annotated[
        Path | None, typer.Option(help="A workbook of golden rows and the crosswalk, such as merged.xlsx.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="A folder for the configuration it used, ready for `onefold run`.")
    ] = None,
) -> None:
    """Find who stands twice in your files, at once: no configuration, no database, nothing leaves this machine.

    Columns are recognised by name and content (English, Russian, German), weights are learnt from the rows, and one
    page that opens offline shows duplicates, overlap, conflicts and the evidence.

    Examples: onefold try clients.csv crm.xlsx; onefold try exports/ --out merged.xlsx --save myhub;
    onefold try a.csv b.csv --as 'a.csv:Code=customer_number'
    """
    from onefold.errors import UsageError
    from onefold.trying.trial import Wish, trial

    if out is not None and out.suffix.lower() != ".xlsx":
        raise UsageError(f"{out}: a workbook is written as .xlsx.")
    given = invocation(ctx)
    output = given.output
    said = [word for one in told or () for word in ("--as", one)]
    # A URL may hold a password, and the page may be sent on.
    shown = [word if "://" not in word else "DATABASE_URL" for word in inputs]
    command = shlex.join(["onefold", "try", *shown, *said])
    wish = Wish(inputs, told or (), country, report, out, save, command)
    found = trial(wish, progress_for(output), given.started)
    output.data(found.as_dict())
    show_outcome(output, found)


def show_outcome(output: Output, found: Outcome) -> None:
    """The findings for people on a terminal; the page has all of them."""
    from onefold.trying.outcome import as_word

    rows = [
        (one.title, one.column, f"{one.becomes} ?" if one.is_doubtful else one.becomes or "-", one.because)
        for one in found.columns
        if one.becomes or one.because
    ]
    output.table(("file", "column", "taken for", "because"), rows, title="Columns")
    if found.in_question:
        words = " ".join(as_word(one) for one in found.in_question[:2])
        output.say(
            f"{len(found.in_question)} guesses are doubtful (?). If one is meant otherwise: {words}", style="yellow"
        )
    for left in found.left_out:
        output.warn(f"left out: {left.title}: {left.because}")
    for note in found.notes:
        output.warn(note)
    counts = [(one.title, one.rows, one.clients, one.duplicates, one.largest) for one in found.files]
    heads = ("file", "rows", "clients", "duplicate rows", "most rows of one")
    output.table(heads, counts, title="Inside each file", right=range(1, 5))
    if len(found.files) > 1:
        together = [(" + ".join(names), count) for names, count in found.overlap[:12]]
        output.table(("exactly in", "clients"), together, title="Overlap", right=(1,))
    output.say(
        f"{found.rows:,} rows are {found.clients:,} clients: {found.duplicates:,} duplicate rows inside files, "
        f"{found.in_several:,} clients in several files, {found.doubtful:,} doubtful pairs.",
        style="bold",
    )
    for sentence in found.advice[:3]:
        output.say(f"- {sentence}")
    stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found.seconds.items() if name != "total")
    output.say(f"{found.seconds['total']:.1f} s ({stages}), {found.memory_mib:,} MiB of memory at most.", style="dim")
    for name, path in found.written.items():
        output.say(f"{name:7} {path}", style="bold")
    if "save" in found.written:
        train = " && onefold train --use" if found.trained else ""
        output.say(f"Next: cd {shlex.quote(found.written['save'])} && onefold run{train}", style="bold")
