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


def ensure_schema(database_url: str) -> bool:
    """Migrate the database if it is behind; True if it was.

    Alembic and SQLModel take 100 MiB and two seconds to import, so they run in a process of their own.
    """
    from warehouse.connect import connect
    from warehouse.version import installed_revision, packaged_revision

    with connect(database_url, application_name="onefold version") as conn:
        if installed_revision(conn) == packaged_revision():
            return False
    environment = {**os.environ, "ONEFOLD_MIGRATE_URL": database_url}  # not in argv, where `ps` would show it
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.migrate"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        from onefold.errors import OnefoldError

        last = (done.stderr.strip() or "no message").splitlines()[-1]
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

    `database=False` starts none: for steps that only ask a source.
    """
    from onefold.configuration import load_configuration

    configuration = load_configuration(settings.config)
    with ExitStack() as stack:
        url = stack.enter_context(open_database(settings)) if database else ""
        yield Context(
            settings=settings,
            configuration=configuration,
            database_url=url,
            environ=os.environ if environ is None else environ,
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
