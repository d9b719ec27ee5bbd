"""From global options to an open context."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from onefold.cli.app import Invocation
    from onefold.cli.output import Output
    from onefold.context import Context
    from onefold.progress import Progress
    from onefold.settings import Settings


def invocation(ctx: typer.Context) -> Invocation:
    """What the global options said."""
    from onefold.cli.app import Invocation

    return ctx.obj if isinstance(ctx.obj, Invocation) else Invocation()


def settings_of(ctx: typer.Context) -> Settings:
    """Flags over environment over .env over defaults."""
    from onefold.settings import Settings

    given = invocation(ctx)
    return Settings.from_environment(
        os.environ, {"home": given.home, "config": given.config, "database_url": given.database}
    )


def progress_for(output: Output) -> Progress:
    """Bars on a terminal; silence in pipes, in logs and with --quiet."""
    from onefold.progress import SilentProgress

    if output.quiet or not sys.stderr.isatty():
        return SilentProgress()
    from onefold.cli.output import TerminalProgress

    return TerminalProgress(output)


@contextmanager
def opened(ctx: typer.Context, *, database: bool = True) -> Iterator[tuple[Context, Output]]:
    """The hub that the global options name, and where to write; without `database` to only ask a source."""
    from onefold.context import open_context

    output = invocation(ctx).output
    with open_context(settings_of(ctx), progress=progress_for(output), database=database) as context:
        yield context, output
