"""Commands about connectors: connector new|list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation

connector_app = typer.Typer(no_args_is_help=True, help="Connectors: list them, start one of your own.")
app.add_typer(connector_app, name="connector", rich_help_panel="Sources")


@connector_app.command("list")
def list_connectors(ctx: typer.Context) -> None:
    """The connectors that are installed: built-ins, the catalogue and those of other packages."""
    from connectors.registry import names

    output = invocation(ctx).output
    found = names()
    output.data(found)
    for name in found:
        output.say(name)


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
