"""Tokens that sources hand out (`ops.source_token`), one source at a time under a lock of the session.

A token is a secret: only the writer's role reads the table, and no dump or export holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from warehouse.sql import sql


@contextmanager
def token_lock(conn: psycopg.Connection[Any], source: str) -> Iterator[None]:
    """Wait for the source's token, and keep everybody else waiting; ends with the session even after kill -9."""
    key = {"key": int.from_bytes(blake2b(b"token lock " + source.encode(), digest_size=8).digest(), "big", signed=True)}
    conn.execute(sql("tokens.lock"), key)
    try:
        yield
    finally:
        conn.execute(sql("tokens.unlock"), key)


def saved_token(conn: psycopg.Connection[Any], source: str) -> Mapping[str, Any] | None:
    """What was saved last."""
    row = conn.execute(sql("tokens.saved"), {"source": source}).fetchone()
    return row[0] if row else None


def save_token(conn: psycopg.Connection[Any], source: str, token: Mapping[str, Any]) -> None:
    """Keep a token; on a connection without an open transaction it is durable when this returns."""
    conn.execute(sql("tokens.save"), {"source": source, "token": Jsonb(dict(token))})
