"""What the pages of one client ask beside `queries`: its story by any measure, one entry of it whole, what registers
said word for word, promises, totals, what people said, and how it was at a moment. Read-only, plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from warehouse.queries import Answer, Place, literally, place_parameters
from warehouse.sql import sql

MOST: Final = 200
"""Lines, copies, steps of a chain, versions, judgements and former names that are told at most."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of a story; None means all."""

    types: Sequence[str] | None = None
    source: str | None = None
    since: date | None = None
    until: date | None = None
    with_amount: bool = False
    words: str = ""
    """All of them stand in its number, summary, channel, key or detail."""

    def parameters(self) -> Answer:
        """As the statement takes them."""
        words = [f"%{literally(word)}%" for word in self.words.split()]
        own = {name: getattr(self, name) for name in ("source", "since", "until", "with_amount")}
        return {**own, "types": None if self.types is None else list(self.types), "words": words or None}


def story(
    conn: psycopg.Connection[Any], client_id: str, wanted: Filter, *, limit: int, after: Place | None = None
) -> tuple[list[Answer], Place | None]:
    """A page of what happened with the client, latest first, and where it ends; None: there is no more."""
    statement = sql("client_pages.story").format(fits=sql("client_pages.fits"))
    parameters = {"client_id": client_id, "limit": limit, **wanted.parameters(), **place_parameters(after)}
    rows = _all(conn, statement, parameters)
    return rows, Place(rows[-1]["occurred_at"], rows[-1]["record_id"]) if len(rows) == limit else None


def entry(conn: psycopg.Connection[Any], client_id: str, record_id: int) -> Answer | None:
    """One interaction of the client with its `lines`, its `chain` (what led to it and what followed, with days between)
    and its `copies` in other registers, itself among them. None: the client has no such interaction."""
    asked = {"client_id": client_id, "record_id": record_id, "limit": MOST}
    found = _one(conn, sql("client_pages.entry"), asked)
    if found is None:
        return None
    chain, event = found["chain_id"], found["event_id"]
    found["lines"] = _all(conn, sql("client_pages.lines"), asked)
    found["chain"] = [] if chain is None else _all(conn, sql("client_pages.chain"), {**asked, "chain_id": chain})
    found["copies"] = [] if event is None else _all(conn, sql("client_pages.copies"), {**asked, "event_id": event})
    return found


def payloads(conn: psycopg.Connection[Any], client_id: str, record_id: int) -> list[Answer]:
    """All versions of what a register said of a record of the client, or of an interaction of it, latest first; empty:
    it is none of the client's, or no register's own."""
    asked = {"client_id": client_id, "record_id": record_id, "limit": MOST}
    row = conn.execute(sql("client_pages.is_of_client"), asked).fetchone()
    return _all(conn, sql("client_pages.payloads"), asked) if row is not None and row[0] else []


def around(conn: psycopg.Connection[Any], view: Mapping[str, Any], *, today: date) -> dict[str, list[Answer]]:
    """Of a client as `queries.client_view` has it: `outcomes` of promises, `counted` totals by currency, former
    `names`, what people `judged`."""
    client_id, records = view["client_id"], [row["record_id"] for row in view["records"]]
    asked: Mapping[str, Any] = {
        "client_id": client_id, "client_ids": [client_id, *view["former_ids"]], "name": view["display_name"],
        "record_ids": records, "today": today, "limit": MOST,
    }  # fmt: skip
    parts = {"outcomes": "outcomes", "counted": "counted", "names": "former_names", "judged": "judged"}
    with conn.pipeline():
        sent = {part: _ask(conn, sql(f"client_pages.{name}"), asked) for part, name in parts.items()}
        return {part: cursor.fetchall() for part, cursor in sent.items()}


def versions(conn: psycopg.Connection[Any], client_id: str) -> list[Answer]:
    """The versions of a golden record, latest first; a merged-away client has them too."""
    return _all(conn, sql("client_pages.versions"), {"client_id": client_id, "limit": MOST})


def version_at(conn: psycopg.Connection[Any], client_id: str, at: datetime) -> Answer | None:
    """The golden record as it was known at a moment, with all `records` it had; None: there was no
    such client."""
    asked = {"client_id": client_id, "at": at}
    found = _one(conn, sql("client_pages.version_at"), asked)
    if found is not None:
        found["records"] = _all(conn, sql("client_pages.records_at"), asked)
    return found


def _all(conn: psycopg.Connection[Any], statement: SQL | Composed, parameters: Mapping[str, Any]) -> list[Answer]:
    return _ask(conn, statement, parameters).fetchall()


def _one(conn: psycopg.Connection[Any], statement: SQL | Composed, parameters: Mapping[str, Any]) -> Answer | None:
    return _ask(conn, statement, parameters).fetchone()


def _ask(
    conn: psycopg.Connection[Any], statement: SQL | Composed, parameters: Mapping[str, Any]
) -> psycopg.Cursor[Answer]:
    return conn.cursor(row_factory=dict_row).execute(statement, parameters)
