"""Pages of source records into `raw`, each with its checkpoint in one transaction.

On the reading path, so it imports nothing but psycopg: no pyarrow, SQLModel or Alembic. A page that is thought to be
news goes in one call, unasked; of any other the ids are probed by primary key first, and what is unchanged does not
travel to the server again. What is unchanged writes nothing either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from warehouse import calls
from warehouse.arrays import bigints
from warehouse.echoes import EchoTest, Read, take_echoes
from warehouse.keys import record_id_list, record_ids
from warehouse.pages import NO_ROWS, PIECE, PageRow, Prepared, RowTuple, arrays_of, plain_rows, prepare, weight
from warehouse.queue import enqueue
from warehouse.rejects import Reject, add_rejects
from warehouse.sql import sql
from warehouse.storing import NOT_STORABLE, Work, ids_of, store, store_what_can

ScopeTuple: TypeAlias = tuple[Mapping[str, str], str | None, Sequence[str], str]
"""match, member, values, origin; as `connectors.page.Scope`."""
RejectTuple: TypeAlias = tuple[bytes, str, str, str]
"""payload, reason, detail, place; as `connectors.page.RejectedRow`."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What one page did. `revived` are those of `updated` that had been deleted; `rejected` counts repeats
    too; `echoed` are those of `unchanged` that only brought back what the hub had written.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    revived: int = 0
    echoed: int = 0


class _Known(NamedTuple):
    record_id: int
    digest: bytes
    is_deleted: bool
    source: str
    stream: str
    key: str


