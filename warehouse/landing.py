"""Pages of source records into `raw`, each with its checkpoint in one transaction.

On the reading path, so it imports nothing but psycopg: no pyarrow, SQLModel or Alembic. The page's ids are
probed by primary key first; what is unchanged does not travel to the server again and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Any, Final, NamedTuple, TypeAlias

import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

from warehouse.arrays import bigints
from warehouse.connect import redact
from warehouse.echoes import EchoTest, Read, take_echoes
from warehouse.keys import record_id_list, record_ids
from warehouse.queue import enqueue
from warehouse.rejects import Reject, add_rejects
from warehouse.sql import sql

# What jsonb refuses: NUL, lone surrogates, numbers out of range, too deep, too long.
_NOT_STORABLE: Final = (errors.DataError, errors.ProgramLimitExceeded, errors.StatementTooComplex)

_PIECE: Final = 200
"""Rows of a page that travel together."""

RowTuple: TypeAlias = tuple[str, bytes, bytes, datetime | None]
"""key, canonical JSON, 16-byte digest, when the source says that it changed (aware)."""
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


class TooManyDeletionsError(Exception):
    """A complete pass would delete more records of a stream than is allowed; nothing of its last page was
    written.
    """

    def __init__(self, source: str, stream: str, missing: int, allowed: int) -> None:
        self.source, self.stream, self.missing, self.allowed = source, stream, missing, allowed
        super().__init__(
            f"{source}:{stream}: a complete pass did not show {missing} records;"
            f" at most {allowed} may be deleted at once (`limits`). Look at the source; if it is right:"
            f" onefold sync {source} {stream} --accept-deletions"
        )


class _Row(NamedTuple):
    record_id: int
    key: str
    payload: bytes
    digest: bytes
    updated_at: datetime | None
    is_deleted: bool


class _Known(NamedTuple):
    record_id: int
    digest: bytes
    is_deleted: bool
    source: str
    stream: str
    key: str


@dataclass(slots=True)
class _Work:
    """One page on its way."""

    conn: psycopg.Connection[Any]
    place: Mapping[str, Any]
    """Parameters that every statement knows: source, stream, run_id, now."""
    rejects: list[Reject] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    """Records that were inserted, changed or deleted: what standardise has to look at."""

    def execute(self, name: str, **parameters: Any) -> psycopg.Cursor[Any]:
        return self.conn.execute(sql(f"landing.{name}"), {**self.place, **parameters})


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
    max_deletions: int | None = None,
    echo: EchoTest | None = None,
    scope: ScopeTuple | None = None,
    shown: Sequence[str] | None = None,
) -> Landed:
    """Land rows, tombstones, rejects and the state to resume from, all or nothing (a savepoint inside a
    transaction).

    A row whose digest is the stored one writes nothing. A key that stands twice on a page counts once, the
    last one wins; a key that is also a tombstone is landed deleted. `snapshot` is (pass_id, is_complete): the
    last page of a pass deletes what the pass did not show, of all records or of those within `scope`. Rows that jsonb
    refuses become rejects. A change that `echo` knows for one that the hub itself wrote makes no version and queues
    nothing. `shown` are keys that a pass asked for without their records. Raises TooManyDeletionsError when a complete
    pass would delete more than `max_deletions`.
    """
    work = _Work(conn, {"source": source, "stream": stream, "run_id": run_id, "now": now})
    with conn.transaction():
        work.rejects.extend(Reject(*reject) for reject in rejects)
        read, gone = _page_rows(work, rows, tombstones, tell_duplicates=snapshot is not None)
        known = _probe(work, [*read, *gone])
        new, changed, revived = _sort_out(work, read.values(), known)
        echoes = _echoes(work, [row for row in changed if row.record_id not in revived], echo)
        changed = [row for row in changed if row.record_id not in echoes]
        inserted = _store(work, new, supersedes=False)
        updated = _store(work, changed, supersedes=True)
        deleted = _delete(work, [i for i in gone if i in known and not known[i].is_deleted], is_inferred=False)
        newly_deleted = sum(row.is_deleted and not known[row.record_id].is_deleted for row in updated)
        if snapshot is not None:
            deleted += _sweep(work, *snapshot, [*read, *_ids(work, shown or ())], max_deletions, scope)
        if work.touched:
            work.execute("close_rejects", record_ids=bigints(work.touched))
            enqueue(conn, "standardise", work.touched)
        add_rejects(work.conn, work.place, work.rejects, snapshot)
        if snapshot is not None and snapshot[1]:
            if shown is None:
                # A pass over a part shows no rejects but those of its own file, one by keys alone none.
                work.execute("close_rejects_not_shown", pass_id=snapshot[0], origin=scope[3] if scope else "")
            work.execute("forget_pass")
        work.execute("save_checkpoint", state=Jsonb(dict(state)))
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
    work: _Work, rows: Sequence[RowTuple], tombstones: Sequence[str], *, tell_duplicates: bool
) -> tuple[dict[int, _Row], list[int]]:
    """The page's rows by id, the last of each key, and the ids that are only tombstones."""
    dead = set(tombstones)
    plain = {} if dead else _plain_rows(work, rows)
    if plain:
        return plain, []
    record_id = record_ids(work.place["source"], work.place["stream"])
    read: dict[int, _Row] = {}
    for key, payload, digest, updated_at in rows:
        if not _is_storable_key(key):
            work.rejects.append(
                Reject(payload, "unusable-key", "The key holds characters that text cannot hold.", "key")
            )
            continue
        row = _Row(record_id(key), key, payload, digest, updated_at, key in dead)
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


