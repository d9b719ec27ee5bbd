"""A copy of the hub in a database of its own beside it, for as long as a block takes: to try something out."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from warehouse.backup.errors import RestoreRefusedError
from warehouse.backup.making import make_backup
from warehouse.backup.restoring import restore_backup
from warehouse.connect import create_database, database_name, drop_database, maintenance, with_database
from warehouse.sql import sql

_PREFIX: Final = "plan-"


@contextmanager
def copied(url: str, folder: Path, *, now: datetime, advance: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """The URL of a copy of the hub as of one moment; it is dropped at the end. Others go on using the hub.

    What is copied goes through a file in `folder`, readable for its owner only. One at a time for a hub: what a killed
    process left behind is removed first. `advance` is told bytes, twice what the file holds. Raises
    `warehouse.backup.errors.BackupError`, also where this user may not create databases.
    """
    stem = f"{database_name(url).encode()[:40].decode(errors='ignore')}_plan_"
    _sweep(url, stem, folder)
    beside = with_database(url, f"{stem}{secrets.token_hex(3)}")
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder) as place:
        file = Path(place) / "hub.onefold"
        make_backup(url, file, onefold="", now=now, advance=advance)
        if not create_database(beside):
            raise RestoreRefusedError("a database of the copy's name is there already; try again")
        try:
            restore_backup(file, beside, finish=lambda _: None, advance=advance)
            file.unlink()
            yield beside
        finally:
            drop_database(beside)
            _drop_copies(url, stem)  # one that a killed process was making came into being meanwhile


def _sweep(url: str, stem: str, folder: Path) -> None:
    """A copy holds everything about every client, and is nothing to leave lying about."""
    _drop_copies(url, stem)
    for place in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(place, ignore_errors=True)


def _drop_copies(url: str, stem: str) -> None:
    with maintenance(url) as conn:
        found = conn.execute(sql("backup.copies"), {"pattern": f"^{re.escape(stem)}[0-9a-f]{{6}}$"}).fetchall()
    for (name,) in found:
        drop_database(with_database(url, name))
