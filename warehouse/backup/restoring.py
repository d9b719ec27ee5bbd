"""Bring a backup back: into an empty database in one transaction, or beside a hub that it then replaces by name.

The old hub is untouched until the new one is complete, migrated and counted; the two change names in one transaction.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Identifier

from warehouse.backup.archive import Manifest, check_dump, dump_pieces, read_manifest
from warehouse.backup.errors import (
    DamagedBackupError,
    HubNotEmptyError,
    NotABackupError,
    ProgramFailedError,
    RestoreRefusedError,
)
from warehouse.backup.making import count_rows
from warehouse.backup.programs import feed, find_programs, told
from warehouse.connect import (
    connect,
    create_database,
    database_name,
    describe,
    drop_database,
    maintenance,
    unit_of_work,
    with_database,
)
from warehouse.sql import sql
from warehouse.version import packaged_revision

State = Literal["empty", "unused", "filled"]
_PATIENCE: Final = 30.0
# Rights name roles of the hub that was saved; they are given anew. An extension may belong to the administrator.
_NOT_RESTORED: Final = (" COMMENT - EXTENSION ", " COMMENT - SCHEMA public ")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    state_before: State
    kept_as: str | None
    """The database in which the replaced hub is kept."""


def restore_backup(
    path: Path,
    url: str,
    *,
    finish: Callable[[str], None],
    replace: bool = False,
    keep_old: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Restore a file into the database of `url`, which is empty, holds a hub without data, or is to be replaced.

    `finish` is given the URL of the restored database before anybody is served from it: it migrates. Whatever
    fails, a hub that was there is there as before. `advance` is told bytes of the dump.
    """
    manifest = read_manifest(path)
    check_dump(path, manifest)
    with connect(url, application_name="onefold restore") as conn:
        state = hub_state(conn)
        _check_target(conn, path, manifest)
        if state == "filled" and not replace:
            raise HubNotEmptyError(
                f"the {describe(url)} holds a hub. Say --replace to put the backup in its place,"
                " or --into URL to restore it into an empty database"
            )
        if state == "filled" and not _one(conn, "may_replace"):
            raise RestoreRefusedError(
                "this user may not create databases, and a hub is replaced only by one that is complete."
                " Let an administrator run: ALTER ROLE ... CREATEDB, or make an empty database and say --into URL"
            )
        programs = find_programs(conn.info.server_version // 10000)
    kept_as = None
    if state == "filled":
        kept_as = _beside(path, manifest, programs, url, finish, advance, keep_old=keep_old)
    else:
        with connect(url, application_name="onefold restore") as conn, _emptied_on_failure(conn):
            _drop_hub(conn)
            _fill(path, manifest, programs, url, advance)
            finish(url)
    return Restored(manifest, state, kept_as)


def hub_state(conn: psycopg.Connection[Any]) -> State:
    """Whether there is no hub, one that nothing ever came to, or one with data."""
    if len(_schemas(conn)) == 0:
        return "empty"
    try:
        return "filled" if _one(conn, "is_used") else "unused"
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        # Some of the schemas' names, and not our tables: it is not ours to drop.
        return "filled"


def _check_target(conn: psycopg.Connection[Any], path: Path, manifest: Manifest) -> None:
    if manifest.revision.partition("+")[0] > packaged_revision().partition("+")[0]:
        raise NotABackupError(
            f"{path} holds tables of version {manifest.revision.partition('+')[0]}, and this Onefold knows"
            f" {packaged_revision().partition('+')[0]}. Upgrade to Onefold {manifest.onefold} or later first"
        )
    major = conn.info.server_version // 10000
    if major < manifest.server:
        raise RestoreRefusedError(
            f"{path} was made on PostgreSQL {manifest.server}, and the target is PostgreSQL {major}:"
            " a dump goes into the same version or a newer one"
        )


def _beside(
    path: Path,
    manifest: Manifest,
    programs: Path,
    url: str,
    finish: Callable[[str], None],
    advance: Callable[[int], None],
    *,
    keep_old: bool,
) -> str | None:
    name = database_name(url)
    mark = secrets.token_hex(3)
    # PostgreSQL cuts a name at 63 bytes: cut by letters, a long one could come out as the hub's own.
    short = name.encode()[:40].decode(errors="ignore")
    staging, aside = (f"{short}_{what}_{mark}" for what in ("restoring", "replaced"))
    if not create_database(with_database(url, staging)):
        raise RestoreRefusedError(f"a database {staging} is there already; try again")
    try:
        _fill(path, manifest, programs, with_database(url, staging), advance)
        finish(with_database(url, staging))
        _swap(url, name, staging, aside)
    except BaseException:
        drop_database(with_database(url, staging))
        raise
    if keep_old:
        return aside
    drop_database(with_database(url, aside))
    return None


def _fill(path: Path, manifest: Manifest, programs: Path, url: str, advance: Callable[[int], None]) -> None:
    """pg_restore in one transaction, then every table counted."""
    program = programs / "pg_restore"
    listed = feed(program, ["--list"], None, dump_pieces(path)).decode()
    kept = [line for line in listed.splitlines() if not any(what in line for what in _NOT_RESTORED)]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as wanted:
        wanted.write("\n".join(kept) + "\n")
        wanted.flush()
        arguments = [
            f"--dbname={database_name(url)}",
            f"--use-list={wanted.name}",
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
        ]
        feed(program, arguments, url, told(dump_pieces(path), advance))
    with connect(url, application_name="onefold restore") as conn:
        found = count_rows(conn)
        differ = sorted(table for table, rows in manifest.rows.items() if found.get(table) != rows)
        if differ:
            raise DamagedBackupError(f"{path}: what was restored has other counts of rows in {', '.join(differ)}")
        conn.execute("ANALYZE")


def _swap(url: str, name: str, staging: str, aside: str) -> None:
    """The old database steps aside and the new one takes its name, in one transaction; open sessions are closed."""
    patience = time.monotonic() + _PATIENCE
    with maintenance(url) as conn:
        while True:
            conn.execute(sql("backup.close_sessions"), {"databases": [name, staging]})
            try:
                with unit_of_work(conn):
                    for old, new in ((name, aside), (staging, name)):
                        conn.execute(sql("backup.rename").format(old=Identifier(old), new=Identifier(new)))
                return
            except errors.ObjectInUse:
                if time.monotonic() > patience:
                    raise ProgramFailedError(
                        f"somebody keeps connecting to {name}, so that it cannot change its name;"
                        " stop what uses the hub and try again"
                    ) from None


@contextmanager
def _emptied_on_failure(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A restore into an empty database that fails leaves it empty."""
    try:
        yield
    except BaseException:
        _drop_hub(conn)
        raise


def _drop_hub(conn: psycopg.Connection[Any]) -> None:
    with unit_of_work(conn):
        for schema in _schemas(conn):
            conn.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def _schemas(conn: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in conn.execute(sql("backup.schemas"))]


def _one(conn: psycopg.Connection[Any], name: str) -> bool:
    row = conn.execute(sql(f"backup.{name}")).fetchone()
    return bool(row and row[0])
