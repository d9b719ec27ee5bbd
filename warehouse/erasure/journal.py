"""Erasures beside the secrets and outside the database, as keyed hashes, so that an older backup is erased again.

One line of JSON for each erasure and for each that was lifted; appended, never changed. While a restore reads it and
puts the restored hub in its place, nothing is appended: an erasure in between would be in neither.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

_FILE: Final = "erasures.jsonl"
_LOCK: Final = "erasures.lock"


class JournalBusyError(Exception):
    """The hub is being replaced by a backup."""

    exit_code = 75


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure."""

    erasure_id: str
    erased_at: str
    erased_by: str
    ground: str | None
    client_ids: tuple[str, ...]
    records: tuple[str, ...]
    """Keyed hashes of source keys."""
    identifiers: tuple[str, ...]
    """Keyed hashes of identifiers that were the person's alone."""
    rejects: tuple[str, ...]
    key_check: str


def append(secrets: Path, entry: Entry) -> None:
    """Add an erasure, on the disk when this returns; called before the database commits it."""
    _append(secrets, {"erasure": asdict(entry)})


@dataclass(frozen=True, slots=True)
class Lift:
    """A person was let in again."""

    erasure_id: str
    at: str
    by: str


def append_lift(secrets: Path, lift: Lift) -> None:
    """Say that the person was let in again; called before the database commits it."""
    _append(secrets, {"lifted": lift.erasure_id, "at": lift.at, "by": lift.by})


def entries(secrets: Path) -> list[Entry | Lift]:
    """What was done, in its order; nothing without a journal."""
    found: list[Entry | Lift] = []
    for line in _lines(secrets):
        if "erasure" in line:
            said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line["erasure"].items()}
            found.append(Entry(**said))
        else:
            found.append(Lift(line["lifted"], line["at"], line.get("by", "unknown")))
    return found


@contextmanager
def in_hand(secrets: Path, *, alone: bool) -> Iterator[None]:
    """Nobody replaces the hub during the block; `alone`: nobody erases either, and who does is waited for.

    Raises JournalBusyError: the hub is being replaced. The lock ends with the process.
    """
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(secrets / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalBusyError("a backup is being put in the hub's place; erase in it when it is there") from None
        yield
    finally:
        os.close(descriptor)


def _lines(secrets: Path) -> Iterator[dict[str, Any]]:
    path = secrets / _FILE
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                # A kill in the middle of writing leaves a torn line, of an erasure that was not committed.
                with suppress(ValueError):
                    yield json.loads(line)


def _append(secrets: Path, line: dict[str, object]) -> None:
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = secrets / _FILE
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    # Written whole or an error: a full disk lets os.write stop short in silence.
    with os.fdopen(descriptor, "ab") as file:
        file.write((("\n" if torn else "") + json.dumps(line, ensure_ascii=False) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
