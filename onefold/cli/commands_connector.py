"""Commands about connectors: connector list|show|new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation

connector_app = typer.Typer(no_args_is_help=True, help="Connectors: list them, show one, start one of your own.")
app.add_typer(connector_app, name="connector", rich_help_panel="Sources")


@connector_app.command("list")
def list_connectors(ctx: typer.Context) -> None:
    """The connectors that are installed: built-ins, the catalogue and those of other packages."""
    from onefold.steps.connectors import installed

    output = invocation(ctx).output
    found = installed()
    output.data([one.as_dict() for one in found])
    rows = [(one.connector, one.title, one.department, one.streams or None, ", ".join(one.needs)) for one in found]
    output.table(("connector", "what it reads", "department", "streams", "needs"), rows, right=(3,))
    output.say("Next: onefold connector show NAME, onefold source add crm --connector NAME", style="bold")


@connector_app.command("show")
def show_connector(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="A connector, such as bitrix24 or singer:tap-x.")]
) -> None:
    """What a connector must be told, what its streams become, and how changes and deletes are seen.

    Example: onefold connector show bitrix24
    """
    from onefold.steps.connectors import shown

    output = invocation(ctx).output
    found = shown(name)
    output.data(found.as_dict())
    output.heading(found.title)
    settings = [
        (one.name, "yes" if one.is_needed else None, "yes" if one.is_secret else None, one.about)
        for one in found.settings
    ]
    output.table(("setting", "needed", "secret", "what it is"), settings)
    if len(found.ways_in) > 1:
        output.say("To be let in, give " + ", or ".join(" + ".join(way) or "nothing" for way in found.ways_in) + ".")
    rows = [(one.stream, one.title, one.becomes, one.changes, one.deletes) for one in found.streams]
    output.table(("stream", "what it is", "becomes", "changes by", "deletes by"), rows)
    if not found.streams:
        output.say("Its streams are found in the source: onefold source add, onefold discover.")


@connector_app.command("new")
def new_connector(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What sources will call it, such as acme.")],
    into: Annotated[Path, typer.Option("--into", help="The folder in which the package is made.")] = Path(),
) -> None:
    """Write the package onefold-NAME: a manifest, recorded exchanges, and the test that runs them and passes.

    Example: onefold connector new acme
    """
    from connectors.scaffold import write_package

    output = invocation(ctx).output
    written = write_package(name, into)
    folder = written[0].parent
    output.data({"folder": str(folder), "files": [str(path) for path in written]})
    for path in written:
        output.say(f"Wrote {path}")
    output.say(f"Next: cd {folder}; pip install -e .; python -m pytest", style="bold")
