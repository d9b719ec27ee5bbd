"""`onefold`: the command line. It parses, calls a step and prints; each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from onefold.cli.output import Output

EPILOG = (
    "Options that every command takes, before or after its name: --home DIR (where the hub keeps its state), "
    "--config DIR, --database URL, --json (one JSON document on standard output), --quiet (no progress), "
    "--log-format text|json and --log-level LEVEL (the log on standard error). "
    "Exit codes: 0 done, 1 something failed, 2 wrong usage, 3 configuration, 4 not found, 5 credentials, "
    "6 database, 7 a run is held for your decision, 75 try again later."
)
GLOBAL_OPTIONS = {
    "--home": True, "--config": True, "--database": True, "--json": False, "--quiet": False,
    "--log-format": True, "--log-level": True,
}  # fmt: skip

app = typer.Typer(
    name="onefold",
    help="One client view from the systems you already have: pull, resolve, explain, serve.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass
class Invocation:
    """What the global options said."""

    output: Output = field(default_factory=Output)
    home: str | None = None
    config: str | None = None
    database: str | None = None
    started: float = field(default_factory=time.perf_counter)
    """When the command began, by that clock."""


def show_version(is_asked: bool) -> None:
    """Print the version and stop, whatever else is said."""
    if is_asked:
        from importlib.metadata import version as installed

        typer.echo(f"onefold {installed('onefold')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None, typer.Option(help="Where the hub keeps its state [ONEFOLD_HOME, default ./var].")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="The configuration folder [ONEFOLD_CONFIG, default ./config].")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Any PostgreSQL >= 15 [ONEFOLD_DATABASE_URL, default: the embedded server]."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
    log_format: Annotated[
        str | None,
        typer.Option(help="The log on standard error: text or json [ONEFOLD_LOG, default json unless on a terminal]."),
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(help="From where on: debug, info, warning, error [ONEFOLD_LOG, default warning on a terminal]."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Options common to all commands."""
    from onefold import logs

    # With --json a program reads standard error too, for the one object that is an error.
    choice = logs.choose(log_format, log_level, os.environ, terminal=sys.stderr.isatty(), quiet=as_json)
    logs.start(choice)
    ctx.obj = Invocation(Output(as_json=as_json, quiet=quiet), home, config, database)


def hoist_global_options(arguments: Sequence[str]) -> list[str]:
    """Global options moved in front of the command, so that people may write them anywhere.

    >>> hoist_global_options(["run", "--json", "--source", "crm"])
    ['--json', 'run', '--source', 'crm']
    """
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        name = argument.split("=", 1)[0]
        if argument == "--":
            rest.extend(arguments[position:])
            break
        if name not in GLOBAL_OPTIONS:
            rest.append(argument)
        elif GLOBAL_OPTIONS[name] and "=" not in argument:
            front.extend(arguments[position : position + 2])
            position += 1
        else:
            front.append(argument)
        position += 1
    return front + rest


def _register() -> None:
    # Each module adds its commands to `app`; they import nothing heavy at module level.
    from onefold.cli import (  # noqa: F401
        commands_access,
        commands_airflow,
        commands_backup,
        commands_cases,
        commands_changes,
        commands_concerns,
        commands_connector,
        commands_console,
        commands_db,
        commands_docs,
        commands_documents,
        commands_evaluate,
        commands_explain,
        commands_export,
        commands_fix,
        commands_hold,
        commands_hub,
        commands_look,
        commands_lookup,
        commands_maintain,
        commands_matching,
        commands_measures,
        commands_merge,
        commands_metrics,
        commands_model,
        commands_needs,
        commands_pin,
        commands_plan,
        commands_privacy,
        commands_report,
        commands_run,
        commands_segment_use,
        commands_serve,
        commands_sources,
        commands_start,
        commands_try,
        commands_version,
        commands_write,
    )


def main() -> None:
    """Entry point of the `onefold` script."""
    from onefold import logs, tracing
    from onefold.cli.failures import report_failure

    _register()
    with tracing.traced(os.environ):
        try:
            app(args=hoist_global_options(sys.argv[1:]), standalone_mode=True)
        except BrokenPipeError:
            # The reader of our output (head, less) has gone; that is no failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except KeyboardInterrupt:
            sys.stderr.write("stopped; what was committed stays, the next run goes on from there\n")
            sys.exit(130)
        except Exception as error:
            sys.exit(report_failure(error))
        finally:
            logs.stop()
