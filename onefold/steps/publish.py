"""publish: golden records, their history, derived links and the change feed, for the clients that changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from identity.survive import PIN
from identity.survive import golden as golden_records
from onefold.steps.ahead import ahead
from onefold.steps.concerns import find_concerns
from onefold.steps.fix_at_source import find_fixes
from onefold.steps.hold import settle_rules, waiting_for_rules, within_limits
from onefold.steps.limits import GoldenLook, golden_look, telling
from onefold.steps.link_documents import first_links, link_documents
from onefold.steps.logged import logged, start_run
from onefold.steps.measures import find_metrics
from onefold.steps.needs import find_needs
from onefold.steps.overlap import count_weekly
from onefold.steps.report import PublishReport
from onefold.steps.rules import (
    departments,
    open_attributes,
    publish_rules,
    reporting_rules,
    requeue_changed_rules,
    survivorship_rules,
    today,
    vat_sites,
    with_trust,
)
from warehouse import (
    client_scopes,
    derived_facts,
    facts,
    golden,
    holds,
    judgements,
    queue,
    related,
    row_security,
    runs,
    served,
    source_fixes,
)
from warehouse.clock import hub_lock, keep_time_zone, last_event, next_as_of
from warehouse.connect import unit_of_work
from warehouse.pins import expired_pins

if TYPE_CHECKING:
    import psycopg

    from identity.survive import SurvivorshipRules
    from onefold.context import Context

CHUNK = 50_000
"""Queue entries of a transaction, before those of the same clients come with them: memory is bounded by it, and a
steward waits no longer than one takes."""
FIRST_LOAD_RECORDS = 25_000
"""Records whose clients are worked at a time in a first publish; two such ranges are in memory."""
Done = tuple[int, int, golden.Published]
"""Queue entries taken, clients looked at, what was written."""
Refresh = Callable[..., golden.Published]
"""`facts.refresh`, or `facts.refresh_but_interactions` where the facts follow all at once."""
FIRST_LOAD = 50_000
"""Entries from which a first publish is one transaction that builds indexes at its end: nobody has anything to judge
yet, and a kill leaves nothing half done."""


@logged("publish")
def publish(context: Context, *, is_read: bool = True, limited: bool = True) -> PublishReport:
    """Bring golden records and facts up to the crosswalk, within the limits on what a run may change.

    Where they are exceeded, what the syncs have landed since the last publication is set aside and the rest published;
    where no record is to blame, nothing is published until a person decides. Without `limited` nothing is held.
    """

    def again() -> PublishReport:
        from onefold.steps.resolve import resolve

        resolve(context)
        return publish(context, is_read=is_read)

    report = within_limits(
        context,
        lambda: _publish(context, is_read=is_read, limited=limited),
        again=again,
        untouched=lambda: PublishReport(None, 0.0),
    )
    # Readers have what they wait for by now: what registers get to mend is told after it.
    with context.connection("onefold needs") as conn:
        find_fixes(context, conn)
        find_needs(context, conn)
        find_metrics(context, conn)
        find_concerns(context, conn)
    return report


def _publish(context: Context, *, is_read: bool, limited: bool) -> PublishReport:
    """Bring golden records and facts up to the crosswalk; a client that comes out as it was is not written.

    Without `is_read` the database is one that nobody reads yet, a restored one: who may see what is said when it is.
    Each chunk is one transaction under the hub lock, with one `as_of`; a large first publish is one as a whole.
    """
    started = time.perf_counter()
    rules = survivorship_rules(context)
    with context.connection("onefold publish") as conn:
        if limited and (held := waiting_for_rules(conn, "resolve")):
            return PublishReport(None, round(time.perf_counter() - started, 3), held=held)
        with unit_of_work(conn):
            hub_lock(conn)
            served.extend(conn, open_attributes(context))
            derived_facts.report_in(conn, *reporting_rules(context))
            keep_time_zone(conn, context.configuration.hub.defaults.timezone)
            requeue_changed_rules(conn, "publish", publish_rules(context))
            _end_expired_pins(context, conn)
            after = last_event(conn)
        if is_read:
            row_security.apply(conn, context.configuration.hub.row_security, departments(context))
        if queue.is_empty(conn, "publish"):
            linked = link_documents(context, conn, after=after)
            seconds = round(time.perf_counter() - started, 3)
            return PublishReport(None, seconds, documents_linked=linked.documents, documents_changed=linked.changed)
        waiting = queue.size(conn, "publish")
        run_id = start_run(context, conn, "publish")
        total, clients = golden.Published(), 0
        with telling(run_id), context.progress.stage("publish", waiting) as stage:
            if waiting >= FIRST_LOAD and golden.is_unpublished(conn):
                chunks = _as_a_whole(context, conn, rules, run_id)
            else:
                look = golden_look(context, conn, waiting) if limited else None
                at_once = facts.are_new(conn) and facts.are_many(conn, FIRST_LOAD)
                parties = queue.read_parties(conn, "publish", CHUNK) if at_once else []
                if look and (at_once or waiting > CHUNK):
                    _look_at_all(context, conn, rules, look, parties if at_once else [queue.read(conn, "publish")])
                    look = None
                if at_once:
                    chunks = _facts_at_once(context, conn, rules, run_id, parties)
                else:
                    chunks = _one_by_one(context, conn, rules, run_id, look)
            for taken, touched, published in chunks:
                total, clients = total + published, clients + touched
                stage.advance(taken)
        linked = link_documents(context, conn, after=after)
        report = PublishReport(
            run_id,
            round(time.perf_counter() - started, 3),
            clients=clients,
            created=total.created,
            changed=total.changed,
            retired=total.retired,
            revived=total.revived,
            redirected=total.redirected,
            links_moved=total.links_moved,
            change_events=total.change_events,
            documents_linked=linked.documents + total.documents,
            documents_changed=linked.changed + total.documents,
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
        if limited:
            settle_rules(context, conn, "publish")
        count_weekly(context, conn)
    return report


def _end_expired_pins(context: Context, conn: psycopg.Connection) -> None:
    """Queue the clients of pins that hold no longer, though nobody has touched their records."""
    day = today(context)
    if expired_pins(conn, day):
        held = judgements.end_expired_pins(conn, today=day, at=next_as_of(conn, context.clock))
        queue.enqueue(conn, "publish", held)


def _one_by_one(
    context: Context, conn: psycopg.Connection, rules: SurvivorshipRules, run_id: int, look: GoldenLook | None
) -> Iterator[Done]:
    """Chunk after chunk, each committed by itself. `look` may refuse the first one with all that it wrote."""
    while True:
        with unit_of_work(conn):
            hub_lock(conn)
            done = _chunk(context, conn, rules, look)
            holds.mark_published(conn, run_id)
        if done is None:
            return
        # What others queue while this goes on is looked at by nobody: a first chunk stands by then.
        look = None
        yield done


def _as_a_whole(
    context: Context,
    conn: psycopg.Connection,
    rules: SurvivorshipRules,
    run_id: int,
) -> Iterator[Done]:
    """Every client in order of its id into empty tables, in one transaction.

    The next range of clients is worked while the database stores the last one. Its connection sees the same records
    and links, which nobody changes under the hub lock.
    """
    with unit_of_work(conn):
        hub_lock(conn)
        as_of = next_as_of(conn, context.clock)
        batch = queue.read(conn, "publish")
        ranges = golden.client_ranges(conn, FIRST_LOAD_RECORDS)
        with golden.first_load(conn):
            for found in ahead(_golden_of_ranges(context, rules, ranges)):
                published = golden.store_first(conn, found, as_of=as_of)
                yield len(batch.pending_ids) // len(ranges), found.num_rows, published
            related.relate(conn, batch.record_ids, vat_sites=vat_sites(context))
            if facts.are_new(conn):
                published = facts.refresh_first(
                    conn, batch.record_ids, as_of=as_of, events=partial(first_links, context, conn, as_of)
                )
            else:
                published = facts.refresh(conn, batch.record_ids, as_of=as_of)
            client_scopes.keep_up(conn)
            queue.done(conn, batch)
        holds.mark_published(conn, run_id)
        yield len(batch.pending_ids) % len(ranges), 0, published


def _facts_at_once(
    context: Context,
    conn: psycopg.Connection,
    rules: SurvivorshipRules,
    run_id: int,
    parties: Sequence[queue.Batch],
) -> Iterator[Done]:
    """The parties that wait, chunk after chunk, then all interactions in one transaction: each is written once. What
    came meanwhile, at the end."""
    for batch in parties:
        with unit_of_work(conn):
            hub_lock(conn)
            # Whether another publish has come first may be another answer with each turn.
            new = facts.are_new(conn)
            refresh = facts.refresh_but_interactions if new else facts.refresh
            done = _worked(context, conn, rules, None, batch, refresh)
        yield done
    record_ids = [record_id for batch in parties for record_id in batch.record_ids]
    with unit_of_work(conn):
        hub_lock(conn)
        as_of, taken = next_as_of(conn, context.clock), 0
        if facts.are_new(conn):
            published = facts.refresh_first(
                conn, record_ids, as_of=as_of, events=partial(first_links, context, conn, as_of)
            )
            taken = queue.facts_done(conn, "publish")
        else:
            # Another publish came first, and knew of none of the links that were published here before.
            published = facts.refresh(conn, record_ids, as_of=as_of)
        client_scopes.keep_up(conn)
        holds.mark_published(conn, run_id)
    yield taken, 0, published
    yield from _one_by_one(context, conn, rules, run_id, None)


def _golden_of_ranges(
    context: Context, rules: SurvivorshipRules, ranges: Sequence[golden.ClientRange]
) -> Generator[pa.Table]:
    with context.connection("onefold publish, reading") as conn:
        for one in ranges:
            contributions = with_trust(context, golden.load_contributions_of_range(conn, one))
            yield golden_records(contributions, rules, load_pins(conn, contributions))


def _chunk(
    context: Context, conn: psycopg.Connection, rules: SurvivorshipRules, look: GoldenLook | None
) -> Done | None:
    """One chunk in the caller's transaction; None when nothing waits."""
    batch = queue.read(conn, "publish", CHUNK)
    return _worked(context, conn, rules, look, batch, facts.refresh) if batch else None