def _plain_rows(work: _Work, rows: Sequence[RowTuple]) -> dict[int, _Row]:
    """All the rows by id, made together; empty where a key is refused or stands twice, or two keys have one id."""
    if not rows:
        return {}
    keys, payloads, digests, times = zip(*rows, strict=True)
    try:
        encoded = list(map(str.encode, keys))
    except UnicodeEncodeError:
        return {}
    ids = record_id_list(work.place["source"], work.place["stream"], encoded)
    found = dict(zip(ids, map(_Row, ids, keys, payloads, digests, times, repeat(False)), strict=True))
    return found if len(found) == len(rows) and "\x00" not in "".join(keys) else {}


def _is_storable_key(key: str) -> bool:
    if "\x00" in key:
        return False
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _collision(work: _Work, row: _Row, landed: str) -> Reject:
    refused = f"{work.place['source']}:{work.place['stream']}:{row.key}"
    detail = f"{refused} has the same 64-bit id ({row.record_id}) as {landed} and is refused."
    return Reject(row.payload, "record-id-collision", detail, f"key {row.key}", row.key)


def _probe(work: _Work, record_ids: Sequence[int]) -> dict[int, _Known]:
    if not record_ids:
        return {}
    with work.conn.cursor(binary=True) as cursor:
        cursor.execute(sql("landing.probe"), {"record_ids": bigints(record_ids)})
        return {values[0]: _Known._make(values) for values in cursor.fetchall()}


def _sort_out(
    work: _Work, rows: Iterable[_Row], known: Mapping[int, _Known]
) -> tuple[list[_Row], list[_Row], set[int]]:
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


def _echoes(work: _Work, rows: Sequence[_Row], test: EchoTest | None) -> set[int]:
    """Those of the changed rows that only bring back what was written to them."""
    if test is None:
        return set()
    read = [Read(row.record_id, row.payload, row.digest) for row in rows if not row.is_deleted]
    return take_echoes(work.conn, read, test, work.place["now"])


def _store(work: _Work, rows: Sequence[_Row], *, supersedes: bool) -> list[_Row]:
    """COPY rows into raw.record, which does not hold them yet or (`supersedes`) holds another version of them."""
    stored = _copy(work, rows, supersedes=supersedes)
    work.touched.extend(row.record_id for row in stored)
    return stored


