"""Erasures beside the secrets and outside the database, as keyed hashes, so that an older backup is erased again.

One line of JSON for each erasure and for each that was lifted; appended, never changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

_FILE: Final = "erasures.jsonl"


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


def append_lift(secrets: Path, erasure_id: str, at: str) -> None:
    """Say that the person was let in again."""
    _append(secrets, {"lifted": erasure_id, "at": at})


def entries(secrets: Path) -> list[Entry]:
    """The erasures in force, oldest first; none without a journal."""
    found: dict[str, Entry] = {}
    for line in _lines(secrets):
        if "erasure" in line:
            said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line["erasure"].items()}
            found[str(said["erasure_id"])] = Entry(**said)
        else:
            found.pop(line["lifted"], None)
    return list(found.values())


def _lines(secrets: Path) -> Iterator[dict[str, Any]]:
    path = secrets / _FILE
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line in file:
                # A kill in the middle of writing leaves a torn line, of an erasure that was not committed.
                with suppress(ValueError):
                    yield json.loads(line)


def _append(secrets: Path, line: dict[str, object]) -> None:
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = secrets / _FILE
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, (("\n" if torn else "") + json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