def _worked(
    context: Context,
    conn: psycopg.Connection,
    rules: SurvivorshipRules,
    look: GoldenLook | None,
    batch: queue.Batch,
    refresh: Refresh,
) -> Done:
    """What these entries ask for; a client is worked once for all its records. `refresh` publishes links and facts."""
    as_of = next_as_of(conn, context.clock)
    if len(batch.pending_ids) == CHUNK:
        batch = queue.with_clients(conn, batch, golden.touched_clients(conn, batch.record_ids))
    record_ids, touched = golden.reach(conn, batch.record_ids)
    contributions = with_trust(context, golden.load_contributions(conn, touched))
    found = golden_records(contributions, rules, load_pins(conn, contributions))
    if look:
        look.add(conn, found)
        look.decide(conn)
    published = golden.store_golden(conn, found, touched, as_of=as_of)
    related.relate(conn, record_ids, vat_sites=vat_sites(context))
    published += refresh(conn, record_ids, as_of=as_of)
    client_scopes.keep_up(conn)
    source_fixes.hand_on(conn, batch)
    queue.done(conn, batch)
    return len(batch.pending_ids), len(touched), published


def _look_at_all(
    context: Context,
    conn: psycopg.Connection,
    rules: SurvivorshipRules,
    look: GoldenLook,
    batches: Sequence[queue.Batch],
) -> None:
    """More than a chunk waits: the first must not be published before the last is known, and what is made of it is
    made again when it is its turn, since others may have changed it by then."""
    records = [record_id for batch in batches for record_id in batch.record_ids]
    seen: set[str] = set()
    for first in range(0, len(records), CHUNK):
        touched = [c for c in golden.touched_clients(conn, records[first : first + CHUNK]) if c not in seen]
        seen.update(touched)
        contributions = with_trust(context, golden.load_contributions(conn, touched))
        look.add(conn, golden_records(contributions, rules, load_pins(conn, contributions)))
    look.decide(conn)


def load_pins(
    conn: psycopg.Connection, contributions: pa.Table, spoken: judgements.Spoken = judgements.NOTHING
) -> pa.Table:
    """Pinned values in force that are anchored on these records, in the columns of PIN; of a record that has changed
    its identity since on whom it was. `spoken` is taken for said."""
    pins = [pin.applied() for pin in judgements.in_force(conn, ("pin",)) if not spoken.is_lifted(pin)]
    pins += [one for one in spoken.said if one.verdict == "pin"]
    if not pins:
        return PIN.empty_table()
    ids = set(contributions["record_id"].to_pylist())
    rows = [
        {
            "record_id": pin.left_ids[0],
            "attribute": pin.attribute,
            "value": pin.value if pin.value is None or isinstance(pin.value, str) else str(pin.value),
            "policy": pin.policy or "pin",
            "reason": pin.reason,
            "until": pin.until,
            "judgement_id": pin.judgement_id,
        }
        for pin in pins
        if pin.left_ids and pin.left_ids[0] in ids
    ]
    return pa.Table.from_pylist([{name: row.get(name) for name in PIN.names} for row in rows], schema=PIN)