def _delete(work: _Work, record_ids: Sequence[int], *, is_inferred: bool) -> int:
    if record_ids:
        work.execute("keep_superseded", record_ids=bigints(record_ids))
        work.execute("delete_of", record_ids=bigints(record_ids), is_inferred=is_inferred)
        work.touched.extend(record_ids)
    return len(record_ids)


def _sweep(
    work: _Work,
    pass_id: str,
    is_complete: bool,
    record_ids: Sequence[int],
    max_deletions: int | None,
    scope: ScopeTuple | None,
) -> int:
    """Mark what the page showed, refused rows included; at the end of a pass delete what it did not show."""
    work.execute("forget_other_passes", pass_id=pass_id)
    if record_ids:
        work.execute("mark", pass_id=pass_id, record_ids=bigints(record_ids))
    if not is_complete:
        return 0
    missing = [row[0] for row in work.execute("missing", pass_id=pass_id, **_within(scope))]
    if max_deletions is not None and len(missing) > max_deletions:
        raise TooManyDeletionsError(work.place["source"], work.place["stream"], len(missing), max_deletions)
    return _delete(work, missing, is_inferred=True)


def _ids(work: _Work, keys: Iterable[str]) -> list[int]:
    storable = [key.encode() for key in keys if _is_storable_key(key)]
    return record_id_list(work.place["source"], work.place["stream"], storable)


def _copy(work: _Work, rows: Sequence[_Row], *, supersedes: bool) -> list[_Row]:
    """What could be stored; the rest is found by halving, each try in a savepoint, and becomes rejects."""
    if not rows:
        return []
    try:
        with work.conn.transaction():
            if supersedes:
                # Moved away and copied anew: half the time of an update through a temporary table.
                work.execute("supersede", record_ids=bigints(row.record_id for row in rows))
            with work.conn.cursor().copy(sql("landing.copy_new")) as copy:
                # Piece by piece: the server stores one while the next is made.
                for start in range(0, len(rows), _PIECE):
                    copy.write(_lines(work, rows[start : start + _PIECE]))
    except _NOT_STORABLE as exc:
        if len(rows) == 1:
            work.rejects.append(_not_storable(rows[0], exc))
            return []
        middle = len(rows) // 2
        first, rest = rows[:middle], rows[middle:]
        return _copy(work, first, supersedes=supersedes) + _copy(work, rest, supersedes=supersedes)
    return list(rows)


def _not_storable(row: _Row, exc: BaseException) -> Reject:
    detail = f"The database cannot hold it as jsonb: {redact(exc)}."
    return Reject(row.payload, "not-storable", detail, f"key {row.key}", row.key, row.record_id)


def _lines(work: _Work, rows: Sequence[_Row]) -> bytes:
    """The rows in COPY's text format, column by column."""
    place = work.place
    ids, keys, payloads, digests, times, flags = zip(*rows, strict=True)
    before = _escape(place["source"].encode()) + b"\t" + _escape(place["stream"].encode())
    after = f"{place['now'].isoformat()}\t{place['run_id']}".encode()
    columns = (
        "\n".join(map(str, ids)).encode().split(b"\n"),
        repeat(before),
        map(_escape, map(str.encode, keys)),
        map(_escape, payloads),
        (digest.hex().encode() for digest in digests),
        (b"t" if is_deleted else b"f" for is_deleted in flags),
        (b"\\N" if at is None else at.isoformat().encode() for at in times),
        repeat(after),
    )
    return b"\n".join(map(b"\t".join, zip(*columns, strict=False))) + b"\n"


def _escape(value: bytes) -> bytes:
    value = value.replace(b"\\", b"\\\\")
    # Canonical JSON holds none of these; a key may.
    return value.replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
