"""Make a backup: everything in the database as of one moment, while others read and write."""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from warehouse.backup.archive import FORMAT, Manifest, write_dump, write_manifest
from warehouse.backup.errors import BackupError, FileExistsAlreadyError
from warehouse.backup.programs import find_programs, output_of, told
from warehouse.clock import one_moment
from warehouse.connect import connect
from warehouse.roles import INNER_SCHEMAS
from warehouse.sql import qualified, sql
from warehouse.version import installed_revision

TOKENS = "ops.source_token"


def make_backup(
    url: str,
    path: Path,
    *,
    onefold: str,
    now: datetime,
    with_tokens: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Write the hub in the database of `url` to a new file, readable for its owner only; its manifest.

    All tables are as of one moment; the file appears under its name when it is complete. `advance` is told bytes.
    """
    if path.exists():
        raise FileExistsAlreadyError(f"{path} is there already; choose another name")
    if not path.absolute().parent.is_dir():
        raise BackupError(f"there is no folder {path.absolute().parent}")
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with connect(url, application_name="onefold backup") as conn, one_moment(conn):
        revision = installed_revision(conn)
        if revision is None:
            raise BackupError("this database holds no hub yet; `onefold run` makes one")
        snapshot, major, database = _row(conn, "export_snapshot")
        programs = find_programs(major)
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
                pieces = output_of(programs / "pg_dump", _arguments(snapshot, with_tokens=with_tokens), url)
                size, checksum = write_dump(archive, told(pieces, advance))
                as_of, last_event = _row(conn, "clock") or (None, 0)
                manifest = Manifest(
                    format=FORMAT,
                    onefold=onefold,
                    revision=revision,
                    server=major,
                    database=database,
                    made_at=now.isoformat(),
                    as_of=as_of.isoformat() if as_of else None,
                    last_event=last_event,
                    has_tokens=with_tokens,
                    rows=count_rows(conn) | ({} if with_tokens else {TOKENS: 0}),
                    dump_bytes=size,
                    dump_sha256=checksum,
                )
                write_manifest(archive, manifest)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            _name(partial, path)
        except FileExistsError:
            raise FileExistsAlreadyError(f"{path} is there already; choose another name") from None
        finally:
            partial.unlink(missing_ok=True)
    return manifest


def _name(partial: Path, path: Path) -> None:
    """Give the file its name. Raises FileExistsError: one that came meanwhile is not replaced."""
    try:
        # A link and not a rename, which would replace it.
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:  # no links on this file system
        path.touch(0o600, exist_ok=False)
        partial.replace(path)


def count_rows(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """The rows of every table in the hub's own schemas."""
    tables = [row[0] for row in conn.execute(sql("backup.tables"), {"schemas": list(INNER_SCHEMAS)})]
    counted = ((table, conn.execute(sql("backup.count").format(table=qualified(table)))) for table in tables)
    return {table: int(cursor.fetchone()[0]) for table, cursor in counted}  # type: ignore[index]


def _arguments(snapshot: str, *, with_tokens: bool) -> list[str]:
    # gzip's quickest: the wheel's programs know no other method, and its best takes four times as long.
    arguments = ["--format=custom", "--compress=1", f"--snapshot={snapshot}"]
    return arguments if with_tokens else [*arguments, f"--exclude-table-data={TOKENS}"]


def _row(conn: psycopg.Connection[Any], name: str) -> Any:
    return conn.execute(sql(f"backup.{name}")).fetchone()
