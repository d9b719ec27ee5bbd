"""What a page writes, in one call: its rows, their queue, its checkpoint. What cannot be stored is found by halving.

On the reading path, so it imports nothing but psycopg.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import errors

from warehouse import calls
from warehouse.connect import redact
from warehouse.pages import PIECE, PageRow, arrays_of, weight
from warehouse.rejects import Reject
from warehouse.sql import sql

# What jsonb refuses: NUL, lone surrogates, numbers out of range, too deep, too long.
NOT_STORABLE: Final = (errors.DataError, errors.ProgramLimitExceeded, errors.StatementTooComplex)


@dataclass(slots=True)
class Work:
    """One page on its way."""

    conn: psycopg.Connection[Any]
    place: Mapping[str, Any]
    """Parameters that every statement knows: source, stream, run_id, now, queue."""
    rejects: list[Reject] = field(default_factory=list)

    def execute(self, name: str, **parameters: Any) -> psycopg.Cursor[Any]:
        """A statement of `landing.sql`, which knows the page's place."""
        return self.conn.execute(sql(f"landing.{name}"), {**self.place, **parameters})


def store_what_can(work: Work, rows: Sequence[PageRow], *, is_new: bool) -> list[PageRow]:
    """What could be stored; the rest is found by halving, each try in a savepoint, and becomes rejects."""
    if len(rows) > 1 and weight(rows) > PIECE:
        return _halved(work, rows, is_new=is_new)
    if not rows:
        return []
    try:
        with work.conn.transaction():
            store(work, arrays_of(rows), superseded=ids_of(() if is_new else rows))
    except NOT_STORABLE as exc:
        if len(rows) == 1:
            work.rejects.append(_not_storable(rows[0], exc))
            return []
        return _halved(work, rows, is_new=is_new)
    return list(rows)


def _halved(work: Work, rows: Sequence[PageRow], *, is_new: bool) -> list[PageRow]:
    middle = len(rows) // 2
    return [row for half in (rows[:middle], rows[middle:]) for row in store_what_can(work, half, is_new=is_new)]


def ids_of(rows: Iterable[PageRow]) -> bytes:
    """Their ids as a parameter of `store`."""
    return calls.bigints([row.record_id for row in rows])


def store(
    work: Work,
    arrays: Mapping[str, bytes],
    *,
    superseded: bytes = calls.NO_BIGINTS,
    is_asked: bool = True,
    state: Mapping[str, Any] | None = None,
    pass_id: str | None = None,
    shown: Iterable[int] = (),
) -> tuple[int, int]:
    """Write rows, queue them and close their rejects; save the checkpoint; mark what a pass has shown. In one call.

    `superseded` are ids of rows that the hub holds in another version; not `is_asked`: ids of which that is not known
    yet, and UniqueViolation is raised where one is held as it is. How many moved, and how many of them were deleted.
    """
    place = work.place
    parameters = {
        **arrays,
        "source": place["source"],
        "stream": place["stream"],
        "queue": place["queue"],
        "run_id": str(place["run_id"]),
        "now": place["now"].isoformat(),
        "superseded": superseded,
        "is_asked": "t" if is_asked else "f",
        "state": None if state is None else json.dumps(dict(state)),
        "pass_id": pass_id,
        "shown": calls.bigints(list(shown)) if pass_id is not None else calls.NO_BIGINTS,
    }
    updated, revived = calls.call(work.conn, "landing.store", parameters)[0]
    return updated, revived


def _not_storable(row: PageRow, exc: BaseException) -> Reject:
    detail = f"The database cannot hold it as jsonb: {redact(exc)}."
    return Reject(row.payload, "not-storable", detail, f"key {row.key}", row.key, row.record_id)
