"""Bring a database up to this package's tables, functions and views.

`python -m warehouse.migrate` does it for the URL in ONEFOLD_MIGRATE_URL, in a process of its own: Alembic and
SQLModel need 100 MiB that a sync should not carry.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from psycopg import sql as composed
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from warehouse import served, typed_views
from warehouse.connect import connect, redact, sqlalchemy_url
from warehouse.models import SCHEMAS
from warehouse.sql import definitions, sql
from warehouse.version import definitions_digest, installed_revision, packaged_revision

if TYPE_CHECKING:
    from typing import Any

    import psycopg
    from sqlalchemy import Connection


def upgrade(url: str) -> None:
    """Run what is missing, in one transaction; two at once take turns, and the second finds nothing to do."""
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
            driver.execute(sql("version.lock"))
            if installed_revision(driver) != packaged_revision():
                command.upgrade(alembic_config(connection), "head")
                install_definitions(driver)
    finally:
        engine.dispose()


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


def main() -> int:
    """Migrate the database of ONEFOLD_MIGRATE_URL; a message without secrets on failure."""
    try:
        upgrade(os.environ["ONEFOLD_MIGRATE_URL"])
    except Exception as exc:
        cause = exc.__cause__ or exc
        sys.stderr.write(f"{type(exc).__name__}: {redact(getattr(exc, 'orig', None) or cause)}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
