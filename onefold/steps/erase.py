"""erase: redact a person everywhere, keep them from coming back, and do it again on a restored backup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL

from onefold.errors import HubBusy, NothingFound, UsageError
from onefold.steps.hold import refuse_while_rules_wait
from onefold.steps.logged import logged
from onefold.steps.measures import QUEUE as METRICS
from onefold.steps.needs import QUEUE as NEEDS
from onefold.steps.publish import publish
from onefold.steps.records import is_client_id, one_record
from onefold.steps.report import Report
from onefold.steps.resolve import resolve
from onefold.steps.standardise import standardise
from onefold.steps.sync import source_lock
from onefold.steps.withhold import hashes_of, secrets_folder
from warehouse import queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work
from warehouse.erasure import journal
from warehouse.erasure.hashes import ErasureKeyError
from warehouse.erasure.person import find_client, find_records, search_client
from warehouse.erasure.redact import Erasure, Order, redact, remember, suppress
from warehouse.sql import qualified, sql

if TYPE_CHECKING:
    from onefold.context import Context

_ATTEMPTS: Final = 5
"""How often what came in meanwhile is resolved first."""


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


@logged("erase")
def erase(
    context: Context, who: str, *, reason: str, by: str, ground: str | None = None, dry_run: bool = False
) -> EraseReport:
    """Redact the client of an id or record everywhere; `ground` says why documents keep their numbers and lines.

    With `dry_run` it is done and taken back: the counts are those that it would be. Raises NothingFound for nobody,
    HubBusy while one of the person's sources is synced.
    """
    if not reason.strip():
        raise UsageError("An erasure needs a reason.", 'Say --reason "request of 2026-11-03".')
    secrets = secrets_folder(context.settings)
    hashes = hashes_of(context)
    if not dry_run:
        refuse_while_rules_wait(context)
    with context.connection("onefold erase") as conn:
        for attempt in count(1):
            if not dry_run:
                # A record of the person that still waits would be somebody else afterwards.
                standardise(context)
                resolve(context)
            client_id = _client(context, conn, who)
            with unit_of_work(conn):
                searched = search_client(conn, client_id)
            with _alone(conn, searched.sources), journal.in_hand(secrets, alone=False), unit_of_work(conn):
                hub_lock(conn)
                if not dry_run and _waits(conn, searched.sources):
                    if attempt == _ATTEMPTS:
                        raise HubBusy("Records keep coming to be resolved.", "Try again when the syncs have ended.")
                    continue
                as_of = next_as_of(conn, context.clock)
                person = find_client(conn, client_id, keeps_documents=ground is not None, searched=searched)
                order = Order(uuid4(), by, reason, ground, as_of)
                counts, entry = redact(conn, person, order, hashes)
                if dry_run:
                    raise psycopg.Rollback
                # Before the commit: what the journal knows and the database does not is erased by the next restore.
                journal.append(secrets, entry)
            break
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


@dataclass(frozen=True, slots=True)
class Replayed:
    """What of the journal a database did not know."""

    erased: int = 0
    lifted: int = 0
    sources: tuple[str, ...] = ()
    """Sources that had records of persons who were let in again: read them anew as a whole."""


def replay(context: Context) -> Replayed:
    """Do in the journal's order what the database does not know of it: a backup that is older. Whoever was let in again
    since is erased first all the same: what was redacted stays redacted.

    Raises `ErasureKeyError` when the journal was written with another key than the hub's.
    """
    entries = journal.entries(secrets_folder(context.settings))
    if not entries:
        return Replayed()
    hashes = hashes_of(context)
    with context.connection("onefold erase") as conn:
        rows = conn.execute(sql("erasure.known_erasures")).fetchall()
        known, lifted = {row[0] for row in rows}, {row[0] for row in rows if row[1]}
        missing = [
            one for one in entries if one.erasure_id not in (known if isinstance(one, journal.Entry) else lifted)
        ]
        erased = [entry for entry in missing if isinstance(entry, journal.Entry)]
        if any(entry.key_check != str(hashes.check) for entry in erased):
            raise ErasureKeyError("the journal of erasures was written with another key than the one beside it")
        counts: dict[str, int] = {}
        sources: set[str] = set()
        wanted = {UUID(one) for entry in erased for one in entry.records}
        every = conn.execute(sql("erasure.all_records")) if wanted else ()
        landed = {made: row[0] for row in every if (made := hashes.record(row[0])) in wanted}
        for entry in missing:
            with unit_of_work(conn):
                hub_lock(conn)
                if isinstance(entry, journal.Entry):
                    found = [landed[UUID(one)] for one in entry.records if UUID(one) in landed]
                    counts |= _again(conn, context, entry, found)
                else:
                    sources.update(_lift(conn, entry, "replayed from the journal").sources)
        if missing:
            resolve(context, limited=False)
            publish(context, is_read=False, limited=False)
            _vacuum(conn, counts)
    return Replayed(len(erased), len(missing) - len(erased), tuple(sorted(sources)))


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
    for kind, hashed in (("record", entry.records), ("identifier", entry.identifiers), ("reject", entry.rejects)):
        suppress(conn, Erasure.of(entry), kind, hashed)
    return counts


def unsuppress(context: Context, name: str, *, reason: str, by: str) -> UnsuppressReport:
    """Let an erased person in again: the erasure's number, or the client's id. NothingFound for nobody."""
    if not reason.strip():
        raise UsageError("Letting somebody in again needs a reason.", 'Say --reason "a client again since May".')
    secrets = secrets_folder(context.settings)
    with (
        context.connection("onefold unsuppress") as conn,
        journal.in_hand(secrets, alone=False),
        unit_of_work(conn),
    ):
        hub_lock(conn)
        named = {"name": name.lower(), "client_id": name if is_client_id(name) else None}
        row = conn.execute(sql("erasure.one_erasure"), named).fetchone()
        if row is None or row[1] is not None:
            raise NothingFound(f"There is no erasure in force of {name}.", "`onefold erasures` lists them.")
        lift = journal.Lift(str(row[0]), next_as_of(conn, context.clock).isoformat(), by)
        report = _lift(conn, lift, reason)
        journal.append_lift(secrets, lift)
    return report


def _lift(conn: psycopg.Connection, lift: journal.Lift, reason: str) -> UnsuppressReport:
    said = {"erasure_id": lift.erasure_id, "at": lift.at, "by": lift.by, "reason": reason}
    conn.execute(sql("erasure.lift"), said)
    lifted = [one for (one,) in conn.execute(sql("erasure.lift_suppression"), said)]
    ids = [one for one in lifted if one is not None]
    sources = tuple(row[0] for row in conn.execute(sql("erasure.sources_of"), {"record_ids": ids}))
    conn.execute(sql("erasure.forget_replaced_keys"), {"record_ids": ids})
    return UnsuppressReport(lift.erasure_id, len(lifted), sources)


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


def _waits(conn: psycopg.Connection, sources: Sequence[str]) -> bool:
    """Whether something waits that could be the person's."""
    row = conn.execute(sql("erasure.waits"), {"sources": list(sources)}).fetchone()
    return row is not None and bool(row[0])


@contextmanager
def _alone(conn: psycopg.Connection, sources: Sequence[str]) -> Iterator[None]:
    """No sync of these sources, no standardise and no look at needs or metrics meanwhile: what they hold in hand would
    be stored afterwards. Whoever waits for needs holds neither the hub lock nor a lock that is taken here after it."""
    with ExitStack() as stack:
        for source in sources:
            stack.enter_context(source_lock(conn, source))
        for step in ("standardise", NEEDS, METRICS):
            stack.enter_context(queue.step_lock(conn, step))
        yield


def _vacuum(conn: psycopg.Connection, counts: dict[str, int]) -> None:
    """Rows as they were before an update stay in the files until they are cleaned up."""
    tables = SQL(", ").join(qualified(table) for table in counts)
    if counts:
        conn.execute(SQL("VACUUM {}").format(tables))
