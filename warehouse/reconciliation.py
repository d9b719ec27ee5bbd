"""Whether everything that came is served: rows and control sums of every stream, stage by stage.

Counting reads every record, and the amounts as the source says them need the mapping, which the caller brings. So it
is done when somebody asks, and kept; the served views show what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from warehouse.arrays import bigints
from warehouse.clock import one_view
from warehouse.sql import sql

RECONCILING: Final = 0x7265636F6E63
"""Key of the lock under which is reconciled."""
CHUNK = 20_000
"""Records that are handed to the mapping at a time."""


class Stated(NamedTuple):
    """A configured stream, and what it is mapped to: party, interaction, relationship; none: it is only landed."""

    source: str
    stream: str
    kind: str


class Found(NamedTuple):
    """A living record of the source, with the amount of its interaction as it is stored."""

    record_id: int
    source_key: str
    payload: bytes
    source_updated_at: datetime | None
    amount: Decimal | None


class Judged(NamedTuple):
    """A record without a standard form, after another look: left_out, rejected, or as it was taken for."""

    record_id: int
    reason: str
    amount: Decimal | None


@dataclass(frozen=True)
class Reconciliation:
    """One reconciliation that is under way, in a transaction of its own that sees one moment."""

    conn: psycopg.Connection[Any]

    def missing(self, place: Stated) -> Iterator[list[Found]]:
        """Living records of a stream that have no standard form and were not refused, chunk by chunk."""
        return self._chunks("missing_records", {"source": place.source, "stream": place.stream})

    def known(self, place: Stated, name: str | None) -> Iterator[list[Found]]:
        """Living records of a stream with their interaction's amount, chunk by chunk.

        `name`: the payload's key under which the amount stands, if it is that simple; then only those come whose amount
        is no plain number there, or another than is stored.
        """
        statement = "known_records" if name is None else "known_records_to_read"
        return self._chunks(statement, {"source": place.source, "stream": place.stream, "name": name})

    def judge(self, found: Sequence[Judged]) -> None:
        """Say what became of records that `missing` gave."""
        ids, reasons, amounts = ([getattr(one, part) for one in found] for part in Judged._fields)
        self.conn.execute(
            sql("reconciliation.judge"), {"record_ids": bigints(ids), "reasons": reasons, "amounts": amounts}
        )

    def differ(self, place: Stated, found: Sequence[tuple[int, Decimal | None, Decimal | None]]) -> None:
        """Say that the source's amounts of records are others than those that are stored."""
        parameters = {
            "source": place.source,
            "stream": place.stream,
            "record_ids": bigints([one[0] for one in found]),
            "raw_amounts": [one[1] for one in found],
            "standard_amounts": [one[2] for one in found],
        }
        self.conn.execute(sql("reconciliation.other_amounts"), parameters)

    def store(self, run_id: int, at: datetime) -> None:
        """Count every stage and keep it under `run_id`; the rows behind the differences take the place of the last."""
        for statement in ("find_unlinked", "find_open", "store", "forget_rows", "store_rows"):
            self.conn.execute(sql(f"reconciliation.{statement}"), {"run_id": run_id, "at": at})

    def _chunks(self, statement: str, parameters: dict[str, Any]) -> Iterator[list[Found]]:
        with self.conn.cursor(f"reconciliation_{statement}") as cursor:
            cursor.execute(sql(f"reconciliation.{statement}"), parameters)
            while rows := cursor.fetchmany(CHUNK):
                yield [Found(*row) for row in rows]


@contextmanager
def begin(conn: psycopg.Connection[Any], streams: Sequence[Stated]) -> Iterator[Reconciliation]:
    """A reconciliation of these streams and of whatever else has landed; committed at the end of the block.

    Another one waits for its end.
    """
    with one_view(conn, RECONCILING):
        conn.execute(sql("reconciliation.make_tables"))
        sources, names, kinds = ([getattr(one, part) for one in streams] for part in Stated._fields)
        conn.execute(sql("reconciliation.state_streams"), {"sources": sources, "streams": names, "kinds": kinds})
        for statement in ("find_missing", "find_surplus"):
            conn.execute(sql(f"reconciliation.{statement}"))
        yield Reconciliation(conn)


def last(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The streams of the last reconciliation as report_reconciliation has them, by source and stream."""
    return conn.cursor(row_factory=dict_row).execute(sql("reconciliation.streams")).fetchall()


def rows_behind(
    conn: psycopg.Connection[Any], source: str, stream: str | None, reason: str | None, *, limit: int
) -> list[dict[str, Any]]:
    """The records behind the numbers of the last reconciliation."""
    parameters = {"source": source, "stream": stream, "reason": reason, "limit": limit}
    return conn.cursor(row_factory=dict_row).execute(sql("reconciliation.rows"), parameters).fetchall()
