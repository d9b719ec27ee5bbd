"""Which files belong to a stream, and what is known of them."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import SourceConfigurationError
from connectors.files.settings import FileFormat, FileOptions

_FORMATS: dict[str, FileFormat] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".xlsb": "excel", ".ods": "excel",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip

_PACKED = (".gz", ".zip")
_EXCHANGES = ("enterprisedata", "commerceml")


def _is_input(path: Path, options: FileOptions) -> bool:
    """A file of a folder is one to read: an exchange's folder holds more than its messages."""
    if options.format in _EXCHANGES:
        return path.suffix.lower() in (".xml", *_PACKED)
    return format_of(path, options) is not None


def format_of(path: Path, options: FileOptions) -> FileFormat | None:
    """The format by configuration, else by the file's ending (`.gz` and `.zip` aside); None if unknown."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _PACKED]
    return options.format or _FORMATS.get(suffixes[-1] if suffixes else "")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a changed file from an unchanged one."""

    size: int
    mtime_ns: int
    digest: str

    def as_state(self) -> dict[str, Any]:
        """As the checkpoint holds it."""
        return {"size": self.size, "mtime_ns": self.mtime_ns, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a stream under names that do not change with the machine."""

    files: dict[str, Path]
    is_single: bool
    """The configuration names exactly one file, not a glob or a directory."""


def find_files(pattern: str, base: Path | None, options: FileOptions, source: str, stream: str) -> Found:
    """Files of a path, glob or directory, sorted by name. Raises SourceConfigurationError if there can be
    none."""
    path = Path(pattern).expanduser()
    root = base if base is not None and not path.is_absolute() else Path()
    full = root / path
    if full.is_dir():
        inside = [item for item in full.rglob("*") if item.is_file() and _is_input(item, options)]
        return Found(_named(inside, full), is_single=False)
    if not full.exists() and glob.has_magic(pattern):
        fixed = _fixed_part(full)
        if not fixed.is_dir():
            raise SourceConfigurationError(
                f"there is no directory {fixed.name!r}", source=source, stream=stream, place=pattern
            )
        inside = [Path(item) for item in glob.glob(str(full), recursive=True)]  # noqa: PTH207 - takes absolute patterns
        return Found(_named([item for item in inside if item.is_file()], fixed), is_single=False)
    if not full.is_file():
        hint = "Check `path`; a relative one starts at the folder that holds config/"
        raise SourceConfigurationError("there is no such file", source=source, stream=stream, place=pattern, hint=hint)
    return Found({full.name: full}, is_single=True)


def _named(paths: list[Path], root: Path) -> dict[str, Path]:
    visible = [path for path in paths if not path.name.startswith((".", "~$"))]
    return {path.relative_to(root).as_posix(): path for path in sorted(visible)}


def _fixed_part(pattern: Path) -> Path:
    parts: list[str] = []
    for part in pattern.parts:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def fingerprint(path: Path, known: dict[str, Any] | None) -> Fingerprint:
    """The file's size, time and digest; an unchanged size and time spare the reading."""
    stat = path.stat()
    if known and known.get("size") == stat.st_size and known.get("mtime_ns") == stat.st_mtime_ns:
        return Fingerprint(stat.st_size, stat.st_mtime_ns, str(known["digest"]))
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return Fingerprint(stat.st_size, stat.st_mtime_ns, digest)
