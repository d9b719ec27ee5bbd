"""What people name on the command line, as sources: files, folders, databases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from onefold.errors import UsageError

_DRIVERS: Final = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_URL: Final = re.compile(r"[a-z][a-z0-9]*(?:\+\w+)?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Input:
    """One file or database, and the source it is configured as."""

    source: str
    """A source's name, made of the file's."""
    title: str
    """What people know it by: the file's name, the database's."""
    connector: str
    settings: Mapping[str, Any]
    """As configuration writes them: no secret."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variable -> value, of what `settings` only names."""


def inputs_of(words: Sequence[str]) -> list[Input]:
    """The sources of paths and URLs, in order; of a folder each readable file. UsageError for what is not there."""
    made: list[Input] = []
    taken: set[str] = set()
    for word in words:
        for one in [word] if _URL.match(word) else _files_of(Path(word).expanduser()):
            found = _database(one, taken) if isinstance(one, str) else _file(one, taken)
            titles = {known.title for known in made}
            again = next(n for n in count(2) if f"{found.title} ({n})" not in titles) if found.title in titles else None
            made.append(found if again is None else replace(found, title=f"{found.title} ({again})"))
            taken.add(found.source)
    return made


def _files_of(path: Path) -> Iterator[Path]:
    from connectors.files.find import format_of
    from connectors.files.settings import FileOptions

    options = FileOptions()
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder.")
    if not path.is_dir():
        if format_of(path, options) is None:
            raise UsageError(
                f"{path}: its ending tells no format.", "Read are csv, tsv, txt, xlsx, xls, ods, json, jsonl, parquet."
            )
        yield path
        return
    found = [one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith((".", "~$"))]
    readable = [one for one in found if format_of(one, options) is not None]
    if not readable:
        raise UsageError(f"{path}: no file in this folder is one that can be read.")
    yield from readable


def _file(path: Path, taken: set[str]) -> Input:
    return Input(_name(path.name.split(".")[0], taken), path.name, "files", {"path": str(path.resolve())})


def _database(url: str, taken: set[str]) -> Input:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = url.partition("://")
    url = f"{_DRIVERS.get(scheme.lower(), scheme)}://{rest}"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("A database's URL cannot be read.", "Such as postgresql://user:password@host/shop.") from None
    title = (parsed.database or "").rpartition("/")[2] or parsed.host or scheme
    name = _name(title.split(".")[0], taken)
    # A URL may hold a password, so that it stands in no file but .env.
    variable = f"{name.upper()}_URL"
    return Input(name, title, "sql", {"url": f"${{{variable}}}"}, {variable: url})


def _name(text: str, taken: set[str]) -> str:
    """Small Latin letters, digits and _, as a source is called; not taken yet."""
    from anyascii import anyascii

    plain = re.sub(r"[^a-z0-9]+", "_", anyascii(text).casefold()).strip("_")[:40] or "file"
    plain = plain if plain[0].isalpha() else f"f_{plain}"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    return name
