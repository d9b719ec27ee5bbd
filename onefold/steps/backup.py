"""backup and restore: the whole hub as one file, and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.access import embedded_server, prepare_roles
from onefold.context import ensure_schema, open_database, wall_clock
from onefold.errors import NothingFound
from onefold.progress import MEGABYTE, Progress, SilentProgress, megabytes
from onefold.steps.logged import logged
from onefold.steps.report import Report

if TYPE_CHECKING:
    from onefold.settings import Settings
    from onefold.steps.erase import Replayed


@dataclass(frozen=True, slots=True)
class BackupReport(Report):
    """What was written."""

    file: str
    bytes: int
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RestoreReport(Report):
    """What was restored, and over what."""

    file: str
    manifest: dict[str, Any]
    replaced: bool
    """A hub with data was there."""
    kept_as: str | None
    """The database in which it is kept."""
    migrated: bool
    """The backup's tables were older than this Onefold's."""
    erased: int
    """Erasures that the backup did not know, done again."""
    lifted: int
    """Persons let in again whom the backup did not know to be."""
    notes: tuple[str, ...]
    """What an administrator has left to do."""


@logged("backup")
def backup(
    settings: Settings,
    path: Path,
    *,
    with_tokens: bool = False,
    clock: Callable[[], datetime] = wall_clock,
    progress: Progress | None = None,
) -> BackupReport:
    """Write the hub's database to a new file, as of one moment, while others use it. Migrates nothing.

    Raises `warehouse.backup.errors.BackupError`.
    """
    from warehouse.backup.making import make_backup

    with (
        open_database(settings, migrate=False) as url,
        (progress or SilentProgress()).stage("backup, MiB") as stage,
    ):
        manifest = make_backup(
            url,
            path,
            onefold=version("onefold"),
            now=clock(),
            with_tokens=with_tokens,
            advance=megabytes(stage),
        )
    return BackupReport(str(path), path.stat().st_size, manifest.as_dict())


def restore(
    settings: Settings,
    path: Path,
    *,
    into: str | None = None,
    replace_hub: bool = False,
    keep_old: bool = False,
    progress: Progress | None = None,
) -> RestoreReport:
    """Bring a backup back into this hub's database, or into that of the URL `into`; rights are given anew.

    Raises `warehouse.backup.errors.BackupError`: what was there is then there as before.
    """
    from onefold.steps.withhold import secrets_folder
    from warehouse import row_security
    from warehouse.backup.archive import read_manifest
    from warehouse.backup.restoring import restore_backup
    from warehouse.connect import connect
    from warehouse.erasure import journal

    if not path.is_file():
        raise NothingFound(f"There is no file {path}.")
    target = replace(settings, database_url=into) if into else settings
    migrated, replayed = False, None
    held = ExitStack()

    def finish(url: str) -> None:
        nonlocal migrated, replayed
        migrated = ensure_schema(url)
        # Until the restored hub stands in its place nobody is erased in the one that goes.
        held.enter_context(journal.in_hand(secrets_folder(settings), alone=True))
        replayed = _replay(settings, url)

    with (
        open_database(target, migrate=False) as url,
        (progress or SilentProgress()).stage("restore, MiB") as stage,
        held,
    ):
        stage.resize(max(1, read_manifest(path).dump_bytes // MEGABYTE))
        done = restore_backup(
            path, url, finish=finish, replace=replace_hub, keep_old=keep_old, advance=megabytes(stage)
        )
        with connect(url, application_name="onefold restore") as conn:
            row_security.move_scopes(conn, done.manifest.database, conn.info.dbname)
        secrets = None if target.database_url else embedded_server(target).folders.secrets
        notes = prepare_roles(url, secrets)
    if replayed is not None and replayed.sources:
        notes.append(
            "persons who were let in again come with a whole run of: "
            + ", ".join(replayed.sources)
            + " (onefold run --source SOURCE --full)"
        )
    return RestoreReport(
        str(path),
        done.manifest.as_dict(),
        done.state_before == "filled",
        done.kept_as,
        migrated,
        replayed.erased if replayed else 0,
        replayed.lifted if replayed else 0,
        tuple(notes),
    )


def _replay(settings: Settings, url: str) -> Replayed | None:
    """Who was erased since the backup was made is erased in it before anybody reads it, and who was let in, let in."""
    from onefold.steps.withhold import secrets_folder
    from warehouse.erasure import journal

    if not journal.entries(secrets_folder(settings)):
        return None
    from onefold.configuration import load_configuration
    from onefold.context import Context
    from onefold.steps.erase import replay

    return replay(Context(settings, load_configuration(settings.config), url, os.environ))
