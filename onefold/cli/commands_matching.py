"""Matching rules on the hub's own records: blocking, compare, import splink."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

import_app = typer.Typer(no_args_is_help=True, help="Models of other tools, turned into settings and a model here.")
app.add_typer(import_app, name="import", rich_help_panel="Matching")


@app.command(rich_help_panel="Matching")
def blocking(
    ctx: typer.Context,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Also rules that the data suggest: to add, to take out, to refine.")
    ] = False,
    largest: Annotated[int, typer.Option("--largest", "-n", min=1, help="Blocks to name, of each rule in JSON.")] = 10,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also draw it: FILE.html or FILE.svg.")] = None,
) -> None:
    """What each blocking rule costs in pairs and finds in matches, and its largest blocks by the value that makes them.

    The rules are those of matching.yaml as it stands: edit it, look, and only then run. Nothing is changed.

    Example: onefold blocking --suggest
    """
    from onefold.cli.show_matching import show_blocking
    from onefold.steps.blocking import blocking as step
    from onefold.steps.blocking import plot_blocking

    with opened(ctx) as (context, output):
        report = step(context, suggestions=suggest, largest=largest)
    output.data(report.as_dict())
    show_blocking(output, report, largest)
    if plot:
        for written in plot_blocking(report, plot):
            output.say(f"wrote {written}")


@app.command(rich_help_panel="Matching")
def compare(
    ctx: typer.Context,
    crosswalk: Annotated[
        Path, typer.Option("--crosswalk", help="CSV with source, stream (may be left out), key, and their id.")
    ],
    column: Annotated[
        str | None, typer.Option("--id", help="The column of their id; needed when several could be it.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Disagreements to explain.")] = 50,
) -> None:
    """Our clients beside another tool's: how many are the same, and the disagreements that matter most, explained.

    merged: several of our clients are one of theirs. split: one of ours is several of theirs. overlapping: they
    exchange records. Impact counts the records concerned and their interactions. Nothing is changed.

    Example: onefold compare --crosswalk theirs.csv
    """
    from onefold.cli.show_matching import show_comparison
    from onefold.steps.compare import compare as step

    with opened(ctx) as (context, output):
        report = step(context, crosswalk, column=column, most=limit)
    output.data(report.as_dict())
    show_comparison(output, report)


@import_app.command("splink")
def import_splink(
    ctx: typer.Context,
    settings: Annotated[Path, typer.Argument(help="A Splink settings file or saved model, JSON of Splink 3, 4 or 5.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="their_column=our_attribute; as often as needed.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="What its records are: person or organisation.")] = "person",
    output_file: Annotated[
        Path, typer.Option("--output", "-o", help="Where the matching settings are written.")
    ] = Path("matching.splink.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Write over the file.")] = False,
) -> None:
    """Turn a Splink model into a matching.yaml and a saved model, and tell what has no counterpart here.

    Usual column names (first_name, surname, dob, postcode, ...) are known; others are told by --map. Nothing in force
    changes: the settings are a file to look at, the model is a version to compare and use.

    Example: onefold import splink model.json --map cust_mail=email
    """
    from onefold.cli.show_matching import show_import
    from onefold.steps.import_splink import import_splink as step

    with opened(ctx) as (context, output):
        report = step(context, settings, mapping=mapping or (), kind=kind, output=output_file, force=force)
    output.data(report.as_dict())
    show_import(output, report)
