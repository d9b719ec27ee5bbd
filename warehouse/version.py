"""Which version of the tables a database has, and which one this package brings. Imports neither Alembic nor
SQLModel.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import psycopg

from warehouse.sql import definitions, sql


@cache
def packaged_revision() -> str:
    """The newest migration of this package and a digest of its SQL definitions: `0003+5f1c...`."""
    names = [entry.name for entry in (files("warehouse") / "migrations" / "versions").iterdir()]
    newest = max(name.partition("_")[0] for name in names if name[:4].isdigit() and name.endswith(".py"))
    return f"{newest}+{definitions_digest()}"


@cache
def definitions_digest() -> str:
    """A digest of all SQL definitions."""
    state = blake2b(digest_size=16)
    for name, text in definitions().items():
        state.update(f"{name}\x00{text}\x00".encode())
    for name in ("served.sql", "glossary.tsv"):
        state.update((files("warehouse") / "sql" / name).read_bytes())
    return state.hexdigest()


def installed_revision(conn: psycopg.Connection[Any]) -> str | None:
    """The same of a database; None where no migration has run."""
    row = conn.execute(sql("version.is_there")).fetchone()
    if row is None or not row[0]:
        return None
    row = conn.execute(sql("version.installed")).fetchone()
    return None if row is None else str(row[0])


def is_newer(installed: str, packaged: str) -> bool:
    """The tables are of a later migration than this package brings."""
    return installed.partition("+")[0] > packaged.partition("+")[0]


def newer_hub(installed: str) -> str:
    """What to say of such a hub."""
    return (
        f"The hub's tables are of version {installed[:4]}, this Onefold knows {packaged_revision()[:4]}:"
        " a newer version has migrated it. Upgrade Onefold here, or restore a backup that was made before"
    )