@contextmanager
def flushed_together(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Commits inside do not wait for the disk; the first commit after the block does, for itself and for them all.

    A crash of the server may take the last pages back, each with its checkpoint: the next run reads them again.
    """
    conn.execute("SET synchronous_commit = off")
    yield
    # Not after an error: the connection may be gone, and its owner closes it.
    conn.execute("RESET synchronous_commit")


def land_page(
    conn: psycopg.Connection[Any],
    *,
    run_id: int,
    source: str,
    stream: str,
    rows: Sequence[RowTuple],
    tombstones: Sequence[str] = (),
    rejects: Sequence[RejectTuple] = (),
    state: Mapping[str, Any],
    snapshot: tuple[str, bool] | None = None,
    now: datetime,
    echo: EchoTest | None = None,
    scope: ScopeTuple | None = None,
    shown: Sequence[str] | None = None,
    prepared: Prepared | None = None,
    queue: str = "standardise",
) -> Landed:
    """Land rows, tombstones, rejects and the state to resume from, all or nothing (a savepoint inside a
    transaction).

    A row whose digest is the stored one writes nothing. A key that stands twice on a page counts once, the
    last one wins; a key that is also a tombstone is landed deleted. `snapshot` is (pass_id, is_complete): the
    last page of a pass deletes what the pass did not show, of all records or of those within `scope`. Rows that jsonb
    refuses become rejects. A change that `echo` knows for one that the hub itself wrote makes no version and queues
    nothing. `shown` are keys that a pass asked for without their records. `prepared` is what `pages.prepare` made of
    the rows. What changed waits in `queue`: to be looked at by the limits (`holds.LANDED`), or for standardise.
    """
    work = Work(conn, {"source": source, "stream": stream, "run_id": run_id, "now": now, "queue": queue})
    if not (tombstones or rejects or shown or (snapshot is not None and snapshot[1])):
        if prepared is None:
            prepared = prepare(source, stream, rows, is_news=False)
        plain = _Plain(work, prepared, len(rows), {"state": state, "pass_id": snapshot[0] if snapshot else None}, echo)
        if (landed := _land_unasked(plain) or _land_plain(plain)) is not None:
            return landed
    work.rejects = [Reject(*reject) for reject in rejects]
    with conn.transaction():
        read, gone = _page_rows(work, rows, tombstones, tell_duplicates=snapshot is not None)
        known = _probe(work, [*read, *gone])
        new, changed, revived = _sort_out(work, read.values(), known)
        echoes = _echoes(work, [row for row in changed if row.record_id not in revived], echo)
        changed = [row for row in changed if row.record_id not in echoes]
        inserted = store_what_can(work, new, is_new=True)
        updated = store_what_can(work, changed, is_new=False)
        deleted = _delete(work, [i for i in gone if i in known and not known[i].is_deleted], is_inferred=False)
        newly_deleted = sum(row.is_deleted and not known[row.record_id].is_deleted for row in updated)
        if snapshot is not None:
            deleted += _sweep(work, *snapshot, [*read, *_ids(work, shown or ())], scope)
        add_rejects(work.conn, work.place, work.rejects, snapshot)
        if snapshot is not None and snapshot[1]:
            if shown is None:
                # A pass over a part shows no rejects but those of its own file, one by keys alone none.
                work.execute("close_rejects_not_shown", pass_id=snapshot[0], origin=scope[3] if scope else "")
            work.execute("forget_pass")
        store(work, NO_ROWS, state=state)
    stored = {row.record_id for row in updated}
    return Landed(
        inserted=len(inserted),
        updated=len(updated) - newly_deleted,
        unchanged=len(read) - len(new) - len(changed),
        deleted=deleted + newly_deleted,
        rejected=len(work.rejects),
        revived=len(stored & revived),
        echoed=len(echoes),
    )


@dataclass(frozen=True, slots=True)
class _Plain:
    """A page without anything to say but rows."""

    work: Work
    prepared: Prepared
    size: int
    """Rows on the page."""
    told: Mapping[str, Any]
    """The checkpoint, and the pass that it belongs to."""
    echo: EchoTest | None


def _land_unasked(page: _Plain) -> Landed | None:
    """A page that is thought to be news, in one call; new versions of known rows are news too. None, and nothing done,
    where one of its rows is held as it is (also as deleted), is refused, or has the id of another key."""
    arrays, read = page.prepared.arrays, page.prepared.rows
    if arrays is None or page.echo is not None or not read or len(read) != page.size:
        return None
    try:
        with _undone_alone(page.work.conn):
            counts = store(page.work, arrays, superseded=arrays["record_ids"], is_asked=False, shown=read, **page.told)
    except (*NOT_STORABLE, errors.UniqueViolation):
        return None
    updated, revived = counts
    return Landed(inserted=len(read) - updated, updated=updated, revived=revived)


def _land_plain(page: _Plain) -> Landed | None:
    """Only what is new or changed travels, in a second call; None, and nothing done, where a row must be looked at."""
    work, read = page.work, page.prepared.rows
    if len(read) != page.size:
        return None
    known = _probe(work, list(read))
    new, changed, revived = _sort_out(work, read.values(), known)
    news = [*new, *changed]
    if work.rejects or (changed and page.echo is not None) or weight(news) > PIECE:
        return None
    try:
        with _undone_alone(work.conn):
            store(work, arrays_of(news), superseded=ids_of(changed), shown=read, **page.told)
    except NOT_STORABLE:
        return None
    return Landed(len(new), len(changed), len(read) - len(news), revived=len(revived))


def _undone_alone(conn: psycopg.Connection[Any]) -> AbstractContextManager[Any]:
    """Inside a transaction a savepoint; one call is a transaction of its own."""
    return nullcontext() if conn.info.transaction_status is TransactionStatus.IDLE else conn.transaction()


def live_count(conn: psycopg.Connection[Any], source: str, stream: str, scope: ScopeTuple | None = None) -> int:
    """How many records of a stream, or of a part of it, are not deleted."""
    place = {"source": source, "stream": stream}
    row = conn.execute(sql("landing.live_count"), {**place, **_within(scope)}).fetchone()
    return int(row[0]) if row else 0


def _within(scope: ScopeTuple | None) -> dict[str, Any]:
    """A scope as parameters; none of them says anything without one."""
    match, member, values, _ = scope or (None, None, (), "")
    return {"match": None if match is None else Jsonb(dict(match)), "member": member, "values": list(values)}


def checkpoint(conn: psycopg.Connection[Any], source: str, stream: str) -> dict[str, Any] | None:
    """The state to resume from; None means a full read."""
    row = conn.execute(sql("landing.checkpoint"), {"source": source, "stream": stream}).fetchone()
    return None if row is None else dict(row[0])


def _page_rows(
    work: Work, rows: Sequence[RowTuple], tombstones: Sequence[str], *, tell_duplicates: bool
) -> tuple[dict[int, PageRow], list[int]]:
    """The page's rows by id, the last of each key, and the ids that are only tombstones."""
    dead = set(tombstones)
    plain = {} if dead else plain_rows(work.place["source"], work.place["stream"], rows)
    if plain:
        return plain, []
    record_id = record_ids(work.place["source"], work.place["stream"])
    read: dict[int, PageRow] = {}
    for key, payload, digest, updated_at in rows:
        if not _is_storable_key(key):
            work.rejects.append(
                Reject(payload, "unusable-key", "The key holds characters that text cannot hold.", "key")
            )
            continue
        row = PageRow(record_id(key), key, payload, digest, updated_at, key in dead)
        former = read.get(row.record_id)
        if former is not None and former.key != key:
            work.rejects.append(_collision(work, row, former.key))
            continue
        if former is not None and former.digest != digest and tell_duplicates:
            # In a complete pass no version is newer than the other: the source has the key twice.
            detail = "The key stands twice in the stream; the last row was taken."
            work.rejects.append(Reject(former.payload, "duplicate-key", detail, f"key {key}", key, None))
        read[row.record_id] = row
    gone = {record_id(key) for key in dead if _is_storable_key(key)}
    return read, sorted(gone - read.keys())


def _is_storable_key(key: str) -> bool:
    if "\x00" in key:
        return False
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _collision(work: Work, row: PageRow, landed: str) -> Reject:
    refused = f"{work.place['source']}:{work.place['stream']}:{row.key}"
    detail = f"{refused} has the same 64-bit id ({row.record_id}) as {landed} and is refused."
    return Reject(row.payload, "record-id-collision", detail, f"key {row.key}", row.key)


def _probe(work: Work, record_ids: Sequence[int]) -> dict[int, _Known]:
    if not record_ids:
        return {}
    found = calls.call(work.conn, "landing.probe", {"record_ids": calls.bigints(record_ids)})
    return {values[0]: _Known._make(values) for values in found}


def _sort_out(
    work: Work, rows: Iterable[PageRow], known: Mapping[int, _Known]
) -> tuple[list[PageRow], list[PageRow], set[int]]:
    """New rows, changed rows, and the ids of those that had been deleted."""
    if not known:
        return list(rows), [], set()
    new, changed, revived = [], [], set()
    place = (work.place["source"], work.place["stream"])
    for row in rows:
        old = known.get(row.record_id)
        if old is None:
            new.append(row)
        elif (old.source, old.stream, old.key) != (*place, row.key):
            work.rejects.append(_collision(work, row, f"{old.source}:{old.stream}:{old.key}"))
        elif old.digest != row.digest or old.is_deleted != row.is_deleted:
            changed.append(row)
            if old.is_deleted and not row.is_deleted:
                revived.add(row.record_id)
    return new, changed, revived


def _echoes(work: Work, rows: Sequence[PageRow], test: EchoTest | None) -> set[int]:
    """Those of the changed rows that only bring back what was written to them."""
    if test is None:
        return set()
    read = [Read(row.record_id, row.payload, row.digest) for row in rows if not row.is_deleted]
    return take_echoes(work.conn, read, test, work.place["now"])


def _delete(work: Work, record_ids: Sequence[int], *, is_inferred: bool) -> int:
    if record_ids:
        work.execute("keep_superseded", record_ids=bigints(record_ids))
        work.execute("delete_of", record_ids=bigints(record_ids), is_inferred=is_inferred)
        work.execute("close_rejects", record_ids=bigints(record_ids))
        enqueue(work.conn, work.place["queue"], record_ids)
    return len(record_ids)


def _sweep(
    work: Work,
    pass_id: str,
    is_complete: bool,
    record_ids: Sequence[int],
    scope: ScopeTuple | None,
) -> int:
    """Mark what the page showed, refused rows included; at the end of a pass delete what it did not show."""
    store(work, NO_ROWS, pass_id=pass_id, shown=record_ids)
    if not is_complete:
        return 0
    missing = [row[0] for row in work.execute("missing", pass_id=pass_id, **_within(scope))]
    return _delete(work, missing, is_inferred=True)


def _ids(work: Work, keys: Iterable[str]) -> list[int]:
    storable = [key.encode() for key in keys if _is_storable_key(key)]
    return record_id_list(work.place["source"], work.place["stream"], storable)
