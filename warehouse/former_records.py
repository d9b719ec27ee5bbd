"""Former versions of records that have changed their identity (recycled keys), kept as records of their own.

Such a record has a standard form and identifiers, a client and a place in the judgements that were said of the version,
but nothing in `raw`: interactions from before the change stay with its client.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from warehouse.arrays import bigints
from warehouse.keys import record_id
from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class Formers:
    """Which former versions came and went: record -> former version."""

    kept: dict[int, int]
    dropped: dict[int, int]

    @property
    def record_ids(self) -> list[int]:
        """All of them, the records included; ascending."""
        return sorted({i for pairs in (self.kept, self.dropped) for pair in pairs.items() for i in pair})

    @property
    def renamed(self) -> dict[int, int]:
        """Who bears now what another one bore: the former version its record's client, and when it goes, the other way
        round."""
        return {**self.kept, **{former: record for record, former in self.dropped.items()}}


def bring_up_to_date(conn: psycopg.Connection[Any], *, at: datetime) -> Formers:
    """Keep the versions that suspended judgements speak of, and drop those that none speaks of any more unless a human
    has confirmed them. `at`: when they ended, for records that do not say when they changed. Writes nothing where
    nothing is to do."""
    dropped = {record: former for former, record in conn.execute(sql("former_records.drop_obsolete")).fetchall()}
    if dropped:
        gone = {"record_ids": bigints(list(dropped.values()))}
        conn.execute(sql("standard.drop_parties"), gone)
        conn.execute(sql("standard.drop_identifiers"), gone)
    missing = conn.execute(sql("former_records.missing")).fetchall()
    if not missing:
        return Formers({}, dropped)
    keys = [former_key(key, content_hash) for _, _, content_hash, _, _, key in missing]
    records = [row[1] for row in missing]
    former_ids = [record_id(row[3], row[4], key) for row, key in zip(missing, keys, strict=True)]
    parameters = {
        "former_ids": former_ids,
        "judgement_ids": [row[0] for row in missing],
        "record_ids": records,
        "hashes": [row[2] for row in missing],
        "keys": keys,
        "at": at,
    }
    for statement in ("keep", "keep_records", "keep_identifiers"):
        conn.execute(sql(f"former_records.{statement}"), parameters)
    return Formers(dict(zip(records, former_ids, strict=True)), dropped)


def former_key(source_key: str, content_hash: str) -> str:
    """The key of a former version beside the record's: the same whenever the record was the same."""
    return f"{source_key} (was {content_hash[:8]})"


def confirm(conn: psycopg.Connection[Any], record: int) -> None:
    """A human has said that the record is somebody else now: its former versions stay, whatever becomes of it."""
    conn.execute(sql("former_records.confirm"), {"record_id": record})
