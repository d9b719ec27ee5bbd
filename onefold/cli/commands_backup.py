"""The whole hub as one file, and back: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, progress_for, settings_of


@app.command(rich_help_panel="Hub")
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file; it is made readable for you only.")],
    with_tokens: Annotated[
        bool, typer.Option("--with-tokens", help="Also the tokens that sources handed out; they are secrets.")
    ] = False,
) -> None:
    """Write the hub's database to one file, as of one moment, while others go on using it.

    The configuration and .env are files of yours: keep copies of them beside it. Example: onefold backup hub.onefold
    """
    from onefold.steps.backup import backup as step

    output = invocation(ctx).output
    report = step(settings_of(ctx), file, with_tokens=with_tokens, progress=progress_for(output))
    output.data(report.as_dict())
    rows = sum(report.manifest["rows"].values())
    output.say(
        f"{report.file}: {rows:,} rows of {len(report.manifest['rows'])} tables in {report.bytes / 1e6:,.1f} MB, "
        f"as of {report.manifest['as_of'] or 'before the first resolution'}."
    )
    output.say(f"Bring it back with: onefold restore {report.file}")


@app.command(rich_help_panel="Hub")
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `onefold backup` wrote.")],
    into: Annotated[str | None, typer.Option("--into", help="URL of another database, not this hub's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of the hub that is there.")] = False,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="With --replace: keep the old hub as a database of another name.")
    ] = False,
) -> None:
    """Bring a backup back: into an empty database, or (--replace) in the place of the hub that is there.

    The old hub is used until the new one is complete, counted and migrated. Example: onefold restore hub.onefold
    """
    from onefold.steps.backup import restore as step

    output = invocation(ctx).output
    report = step(
        settings_of(ctx), file, into=into, replace_hub=replace, keep_old=keep_old, progress=progress_for(output)
    )
    output.data(report.as_dict())
    output.say(
        f"Restored {sum(report.manifest['rows'].values()):,} rows, as of "
        f"{report.manifest['as_of'] or 'before the first resolution'}"
        + (", and brought the tables up to this version." if report.migrated else ".")
    )
    if report.erased:
        output.say(f"{report.erased} erasures that are newer than the backup were done again.")
    if report.lifted:
        output.say(f"{report.lifted} persons who were let in again since may come.")
    if report.kept_as:
        output.say(f"The hub that was there is kept as database {report.kept_as}; drop it when you are sure.")
    for note in report.notes:
        output.warn(note)
    output.say("Next: onefold run takes in what the sources said since.", style="bold")
