"""Versions of the match model in `identity.model`: saved once, one of them current."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb, set_json_loads

from warehouse.keys import fingerprint
from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A saved version."""

    version: int
    kind: str
    body: Mapping[str, Any]
    is_current: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """That there is a version, without its body."""

    version: int
    kind: str
    is_current: bool
    created_at: datetime
    fingerprint: str


def versions(conn: psycopg.Connection[Any], *, limit: int) -> list[Version]:
    """The last versions, and the one in use, newest first; no body is read."""
    return [Version(*row) for row in conn.execute(sql("match_models.versions"), {"limit": limit})]


def save(conn: psycopg.Connection[Any], kind: str, body: Mapping[str, Any], *, at: datetime) -> int:
    """Save a model, under the hub lock; its version. The same body again gives the version that it has
    already.
    """
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    row = conn.execute(
        sql("match_models.save"),
        {"kind": kind, "body": Jsonb(dict(body)), "print": fingerprint(kind, canonical), "at": at},
    ).fetchone()
    assert row is not None
    return int(row[0])


def use(conn: psycopg.Connection[Any], version: int) -> None:
    """Make a version the current one; nothing is written if it is."""
    conn.execute(sql("match_models.retire"), {"version": version})
    conn.execute(sql("match_models.use"), {"version": version})


def current(conn: psycopg.Connection[Any]) -> StoredModel | None:
    """The version that resolve uses; None before the first."""
    with conn.cursor() as cursor:
        set_json_loads(msgspec.json.decode, cursor)  # megabytes, in a third of the time
        row = cursor.execute(sql("match_models.current")).fetchone()
    return None if row is None else StoredModel(*row)


def of_version(conn: psycopg.Connection[Any], version: int) -> StoredModel | None:
    """One version; None: there is none of that number."""
    row = conn.execute(sql("match_models.of_version"), {"version": version}).fetchone()
    return None if row is None else StoredModel(*row)


def current_head(conn: psycopg.Connection[Any]) -> StoredModel | None:
    """The version that resolve uses as `made_with` gives it; None before the first."""
    row = conn.execute(sql("match_models.current_head")).fetchone()
    return None if row is None else StoredModel(*row)


def in_use(conn: psycopg.Connection[Any]) -> tuple[int, str] | None:
    """Version and kind of the one that resolve uses; None before the first. Nothing of its body is unpacked, which
    takes longer than most pages."""
    row = conn.execute(sql("match_models.in_use")).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def saved(conn: psycopg.Connection[Any]) -> list[StoredModel]:
    """All versions, oldest first."""
    return [StoredModel(*row) for row in conn.execute(sql("match_models.saved"))]


def made_with(conn: psycopg.Connection[Any]) -> list[StoredModel]:
    """All versions, oldest first; of each body only what it says of its making, `made_with`: the rest is megabytes."""
    return [StoredModel(*row) for row in conn.execute(sql("match_models.made_with"))]
