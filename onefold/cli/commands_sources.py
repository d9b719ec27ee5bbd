"""Commands about sources: source add|list, check, discover, preview, rejects."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.completing import source_names
from onefold.cli.opening import invocation, opened, settings_of

source_app = typer.Typer(no_args_is_help=True, help="Sources: add one, list them.")
app.add_typer(source_app, name="source", rich_help_panel="Sources")

OneSource = Annotated[str, typer.Argument(help="A source of config/sources.", autocompletion=source_names)]


@source_app.command("list")
def list_sources(ctx: typer.Context) -> None:
    """The configured sources and their streams."""
    from onefold.configuration import load_configuration

    output = invocation(ctx).output
    configuration = load_configuration(settings_of(ctx).config)
    rows = [
        (s.source, s.connector, s.department, ", ".join(s.streams), s.trust) for s in configuration.sources.values()
    ]
    output.data(
        [dict(zip(("source", "connector", "department", "streams", "trust"), row, strict=True)) for row in rows]
    )
    output.table(("source", "connector", "department", "streams", "trust"), rows, right=(4,))


@source_app.command("add")
def add_source(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it: crm, erp, accounting ...")],
    connector: Annotated[
        str, typer.Option("--connector", "-c", help="bitrix24, files, sql ...: `onefold connector list` shows all.")
    ],
    path: Annotated[str | None, typer.Option("--path", help="For files: a file, a folder or a pattern.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the connector, as name=value; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the source's file.")] = False,
) -> None:
    """Discover what a system offers, propose a mapping by names and content, and write config/sources/NAME.yaml.

    What the system needs is asked for on a terminal; elsewhere give it with --set (`onefold connector show NAME`
    tells). A secret's value goes to the .env file, only its name into the YAML; or name one that is there:
    --set token='${CRM_TOKEN}'. What was guessed is said, here and in the file.

    Examples: onefold source add crm --connector bitrix24;
    onefold source add clients --connector files --path /data/clients.csv
    """
    from onefold.steps.source_add import source_add

    output = invocation(ctx).output
    given = dict(part.partition("=")[::2] for part in setting or ())
    if path is not None:
        given["path"] = str(Path(path).absolute())
    if sys.stdin.isatty() and not output.as_json:
        given |= _asked(connector, given)
    added = source_add(settings_of(ctx), name, connector, given, overwrite=force)
    output.data(added.as_dict())
    output.say(f"Wrote {added.file}")
    output.table(("stream", "field", "becomes", "because"), added.guesses, title="What was guessed: please look")
    output.say(f"Next: onefold preview {name}, onefold doctor, onefold run", style="bold")


def _asked(connector: str, given: Mapping[str, str]) -> dict[str, str]:
    """Answers typed on the terminal to what the connector still needs; secrets are not shown."""
    from connectors.wanted import missing, welcome

    answers = {}
    for setting in missing(connector, given):
        what = f"{setting.name} ({setting.about})" if setting.about else setting.name
        answers[setting.name] = typer.prompt(what, hide_input=setting.is_secret, err=True)
    for setting in welcome(connector, {*given, *answers}):
        what = f"{setting.about or setting.name}; empty for none"
        if answer := typer.prompt(what, default="", show_default=False, hide_input=setting.is_secret, err=True):
            answers[setting.name] = answer
    return answers


@app.command(rich_help_panel="Sources")
def check(ctx: typer.Context, source: OneSource) -> None:
    """Reach a source with its credentials, and say what it answered and how many records it has."""
    from onefold.steps.look import check as step

    with opened(ctx, database=False) as (context, output):
        result = step(context, source)
    output.data(asdict(result))
    output.say(f"{source}: {result.message}", style="green")
    if result.streams:
        output.say("streams: " + ", ".join(result.streams))
    if result.volumes:
        output.table(("stream", "records"), sorted(result.volumes.items()), right=(1,))
    if result.absent:
        output.say(f"not installed there: {', '.join(result.absent)}; take them out of {source}.yaml", style="yellow")


@app.command(rich_help_panel="Sources")
def discover(
    ctx: typer.Context,
    source: OneSource,
    stream: Annotated[str | None, typer.Argument(help="Show only this stream, with its fields.")] = None,
) -> None:
    """What a source offers: streams, keys, how changes and deletes are seen; with a stream, its fields and samples."""
    from onefold.errors import NothingFound
    from onefold.steps.look import discover as step

    with opened(ctx, database=False) as (context, output):
        offered = step(context, source)
        found = [info for info in offered if stream in (None, info.name)]
        if stream and not found:
            raise NothingFound(
                f"{source} offers no stream {stream}.", f"It has: {', '.join(info.name for info in offered)}."
            )
    output.data([asdict(info) for info in found])
    columns = ("stream", "key", "changes by", "deletes by", "rows", "fields")
    rows = [
        (
            i.name,
            i.key if isinstance(i.key, str | None) else " + ".join(i.key),
            i.changes or "all",
            i.deletes if i.is_installed else "not installed",
            i.rows,
            len(i.fields),
        )
        for i in found
    ]
    output.table(columns, rows, right=(4, 5))
    for info in found if stream else ():
        fields = [
            (
                f.path,
                f.type,
                f.label,
                None if f.filled is None else f"{f.filled:.0%}",
                ", ".join(f.samples[:3]),
            )
            for f in info.fields
        ]
        output.table(("field", "type", "label", "filled", "samples"), fields, right=(3,))


@app.command(rich_help_panel="Sources")
def preview(
    ctx: typer.Context,
    source: OneSource,
    stream: Annotated[str | None, typer.Argument(help="A stream; default: all.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Records to show.")] = 3,
) -> None:
    """The first records as they come and as they would be mapped, and how the stream is read. Nothing is written."""
    from onefold.steps.look import how_it_is_read
    from onefold.steps.look import preview as step
    from onefold.steps.sync import find_source

    with opened(ctx, database=False) as (context, output):
        streams = [stream] if stream else list(find_source(context, source).streams)
        shown = {name: step(context, source, name, limit) for name in streams}
        read = {} if output.as_json else how_it_is_read(context, source, streams)
    output.data(shown)
    for name, rows in shown.items():
        output.heading(f"{source}:{name}")
        if name in read:
            output.say(f"  {read[name]}")
        for row in rows:
            output.say(f"  {row['key']}  {row['payload'][:300]}", style="dim")
            if row["rejected"]:
                output.say(f"     rejected: {row['rejected']}", style="yellow")
            if record := row["client_record"]:
                for attribute, values in json.loads(record["attributes"]).items():
                    for value in values:
                        wrong = f"   (invalid: {value['invalid']})" if value.get("invalid") else ""
                        mended = f"   (repaired: {value['repaired']})" if value.get("repaired") else ""
                        output.say(f"     {attribute:<14} {value['v']}{wrong}{mended}")
            if fact := row["interaction"]:
                for column in (
                    "type",
                    "occurred_at",
                    "document_number",
                    "amount",
                    "currency",
                    "summary",
                    "detail",
                ):
                    if fact[column] is not None:
                        output.say(f"     {column:<14} {fact[column]}")


@app.command(rich_help_panel="Sources")
def rejects(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Only this source.", autocompletion=source_names)] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """What could not be landed or mapped: where it stands, why, and what to do. The bytes are kept in ops.reject."""
    from onefold.steps.sync import find_source
    from warehouse.queries import open_rejects

    with opened(ctx) as (context, output), context.connection() as conn:
        rows = open_rejects(conn, source=source, limit=limit)
        if source and not rows:  # those of a source that is configured no longer are shown all the same
            find_source(context, source)
    output.data(rows)
    if not rows:
        output.say("Nothing is rejected.")
        return
    columns = ("source", "stream", "place", "step", "reason", "detail")
    output.table((*columns, "since"), [(*(r[c] for c in columns), r["first_at"][:16]) for r in rows])
