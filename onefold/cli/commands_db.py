"""`onefold db`: the hub's database in the hands of its owner."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, settings_of

if TYPE_CHECKING:
    from warehouse.server import EmbeddedServer

db = typer.Typer(no_args_is_help=True, help="The hub's database: start, stop, url, psql, status, migrate.")
app.add_typer(db, name="db", rich_help_panel="Hub")

Reader = Annotated[bool, typer.Option("--reader", help="As the read-only role that tools get: onefold_v1 only.")]


def embedded(ctx: typer.Context) -> EmbeddedServer:
    """The embedded server of this hub; UsageError when an external database is configured."""
    from onefold.access import embedded_server
    from onefold.errors import UsageError

    settings = settings_of(ctx)
    if settings.database_url:
        raise UsageError(
            "This hub uses a database of yours (--database / ONEFOLD_DATABASE_URL).",
            "Start and stop it there.",
        )
    return embedded_server(settings)


@db.command()
def start(ctx: typer.Context) -> None:
    """Start the embedded PostgreSQL, migrate it, and leave it running for psql, DBeaver or Metabase."""
    from onefold.context import ensure_schema

    output = invocation(ctx).output
    server = embedded(ctx)
    endpoint = server.start(keep=True)
    ensure_schema(endpoint.url)
    output.data({"running": True, "port": endpoint.port})
    output.say(
        f"PostgreSQL is running on 127.0.0.1:{endpoint.port}. `onefold db url` prints how to reach it; "
        "`onefold db stop` ends it."
    )


@db.command()
def stop(ctx: typer.Context) -> None:
    """Stop the embedded PostgreSQL; whoever is connected is let go first."""
    output = invocation(ctx).output
    server = embedded(ctx)
    stopped = server.stop()
    output.data({"running": False, "was_running": bool(stopped)})
    output.say("Stopped." if stopped else "It was not running.")


@db.command()
def status(ctx: typer.Context) -> None:
    """Is the embedded PostgreSQL running, where, and who holds it."""
    output = invocation(ctx).output
    found = embedded(ctx).status()
    output.data(found.as_dict())
    for name, value in found.as_dict().items():
        output.say(f"{name:>12}  {value}")


@db.command()
def migrate(
    ctx: typer.Context,
    patience: Annotated[
        float, typer.Option("--patience", min=0, help="Seconds to try for the locks, a moment at a time.")
    ] = 60.0,
    hold: Annotated[
        float, typer.Option("--hold", min=1, help="Seconds for which it may keep everybody else waiting.")
    ] = 30.0,
) -> None:
    """Bring the hub's tables and views up to this version of Onefold, while others read and write.

    Every command does this by itself; here you say how long it may try, and how long others may wait for it.
    If somebody is in the way, it says who (exit code 75) and has changed nothing.

    Example: onefold db migrate --patience 600
    """
    from onefold.context import migrate_hub

    output = invocation(ctx).output
    done = migrate_hub(settings_of(ctx), patience=patience, hold=hold)
    output.data({"migrated": done})
    output.say("Migrated." if done else "It was up to date.")


@db.command()
def url(ctx: typer.Context, reader: Reader = False) -> None:
    """Print the connection URL (it holds a password: keep it off shared screens).

    Example: psql "$(onefold db url --reader)"
    """
    from onefold.access import connection_url

    output = invocation(ctx).output
    found = connection_url(settings_of(ctx), reader=reader)
    output.data({"url": found})
    output.say(found)


@db.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(ctx: typer.Context, reader: Reader = False) -> None:
    """Open psql on the hub; what follows `--` goes to psql.

    Example: onefold db psql -- -c "select * from onefold_v1.dim_client limit 5"
    """
    from onefold.access import connection_url, psql_program
    from warehouse.connect import libpq_environment

    settings = settings_of(ctx)
    program = psql_program(settings)
    # The URL goes by environment: arguments are visible to every user of the machine.
    environment = libpq_environment(connection_url(settings, reader=reader))
    os.execvpe(program, [str(program), *ctx.args], {**os.environ, **environment})
