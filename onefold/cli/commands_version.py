"""`onefold version`: of the package, and of the hub's tables."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, settings_of

EXIT_BEHIND = 8
EXIT_NEWER = 9
_EXITS = {"current": 0, "behind": EXIT_BEHIND, "empty": EXIT_BEHIND, "newer": EXIT_NEWER}
_SAID = {
    "current": "The hub's tables are those of this version.",
    "behind": "The hub's tables are older. Next: onefold backup FILE && onefold db migrate",
    "empty": "The hub has no tables yet. Next: onefold run",
    "newer": "The hub's tables are of a newer version. Upgrade Onefold here before anything else.",
}


@app.command(rich_help_panel="Hub")
def version(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the hub's tables; they are not migrated.")
    ] = False,
) -> None:
    """The version of Onefold; with --check also that of the hub's tables.

    Exit codes with --check: 0 the same; 8 the hub is behind and the next command migrates it; 9 the hub is newer.

    Example: onefold version --check || onefold db migrate --patience 600
    """
    from importlib.metadata import version as installed

    output = invocation(ctx).output
    mine = installed("onefold")
    if not check:
        output.data({"onefold": mine})
        output.say(f"onefold {mine}")
        return
    from onefold.steps.schema_version import schema_version

    found = schema_version(settings_of(ctx))
    output.data({"onefold": mine, **found.as_dict()})
    output.say(f"onefold {mine}, tables {found.packaged[:4]}; the hub: {(found.installed or 'none')[:4]}")
    output.say(_SAID[found.state])
    if _EXITS[found.state]:
        raise typer.Exit(_EXITS[found.state])
