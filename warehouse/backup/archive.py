"""The file: a ZIP archive (stored, not packed again) of `hub.dump`, what pg_dump wrote, and `manifest.json`."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from warehouse.backup.errors import DamagedBackupError, NotABackupError

FORMAT: Final = 1
_DUMP: Final = "hub.dump"
_MANIFEST: Final = "manifest.json"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; holds no client data."""

    format: int
    onefold: str
    """Version of the package that made it."""
    revision: str
    """Version of the tables, as `warehouse.version.installed_revision`."""
    server: int
    """Major version of PostgreSQL, and of the pg_dump that wrote it."""
    database: str
    made_at: str
    as_of: str | None
    """The hub's last as_of: the moment that the client view answers for."""
    last_event: int
    """The last change event in it."""
    has_tokens: bool
    """Tokens that sources hand out are in it."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Table -> its rows."""
    dump_bytes: int = 0
    dump_sha256: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def write_dump(archive: zipfile.ZipFile, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Put the dump in, piece by piece; its size and checksum."""
    size, digest = 0, sha256()
    with archive.open(zipfile.ZipInfo(_DUMP), "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Put the manifest in."""
    archive.writestr(_MANIFEST, json.dumps(manifest.as_dict(), indent=2, ensure_ascii=False) + "\n")


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup; raises `NotABackupError` for anything else, FileNotFoundError without a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read(_MANIFEST))
        if said["format"] > FORMAT:
            raise NotABackupError(
                f"{path} was made by Onefold {said['onefold']} in a form that this version does not know; upgrade first"
            )
        return Manifest(**said)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as exc:
        raise NotABackupError(f"{path} is no backup of a hub, or it was cut short; `onefold backup` makes one") from exc


def dump_pieces(path: Path) -> Iterator[bytes]:
    """The dump, piece by piece."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_DUMP) as member:
            while piece := member.read(_PIECE):
                yield piece
    except (zipfile.BadZipFile, KeyError, EOFError) as exc:
        raise DamagedBackupError(f"{path} is damaged ({exc}); take another backup") from exc


def check_dump(path: Path, manifest: Manifest) -> None:
    """Raises `DamagedBackupError` when the dump is not what was written."""
    digest = sha256()
    for piece in dump_pieces(path):
        digest.update(piece)
    if digest.hexdigest() != manifest.dump_sha256:
        raise DamagedBackupError(f"{path} was changed since it was written: its checksum differs; take another backup")
