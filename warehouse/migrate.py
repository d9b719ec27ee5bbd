"""Bring a database up to this package's tables, functions and views, while others read and write.

`python -m warehouse.migrate` does it for the URL in ONEFOLD_MIGRATE_URL, in a process of its own: Alembic and
SQLModel need 100 MiB that a sync should not carry.

MigrationError
|-- MigrationBlockedError   somebody holds what it needs: try again, or end them
|-- MigrationTooLongError   readers would have waited too long: do it when nobody reads
`-- NewerHubError           the hub was migrated by a newer version: upgrade this one
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql as composed
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from warehouse import served, typed_views
from warehouse.clock import hub_lock
from warehouse.connect import connect, redact, sqlalchemy_url
from warehouse.exclusive import LocksRefused, attempts, held_at_most, lock_everything, only_vacuum, refused
from warehouse.migrations.statements import scripts, statements
from warehouse.models import SCHEMAS
from warehouse.prepare import prepare
from warehouse.sql import definitions, sql
from warehouse.version import definitions_digest, installed_revision, is_newer, newer_hub, packaged_revision

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Engine


PATIENCE: Final = 60.0
"""Seconds for which a migration tries to get its locks."""
HOLD: Final = 30.0
"""Seconds for which it may keep everybody else waiting once it has them."""


class MigrationError(Exception):
    """A hub was not migrated; its tables, views and data are as they were. The message says what to do."""

    exit_code = 1


class MigrationBlockedError(MigrationError):
    """Somebody holds what the migration needs."""

    exit_code = 75  # try again later


class MigrationTooLongError(MigrationError):
    """Readers would have waited for longer than they may."""


class NewerHubError(MigrationError):
    """The hub has been migrated by a newer version of Onefold."""


def upgrade(url: str, *, patience: float = PATIENCE, hold: float = HOLD) -> None:
    """Run what is missing, in one transaction; two at once take turns, and the second finds nothing to do.

    On a hub that is there already it first builds the indexes of large tables beside everybody. Then it waits for
    runs that hold the hub lock and tries for `patience` seconds to lock all tables at once, each time for less than a
    second; with the locks it may take `hold` seconds. So no reader waits longer than `hold` and that second.
    Raises `MigrationError`.
    """
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        _prepare(engine, url, patience)
        past_vacuum = False
        for left in attempts(patience):
            try:
                with engine.begin() as connection:
                    _upgrade(connection, url, left, hold, past_vacuum)
            except LocksRefused as refusal:
                if not left:
                    raise MigrationBlockedError(_in_the_way(refusal)) from refusal
                past_vacuum = only_vacuum(refusal.holders)
            else:
                return
    finally:
        engine.dispose()


def _prepare(engine: Engine, url: str, patience: float) -> None:
    """Indexes of large tables, by a database that has tables already."""
    with engine.begin() as connection:
        driver = _driver(connection)
        installed = installed_revision(driver)
        if installed is None or installed == packaged_revision() or is_newer(installed, packaged_revision()):
            return
        driver.execute(sql("version.lock"))
        pending = [line for script in scripts(alembic_config(connection), installed[:4]) for line in statements(script)]
    try:
        prepare(url, pending, patience=patience)
    except LocksRefused as refusal:
        raise MigrationBlockedError(_in_the_way(refusal)) from refusal


def _upgrade(connection: Connection, url: str, left: float, hold: float, past_vacuum: bool) -> None:
    """The migration, in the transaction of `connection`."""
    driver = _driver(connection)
    driver.execute(sql("migrate.wait_at_most"), {"milliseconds": max(1000, int(left * 1000))})
    with refused(driver, url):
        driver.execute(sql("version.lock"))
    installed = installed_revision(driver)
    if installed == packaged_revision():
        return
    if installed is not None and is_newer(installed, packaged_revision()):
        raise NewerHubError(newer_hub(installed))
    with ExitStack() as stack:
        is_too_long = None
        if installed is not None:
            # Publish and resolve lock many tables one after the other, under this lock.
            with refused(driver, url):
                hub_lock(driver)
            lock_everything(driver, url, past_vacuum=past_vacuum)
            is_too_long = stack.enter_context(held_at_most(driver, hold))
        try:
            command.upgrade(alembic_config(connection), "head")
            install_definitions(driver)
        except (DBAPIError, psycopg.Error) as exc:
            if is_too_long is not None and is_too_long():
                raise MigrationTooLongError(
                    f"The migration would have kept everybody waiting for more than {hold:g} s, and was taken back."
                    " When nobody reads, run: onefold db migrate --hold 3600"
                ) from exc
            raise


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _in_the_way(refusal: LocksRefused) -> str:
    pids = [str(one.pid) for one in refusal.holders]
    end = f", or end it: SELECT pg_terminate_backend({pids[0]});" if pids else ","
    return (
        f"The hub could not be migrated, because others hold its tables: {refusal}."
        f" Nothing is changed. Wait until they are done{end} then run: onefold db migrate"
    )


def is_current(url: str) -> bool:
    """The database has exactly this package's tables, functions and views."""
    with connect(url, application_name="onefold version") as conn:
        return installed_revision(conn) == packaged_revision()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(files("warehouse") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def install_definitions(conn: psycopg.Connection[Any]) -> None:
    """Functions, views and comments. Served views are only ever replaced with columns appended, never
    dropped.
    """
    for schema, comment in SCHEMAS.items():
        statement = composed.SQL("COMMENT ON SCHEMA {} IS {}")
        conn.execute(statement.format(composed.Identifier(schema), composed.Literal(comment)))
    for text in definitions().values():
        conn.execute(text.encode())
    served.compose(conn)
    typed_views.compose(conn)
    conn.execute(sql("version.remember_definitions"), {"fingerprint": definitions_digest()})


def main(arguments: Sequence[str] = ()) -> int:
    """Migrate the database of ONEFOLD_MIGRATE_URL; a message without secrets on failure."""
    parser = argparse.ArgumentParser(prog="python -m warehouse.migrate")
    parser.add_argument("--patience", type=float, default=PATIENCE)
    parser.add_argument("--hold", type=float, default=HOLD)
    said = parser.parse_args(arguments)
    try:
        upgrade(os.environ["ONEFOLD_MIGRATE_URL"], patience=said.patience, hold=said.hold)
    except MigrationError as exc:
        sys.stderr.write(f"{exc}\n")
        return exc.exit_code
    except Exception as exc:
        cause = exc.__cause__ or exc
        sys.stderr.write(f"{type(exc).__name__}: {redact(getattr(exc, 'orig', None) or cause)}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
