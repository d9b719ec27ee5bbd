"""SQL in files under names.

`sql("landing.probe")` is the statement under `-- name: probe` in `landing.sql`; for a line `-- as: file.statement`
stands what is under that name. A file under `definitions/` holds functions and views that are installed whole (see
`migrate.py`).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from psycopg.sql import SQL, Identifier

_NAME: Final = re.compile(r"^-- name: ([a-z0-9_]+)\s*$", re.MULTILINE)
_AS: Final = re.compile(r"^ *-- as: ([a-z0-9_.]+)\s*$", re.MULTILINE)


@cache
def sql(name: str) -> SQL:
    """The statement `file.statement`; KeyError names what is missing. Identifiers go in by `.format(...)`."""
    # SQL() asks for a literal so that nobody composes statements; a packaged file is one.
    return SQL(_text(name))


def qualified(table: str) -> Identifier:
    """`schema.table` as an identifier."""
    return Identifier(*table.split("."))


@cache
def definitions() -> dict[str, str]:
    """The files that are installed whole, in the order in which they depend on each other (by name)."""
    folder = files(__package__) / "definitions"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name.removesuffix(".sql"): (folder / name).read_text("utf-8") for name in names}


def _text(name: str) -> str:
    file, _, statement = name.partition(".")
    try:
        body = _statements(file)[statement]
    except (KeyError, FileNotFoundError):
        raise KeyError(f"no SQL statement {name}") from None
    return _AS.sub(lambda found: _text(found[1]), body)


@cache
def _statements(file: str) -> dict[str, str]:
    parts = _NAME.split((files(__package__) / f"{file}.sql").read_text("utf-8"))
    if len(set(parts[1::2])) != len(parts[1::2]):
        raise ValueError(f"{file}.sql names a statement twice")
    return {name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}
