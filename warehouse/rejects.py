"""Records that a sync could not land: kept with their bytes, told, and closed once the source mends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from warehouse.keys import fingerprint
from warehouse.sql import sql


class Reject(NamedTuple):
    """What cannot be a row of a stream, with its bytes."""

    payload: bytes
    reason: str
    detail: str
    place: str
    key: str | None = None
    record_id: int | None = None


def add_rejects(
    conn: psycopg.Connection[Any],
    place: Mapping[str, Any],
    rejects: Sequence[Reject],
    snapshot: tuple[str, bool] | None,
) -> None:
    """Keep each reject once: the same bytes at the same place for the same reason are the same reject.

    A pass over the whole stream marks what it showed: at its end the others are mended, whether or not they had a key.
    """
    if not rejects:
        return
    stream = (place["source"], place["stream"])

    def execute(name: str, **parameters: Any) -> None:
        conn.execute(sql(f"landing.{name}"), {**place, **parameters})

    fingerprints = [fingerprint(*stream, "sync", r.place, r.reason, payload=r.payload) for r in rejects]
    execute(
        "add_rejects",
        fingerprints=fingerprints,
        keys=[_text(r.key) for r in rejects],
        record_ids=[r.record_id for r in rejects],
        reasons=[r.reason for r in rejects],
        details=[_text(r.detail) for r in rejects],
        places=[_text(r.place) for r in rejects],
        payloads=[r.payload for r in rejects],
    )
    execute("reopen_rejects", fingerprints=fingerprints)
    if snapshot is not None:
        execute("mark_rejects", pass_id=snapshot[0], fingerprints=fingerprints)


def _text(value: str | None) -> str | None:
    """Text that PostgreSQL can hold, for words *about* bytes that it cannot; the bytes themselves are kept as
    bytea.
    """
    return None if value is None else value.encode("utf-8", "replace").decode().replace("\x00", "?")
