"""The composition root: settings + configuration + database + clock, opened once per command, task or test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from onefold import tracing
from onefold.progress import Progress, SilentProgress

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration import Configuration
    from onefold.settings import Settings


def wall_clock() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """What a step works with. Tests inject clock, configuration and database."""

    settings: Settings
    configuration: Configuration
    database_url: str = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], datetime] = wall_clock
    progress: Progress = field(default_factory=SilentProgress)

    @contextmanager
    def connection(self, name: str = "onefold") -> Iterator[psycopg.Connection]:
        """A connection of its own, closed at the end; each unit of work is a transaction inside it."""
        from warehouse.connect import connect

        with connect(self.database_url, application_name=name) as conn:
            yield conn


def ensure_schema(database_url: str, *, patience: float | None = None, hold: float | None = None) -> bool:
    """Migrate the database if it is behind; True if it was. For how long it may try to get its locks, and keep others
    waiting once it has them: seconds, None as `warehouse.migrate` says.

    Alembic and SQLModel take 100 MiB and two seconds to import, so they run in a process of their own.
    """
    from warehouse.connect import connect
    from warehouse.version import installed_revision, is_newer, newer_hub, packaged_revision

    with connect(database_url, application_name="onefold version") as conn:
        installed = installed_revision(conn)
    if installed == packaged_revision():
        return False
    from onefold.errors import HubBusy, NewerHub, OnefoldError

    if installed is not None and is_newer(installed, packaged_revision()):
        raise NewerHub(newer_hub(installed))
    environment = {**os.environ, "ONEFOLD_MIGRATE_URL": database_url}  # not in argv, where `ps` would show it
    given = [f"--{name}={value}" for name, value in (("patience", patience), ("hold", hold)) if value is not None]
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.migrate", *given],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stderr.strip() or "no message").splitlines()[-1]
    if done.returncode == HubBusy.exit_code:
        raise HubBusy(last)
    if done.returncode:
        raise OnefoldError(f"The database could not be migrated: {last}", "Its old tables are as they were.")
    return True


@contextmanager
def open_context(
    settings: Settings,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = wall_clock,
    progress: Progress | None = None,
    database: bool = True,
) -> Iterator[Context]:
    """Everything a step needs: configuration read, database running and migrated; all released at the end.

    `database=False` starts none: for steps that only ask a source. What is done in it is one trace.
    """
    from onefold.configuration import load_configuration

    configuration = load_configuration(settings.config)
    environ = os.environ if environ is None else environ
    with ExitStack() as stack:
        stack.enter_context(tracing.traced(environ))
        url = stack.enter_context(open_database(settings)) if database else ""
        yield Context(
            settings=settings,
            configuration=configuration,
            database_url=url,
            environ=environ,
            clock=clock,
            progress=progress or SilentProgress(),
        )


@contextmanager
def open_database(settings: Settings, *, migrate: bool = True) -> Iterator[str]:
    """The URL of a running, migrated database: the configured one, or the embedded server on a lease.

    `migrate=False` leaves it as it is, also without any table: for a backup before an upgrade, and for a restore.
    """
    from onefold.access import embedded_server, prepare_roles

    if settings.database_url:
        if migrate and ensure_schema(settings.database_url):
            prepare_roles(settings.database_url, None)
        yield settings.database_url
        return
    server = embedded_server(settings)
    with server.lease() as endpoint:
        if migrate and ensure_schema(endpoint.url):
            prepare_roles(endpoint.url, server.folders.secrets)
        yield endpoint.url


def migrate_hub(settings: Settings, *, patience: float, hold: float) -> bool:
    """`ensure_schema` of the hub that the settings name, and its roles again if it was behind."""
    from onefold.access import embedded_server, prepare_roles

    with open_database(settings, migrate=False) as url:
        done = ensure_schema(url, patience=patience, hold=hold)
        if done:
            prepare_roles(url, None if settings.database_url else embedded_server(settings).folders.secrets)
    return done
