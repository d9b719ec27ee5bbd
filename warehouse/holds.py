"""Runs that would change too much: what they landed is set aside, kept, and brought back when a person says so.

A sync lands pages into `raw` and queues them as `landed`. When its stream has come to its end they are compared with
the versions before (`landed_news`); what is within the limits is passed on to standardise, what is not is set aside in
`raw.held_record`, and `raw.record` stands as before. The same is done with what several syncs landed when it shows
later, in resolve or publish, that it changes too much, and with what a person takes back.

On the reading path, so it imports nothing but psycopg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.arrays import bigints
from warehouse.sql import sql

LANDED: Final = "landed"
"""The queue of what no limit has looked at yet."""
Finding = Mapping[str, Any]
"""What went beyond a limit: limit, allowed, count, of; source, stream, field, client_id, examples where they apply."""
Taken = Literal["landed", "taken_in", "published"]
"""How far versions have come that are set aside: only landed, taken in by standardise, or published."""


class News(NamedTuple):
    """How many records of a stream changed since its last run that passed."""

    changed: int
    deleted: int
    updated: int
    new: int


class HeldVersion(NamedTuple):
    """A version that is aside, and what stands in its place."""

    digest: bytes
    is_deleted: bool
    standing: bytes | None
    """Digest of the record as it stands; None: there is none, or it is deleted."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """Values of one field that are gone."""

    path: tuple[str, ...]
    count: int
    of: int
    """Records of the stream that had a value before."""


def passed_run(conn: psycopg.Connection[Any], source: str, stream: str) -> int | None:
    """The last run of a stream whose pages passed; None: its first load is not whole yet."""
    row = conn.execute(sql("holds.passed_run"), {"source": source, "stream": stream}).fetchone()
    return None if row is None else row[0]


def set_passed(conn: psycopg.Connection[Any], source: str, stream: str, run_id: int) -> None:
    """What is landed of the stream up to this run is within the limits."""
    conn.execute(sql("holds.set_passed"), {"source": source, "stream": stream, "run_id": run_id})


@contextmanager
def landed_news(conn: psycopg.Connection[Any], source: str, stream: str, passed: int) -> Iterator[News]:
    """What was landed of a stream since the run `passed`; in the block `emptied`, `examples`, `pass_on` and `set_aside`
    are about it. Inside a transaction."""
    conn.execute(sql("holds.find_landed"), {"source": source, "stream": stream, "passed": passed})
    conn.execute(sql("holds.look_over"))
    row = conn.execute(sql("holds.count_news")).fetchone()
    assert row is not None
    yield News(*row)
    conn.execute(sql("holds.drop_news"))


@contextmanager
def news_of_runs(conn: psycopg.Connection[Any], runs: Mapping[int, str]) -> Iterator[int]:
    """What these syncs (run -> source) landed and nobody has changed since: how many records. As `landed_news`."""
    parameters = {"run_ids": bigints(runs), "sources": sorted(set(runs.values()))}
    conn.execute(sql("holds.find_of_runs"), parameters)
    conn.execute(sql("holds.look_over"))
    row = conn.execute(sql("holds.count_news")).fetchone()
    assert row is not None
    yield int(row[0])
    conn.execute(sql("holds.drop_news"))


def emptied(conn: psycopg.Connection[Any], source: str, stream: str, *, at_least: int) -> list[Emptied]:
    """Fields of which more than `at_least` of the records in question have lost their value."""
    found = conn.execute(sql("holds.emptied"), {"at_least": at_least}).fetchall()
    if not found:
        return []
    paths = Jsonb([list(path) for path, _, _ in found])
    place = {"source": source, "stream": stream, "paths": paths}
    others = dict(conn.execute(sql("holds.filled_elsewhere"), place).fetchall())
    return [
        Emptied(tuple(path), count, filled + others.get(number, 0))
        for number, (path, filled, count) in enumerate(found, start=1)
    ]


def examples(conn: psycopg.Connection[Any], what: str) -> list[int]:
    """Some of the records in question: those that are deleted, or for another limit those that are not."""
    return [row[0] for row in conn.execute(sql("holds.examples"), {"what": what})]


def pass_on(conn: psycopg.Connection[Any]) -> None:
    """The records in question go on to standardise."""
    conn.execute(sql("holds.pass"))


def set_aside(conn: psycopg.Connection[Any], hold_id: int, how: Taken, *, now: datetime) -> None:
    """The records in question stand as before; what was landed of them is kept for the hold.

    What was published stays as history. What was taken in goes through standardise once more. Under the locks of the
    sources.
    """
    parameters = {"hold_id": hold_id, "now": now if how == "published" else None}
    conn.execute(sql("holds.keep_aside"), parameters)
    if how == "published":
        conn.execute(sql("holds.keep_versions"), parameters)
    conn.execute(sql("holds.bring_back"), parameters)
    conn.execute(sql("holds.forget_new" if how == "landed" else "holds.bury_new"), parameters)
    if how != "published":
        conn.execute(sql("holds.forget_versions"))
    conn.execute(sql("holds.take_out"))
    if how != "landed":
        conn.execute(sql("holds.look_again"))


def client_count(conn: psycopg.Connection[Any]) -> int:
    """How many clients there are."""
    row = conn.execute(sql("holds.clients")).fetchone()
    return int(row[0]) if row else 0


def may_have_left(conn: psycopg.Connection[Any], source: str, passed: int, run_id: int) -> bool:
    """Whether a sync of the source between these runs did not come to its end: what it landed may wait still."""
    parameters = {"source": source, "passed": passed, "run_id": run_id}
    row = conn.execute(sql("holds.has_unfinished"), parameters).fetchone()
    return row is not None and bool(row[0])


def may_be_taken_in(conn: psycopg.Connection[Any], source: str, passed: int) -> bool:
    """Whether a standardise may have looked at what a source landed since its run `passed`, though it had not passed:
    one that ran beside it, for another reason."""
    row = conn.execute(sql("holds.is_being_standardised"), {"source": source, "passed": passed}).fetchone()
    return row is not None and bool(row[0])


def held_of(conn: psycopg.Connection[Any], source: str, stream: str) -> dict[int, HeldVersion]:
    """The versions of a stream that are aside, by record."""
    rows = conn.execute(sql("holds.held_of"), {"source": source, "stream": stream})
    return {
        record: HeldVersion(digest, gone, standing if not is_gone else None)
        for record, digest, gone, standing, is_gone in rows
    }


def forget_held(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, now: datetime) -> None:
    """The source says otherwise of these records now: what was aside of them is gone, and a hold of which nothing is
    left is settled."""
    rows = conn.execute(sql("holds.forget_held"), {"record_ids": bigints(record_ids)}).fetchall()
    if rows:
        conn.execute(sql("holds.settle_empty"), {"hold_ids": bigints({row[0] for row in rows}), "now": now})


def hold(
    conn: psycopg.Connection[Any],
    run_id: int,
    *,
    cause: str,
    findings: Sequence[Finding],
    run_ids: Sequence[int],
    now: datetime,
    taken_back_by: str | None = None,
) -> None:
    """Remember the hold of a run: open for a person's word, or `rolled_back` by one."""
    conn.execute(
        sql("holds.hold"),
        {
            "run_id": run_id,
            "cause": cause,
            "state": "open" if taken_back_by is None else "rolled_back",
            "findings": Jsonb([dict(one) for one in findings]),
            "run_ids": bigints(run_ids),
            "now": now,
            "decided_at": now if taken_back_by is not None else None,
            "by": taken_back_by,
        },
    )


