"""Files in which others say what they call our records: one line per record, with an id that they give it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from onefold.errors import OnefoldError, UsageError

NaturalKey = tuple[str, str, str]
"""Source, stream and key of a record."""

_WHOLE = "record_id"
_PARTS = ("source", "stream", "key")


@dataclass(frozen=True, slots=True)
class NamedIds:
    """The ids of a file, by the position of the record that each line names."""

    of: dict[int, str]
    """Position in the natural keys asked about -> the file's id."""
    unknown: tuple[str, ...]
    """Names that no record has, in the file's order."""


def read_named_ids(path: Path, column: str = "entity_id") -> dict[str, str]:
    """Name of a record -> its value of `column`, of a CSV in UTF-8 with a header.

    A record is named by `record_id` (`source:stream:key`, `source:key` or the key alone) or by the columns `source`,
    `stream` (which may be left out) and `key`. Raises UsageError naming file and line for what cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    found: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, name, value in _lines(path, file, column):
            if name in found:
                raise UsageError(f"{path}:{line}: {name} stands twice.")
            found[name] = value
    return found


def _lines(path: Path, file: TextIO, column: str) -> Iterator[tuple[int, str, str]]:
    reader = csv.DictReader(file)
    try:
        columns = set(reader.fieldnames or ())
        in_parts = columns.issuperset({"source", "key"}) and _WHOLE not in columns
        wanted = tuple(name for name in _PARTS if name in columns) if in_parts else (_WHOLE,)
        if missing := {*wanted, column} - columns:
            raise UsageError(
                f"{path}:1: no column {' and '.join(sorted(missing))}.",
                f"It has: {reader.fieldnames}.",
            )
        for row in reader:
            parts = [row[name] for name in (*wanted, column)]
            if not all(parts):
                raise UsageError(f"{path}:{reader.line_num}: no {' or '.join((*wanted, column))}.")
            yield reader.line_num, ":".join(parts[:-1]), parts[-1]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8.", "Save the file as UTF-8.") from None
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}.") from None


def match_named_ids(path: Path, named: dict[str, str], natural_keys: Sequence[NaturalKey]) -> NamedIds:
    """The records that the names of `path` mean; sources and keys compare without case.

    Raises OnefoldError for a name that several records have, and for two names of one record.
    """
    names = name_index(natural_keys)
    of: dict[int, str] = {}
    unknown = []
    for name, value in named.items():
        position = names.get(name.casefold())
        if position is None:
            unknown.append(name)
        elif position < 0:
            raise OnefoldError(f"{path}: {name} names several records.", "Write source:stream:key.")
        elif of.setdefault(position, value) != value:
            raise OnefoldError(f"{path}: {name} stands twice, under two names.")
    return NamedIds(of, tuple(unknown))


def name_index(natural_keys: Sequence[NaturalKey]) -> dict[str, int]:
    """Every way to name a record, without case -> its position; -1 where several records are called so.

    What is one record's name in full is nobody's short name.
    """
    full: dict[str, int] = {}
    for position, (source, stream, key) in enumerate(natural_keys):
        name = f"{source}:{stream}:{key}".casefold()
        full[name] = -1 if name in full else position
    short: dict[str, int] = {}
    for position, (source, _, key) in enumerate(natural_keys):
        for name in (f"{source}:{key}".casefold(), key.casefold()):
            if short.setdefault(name, position) != position:
                short[name] = -1
    return short | full
