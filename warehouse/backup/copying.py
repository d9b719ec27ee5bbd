"""A copy of the hub in a database of its own beside it, for as long as a block takes: to try something out."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from warehouse.backup.errors import RestoreRefusedError
from warehouse.backup.making import make_backup
from warehouse.backup.restoring import restore_backup
from warehouse.connect import create_database, database_name, drop_database, with_database


@contextmanager
def copied(url: str, folder: Path, *, now: datetime, advance: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """The URL of a copy of the hub as of one moment; it is dropped at the end. Others go on using the hub.

    What is copied goes through a file in `folder`, readable for its owner only. `advance` is told bytes, twice what the
    file holds. Raises `warehouse.backup.errors.BackupError`, also where this user may not create databases.
    """
    short = database_name(url).encode()[:40].decode(errors="ignore")
    beside = with_database(url, f"{short}_plan_{secrets.token_hex(3)}")
    with tempfile.TemporaryDirectory(prefix="plan-", dir=folder) as place:
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