def open_holds(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The holds that wait for a person, oldest first."""
    return conn.cursor(row_factory=dict_row).execute(sql("holds.holds"), {"run_id": None}).fetchall()


def find_hold(conn: psycopg.Connection[Any], run_id: int) -> dict[str, Any] | None:
    """The hold of one run with what is aside by stream (`streams`), if it has one."""
    found = conn.cursor(row_factory=dict_row).execute(sql("holds.holds"), {"run_id": run_id}).fetchone()
    if found is not None:
        rows = conn.execute(sql("holds.held_streams"), {"run_id": run_id}).fetchall()
        found["streams"] = [
            {"source": source, "stream": stream, "records": count, "deleted": deleted}
            for source, stream, count, deleted in rows
        ]
    return found


def settle_rules(conn: psycopg.Connection[Any], *, now: datetime) -> None:
    """What the rules in force make is within the limits again."""
    conn.execute(sql("holds.settle_rules"), {"now": now})


def decide(conn: psycopg.Connection[Any], run_id: int, state: str, *, seen: str, by: str, now: datetime) -> bool:
    """A person's word about a hold that was seen in the state `seen`; False: it is in another by now."""
    parameters = {"run_id": run_id, "state": state, "seen": seen, "by": by, "now": now}
    return conn.execute(sql("holds.decide"), parameters).rowcount == 1


def take_in(conn: psycopg.Connection[Any], run_id: int, run_ids: Sequence[int], *, now: datetime) -> int:
    """What is aside of a hold stands from now on, and goes to standardise; how many records. Under the locks of the
    sources."""
    parameters = {"run_id": run_id, "now": now, "run_ids": bigints(run_ids)}
    for statement in ("supersede", "drop_superseded"):
        conn.execute(sql(f"holds.{statement}"), parameters)
    count = conn.execute(sql("holds.take_in"), parameters).rowcount
    conn.execute(sql("holds.unpublish"), parameters)
    return count


def unpublished(conn: psycopg.Connection[Any]) -> dict[int, str]:
    """The syncs whose records no publication has shown yet, with their sources."""
    return dict(conn.execute(sql("holds.unpublished")).fetchall())


def is_first_load(conn: psycopg.Connection[Any]) -> bool:
    """Whether what is not published yet holds the first load of a source."""
    row = conn.execute(sql("holds.is_first_load")).fetchone()
    return row is not None and bool(row[0])


def mark_published(conn: psycopg.Connection[Any], run_id: int) -> None:
    """Where nothing waits any more this publication has shown what the syncs landed. With its last chunk."""
    conn.execute(sql("holds.mark_published"), {"run_id": run_id})


def mark_held(conn: psycopg.Connection[Any], hold_id: int, run_ids: Sequence[int]) -> None:
    """What these syncs landed is aside: no publication will show it."""
    conn.execute(sql("holds.mark_held"), {"hold_id": hold_id, "run_ids": bigints(run_ids)})


def find_run(conn: psycopg.Connection[Any], run_id: int) -> dict[str, Any] | None:
    """One row of ops.run."""
    return conn.cursor(row_factory=dict_row).execute(sql("holds.run"), {"run_id": run_id}).fetchone()


def last_runs(
    conn: psycopg.Connection[Any], *, source: str | None, trace_id: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """Runs (of a source, of a trace), newest first, with the state of their holds."""
    parameters = {"source": source, "trace_id": trace_id, "limit": limit}
    return conn.cursor(row_factory=dict_row).execute(sql("holds.runs"), parameters).fetchall()


def shown_by(conn: psycopg.Connection[Any], run_id: int) -> dict[int, str]:
    """The syncs that a run stands for, with their sources: itself, or those that it published."""
    return dict(conn.execute(sql("holds.shown_by"), {"run_id": run_id}).fetchall())


def changed_since(conn: psycopg.Connection[Any], runs: Mapping[int, str]) -> int:
    """How many of the records that these syncs landed later ones have landed again."""
    parameters = {"run_ids": bigints(runs), "sources": sorted(set(runs.values()))}
    row = conn.execute(sql("holds.changed_since"), parameters).fetchone()
    return int(row[0]) if row else 0
