"""Filled hubs of former versions, as pg_dump wrote them, and the way up from there, migration by migration.

tests/data/hub_at_0001.sql: the starter's people after one run, by the last version whose only migration was 0001.
tests/data/hub_at_0008.sql.xz: the demo company (`onefold demo --scale 0.02`, all of it invented) with a merge that was undone and a
judgement in force, by a version whose newest migration was 0008 (commit 578d47a).
"""

from __future__ import annotations

import lzma
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from warehouse import migrate
from warehouse.connect import libpq_environment, sqlalchemy_url
from warehouse.server.binaries import bundled_programs

_DATA = Path(__file__).resolve().parents[1] / "data"
DUMP = _DATA / "hub_at_0001.sql"
DEMO = _DATA / "hub_at_0008.sql.xz"


def restore(url: str, dump: Path = DUMP) -> None:
    """Fill an empty database with the hub of then."""
    text = lzma.decompress(dump.read_bytes()) if dump.suffix == ".xz" else dump.read_bytes()
    subprocess.run(
        [bundled_programs() / "psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1",
         "-c", "CREATE EXTENSION IF NOT EXISTS pg_trgm", "-f", "-"],
        env={**os.environ, **libpq_environment(url)}, input=text, check=True, stdout=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


def migrations(url: str) -> Iterator[str]:
    """Run each later migration by itself, its number after it; at the end the definitions, as an upgrade does."""
    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.connect() as connection:
            script = ScriptDirectory.from_config(migrate.alembic_config(connection))
            later = [one.revision for one in script.walk_revisions()][::-1][1:]
        for revision in later:
            with engine.begin() as connection:
                command.upgrade(migrate.alembic_config(connection), revision)
            yield revision
        with engine.begin() as connection:
            migrate.install_definitions(connection.connection.driver_connection)  # type: ignore[arg-type]
        yield "definitions"
    finally:
        engine.dispose()


def served_columns(conn: psycopg.Connection) -> dict[str, dict[str, str]]:
    """View -> column -> type of onefold_v1, by the catalogue alone: then there was no meta_column."""
    found: dict[str, dict[str, str]] = {}
    rows = conn.execute(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'onefold_v1'::regnamespace AND c.relkind = 'v' ORDER BY c.relname, a.attnum"
    )
    for view, column, type_ in rows:
        found.setdefault(view, {})[column] = type_
    return found
