"""erase: redact a person everywhere, keep them from coming back, and do it again on a restored backup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL

from onefold.errors import NothingFound, UsageError
from onefold.steps.hold import refuse_while_rules_wait
from onefold.steps.publish import publish
from onefold.steps.records import is_client_id, one_record
from onefold.steps.report import Report
from onefold.steps.resolve import resolve
from onefold.steps.sync import source_lock
from onefold.steps.withhold import hashes_of, secrets_folder
from warehouse import queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work
from warehouse.erasure import journal
from warehouse.erasure.hashes import ErasureKeyError
from warehouse.erasure.person import find_client, find_records
from warehouse.erasure.redact import Order, redact, remember, suppress
from warehouse.sql import qualified, sql

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class EraseReport(Report):
    """What was redacted, or would be."""

    erasure_id: str | None
    """None: a dry run."""
    client_id: str
    former_ids: tuple[str, ...]
    records: tuple[str, ...]
    """source:stream:key of each."""
    documents: int
    """What happened with the person: rows that keep dates, types and amounts under the bare id."""
    documents_kept: int
    """Those of them that keep their numbers and lines too, on the ground that was given."""
    shared_identifiers: int
    """Values that others bear too, and that go on being theirs."""
    counts: dict[str, int] = field(default_factory=dict)
    """Table -> rows redacted."""


@dataclass(frozen=True, slots=True)
class UnsuppressReport(Report):
    """Who may come back."""

    erasure_id: str
    suppressions: int
    sources: tuple[str, ...]
    """Sources that had records of the person: read them anew as a whole."""


def erase(
    context: Context, who: str, *, reason: str, by: str, ground: str | None = None, dry_run: bool = False
) -> EraseReport:
    """Redact the client of an id or record everywhere; `ground` says why documents keep their numbers and lines.

    With `dry_run` it is done and taken back: the counts are those that it would be. Raises NothingFound for nobody,
    HubBusy while one of the person's sources is synced.
    """
    if not reason.strip():
        raise UsageError("An erasure needs a reason.", 'Say --reason "request of 2026-11-03".')
    hashes = hashes_of(context)
    if not dry_run:
        refuse_while_rules_wait(context)
        # A record of the person that still waits would be somebody else afterwards.
        resolve(context)
    with context.connection("onefold erase") as conn:
        client_id = _client(context, conn, who)
        with unit_of_work(conn):
            sources = find_client(conn, client_id, keeps_documents=ground is not None).sources
        with _alone(conn, sources), unit_of_work(conn):
            hub_lock(conn)
            as_of = next_as_of(conn, context.clock)
            person = find_client(conn, client_id, keeps_documents=ground is not None)
            order = Order(uuid4(), by, reason, ground, as_of)
            counts, entry = redact(conn, person, order, hashes)
            if dry_run:
                raise psycopg.Rollback
            # Before the commit: what the journal knows and the database does not is erased by the next restore.
            journal.append(secrets_folder(context.settings), entry)
        if not dry_run:
            resolve(context)
            publish(context)
            _vacuum(conn, counts)
    return EraseReport(
        None if dry_run else entry.erasure_id,
        client_id,
        tuple(str(one) for one in person.client_ids if str(one) != client_id),
        tuple(person.records),
        person.facts,
        person.kept_facts,
        person.shared_identifiers,
        counts,
    )


def replay(context: Context) -> int:
    """Do the journal's erasures again where the database does not know them: a backup that is older. How many.

    Raises `ErasureKeyError` when the journal was written with another key than the hub's.
    """
    entries = journal.entries(secrets_folder(context.settings))
    if not entries:
        return 0
    hashes = hashes_of(context)
    with context.connection("onefold erase") as conn:
        known = {str(row[0]) for row in conn.execute(sql("erasure.known_erasures"))}
        missing = [entry for entry in entries if entry.erasure_id not in known]
        if any(entry.key_check != str(hashes.check) for entry in missing):
            raise ErasureKeyError("the journal of erasures was written with another key than the one beside it")
        if not missing:
            return 0
        counts: dict[str, int] = {}
        landed = hashes.records(row[0] for row in conn.execute(sql("erasure.all_records")))
        for entry in missing:
            found = [landed[UUID(one)] for one in entry.records if UUID(one) in landed]
            with unit_of_work(conn):
                hub_lock(conn)
                counts |= _again(conn, context, entry, found)
        resolve(context)
        publish(context, is_read=False)
        _vacuum(conn, counts)
    return len(missing)


def _again(conn: psycopg.Connection, context: Context, entry: journal.Entry, found: Sequence[int]) -> dict[str, int]:
    """Rows redacted by table."""
    counts: dict[str, int] = {}
    as_of = next_as_of(conn, context.clock)
    reason = "replayed from the journal"
    order = Order(UUID(entry.erasure_id), entry.erased_by, reason, entry.ground, as_of, as_of)
    if found:
        person = find_records(conn, found, entry.client_ids, keeps_documents=entry.ground is not None)
        counts, _ = redact(conn, person, order, hashes_of(context))
    else:
        remember(conn, entry, order, {}, [])
    # What the backup did not hold yet may not come later either.
    client_id = entry.client_ids[0] if entry.client_ids else None
    for kind, hashed in (("record", entry.records), ("identifier", entry.identifiers), ("reject", entry.rejects)):
        suppress(conn, entry, kind, hashed, [None] * len(hashed), client_id if kind == "record" else None)
    return counts


def unsuppress(context: Context, name: str, *, reason: str, by: str) -> UnsuppressReport:
    """Let an erased person in again: the erasure's number, or the client's id. NothingFound for nobody."""
    if not reason.strip():
        raise UsageError("Letting somebody in again needs a reason.", 'Say --reason "a client again since May".')
    with context.connection("onefold unsuppress") as conn, unit_of_work(conn):
        hub_lock(conn)
        named = {"name": name.lower(), "client_id": name if is_client_id(name) else None}
        row = conn.execute(sql("erasure.one_erasure"), named).fetchone()
        if row is None or row[1] is not None:
            raise NothingFound(f"There is no erasure in force of {name}.", "`onefold erasures` lists them.")
        now = next_as_of(conn, context.clock)
        said = {"erasure_id": row[0], "at": now, "by": by, "reason": reason}
        conn.execute(sql("erasure.lift"), said)
        lifted = [one for (one,) in conn.execute(sql("erasure.lift_suppression"), said)]
        ids = [one for one in lifted if one is not None]
        sources = tuple(row[0] for row in conn.execute(sql("erasure.sources_of"), {"record_ids": ids}))
        conn.execute(sql("erasure.forget_replaced_keys"), {"record_ids": ids})
        journal.append_lift(secrets_folder(context.settings), str(row[0]), now.isoformat())
    return UnsuppressReport(str(row[0]), len(lifted), sources)


def erasures(context: Context) -> list[dict[str, Any]]:
    """All erasures, newest first: who, when, why, how much."""
    with context.connection("onefold erasures") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("erasure.erasures")).fetchall()


def _client(context: Context, conn: psycopg.Connection, who: str) -> str:
    """The id that answers now for a client id or a record; one that is gone at its source was its last client's."""
    named = {"client_id": who} if is_client_id(who) else {"record_id": one_record(context, who)}
    statement = "known_client" if is_client_id(who) else "last_client"
    row = conn.execute(sql(f"erasure.{statement}"), named).fetchone()
    if row is None:
        raise NothingFound(f"There is no client {who}.", "`onefold find TEXT` searches by name, e-mail, phone, tax id.")
    now = conn.execute(sql("queries.current_id"), {"client_id": row[0]}).fetchone()
    return str(now[0]) if now else str(row[0])


@contextmanager
def _alone(conn: psycopg.Connection, sources: Sequence[str]) -> Iterator[None]:
    """No sync of these sources and no standardise meanwhile: what they hold in hand would be stored afterwards."""
    with ExitStack() as stack:
        for source in sources:
            stack.enter_context(source_lock(conn, source))
        stack.enter_context(queue.step_lock(conn, "standardise"))
        yield


def _vacuum(conn: psycopg.Connection, counts: dict[str, int]) -> None:
    """Rows as they were before an update stay in the files until they are cleaned up."""
    tables = SQL(", ").join(qualified(table) for table in counts)
    if counts:
        conn.execute(SQL("VACUUM {}").format(tables))
