"""standardise: raw records from the queue -> standard client records, interactions and relationships."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from identity.parallel import threads
from identity.schema import VALUE
from onefold.context import Context
from onefold.mapping import Mapped, RawRow, StreamMapper, compile_source
from onefold.steps.ahead import ahead
from onefold.steps.beside import beside
from onefold.steps.collecting import rare_collections
from onefold.steps.forms import party_forms
from onefold.steps.logged import logged, start_run
from onefold.steps.report import StandardiseReport
from onefold.steps.rules import requeue_changed_mappings, standard_profile
from onefold.steps.withhold import withheld, withhold
from warehouse import queue, rates, runs, standard
from warehouse.connect import unit_of_work
from warehouse.interaction_types import store_interaction_types
from warehouse.keys import record_id
from warehouse.shapes import RELATIONSHIP

if TYPE_CHECKING:
    import psycopg

    from identity.standard import Profile
    from onefold.configuration import Configuration
    from onefold.mapping.batch import Reject
    from onefold.settings import Settings

CHUNK = 20_000
"""Records a transaction: large enough for set-based work, small enough to lose little to a kill."""
BESIDE = 60_000
"""Entries from which processes are started to prepare chunks; below it that takes longer than it saves."""

PATIENCE = 0.1
"""Seconds after which the queue is looked at again while more comes in."""

Place = tuple[str, str]
"""Source and stream."""
More = Callable[[], bool]
"""Whether more may come into the queue; what it raises ends the step with what is stored by then."""


@dataclass
class Counts:
    """Running totals of one step."""

    records: int = 0
    parties_changed: int = 0
    parties_removed: int = 0
    interactions_changed: int = 0
    rejected: int = 0
    suppressed: int = 0


@dataclass
class Work:
    """What stays the same from chunk to chunk."""

    context: Context
    mappers: Mapping[Place, StreamMapper]
    profile: Profile
    run_id: int
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Prepared:
    """A chunk mapped and in standard form, not stored yet."""

    batch: queue.Batch
    record_ids: Sequence[int]
    """All that were looked at; those that are in none of the tables leave their old place."""
    records: pa.Table
    identifiers: pa.Table
    interactions: pa.Table | None
    lines: pa.Table | None
    promises: pa.Table | None
    relationships: pa.Table | None
    rates: pa.Table | None
    rejects: Sequence[Reject]


@logged("standardise")
def standardise(context: Context, more: More = lambda: False) -> StandardiseReport:
    """Map every queued raw record; what comes out as it was before writes nothing and queues nothing further.

    A stream whose mapping was edited is mapped anew as a whole. Takes turns with other processes that standardise.
    While there may be `more` the step goes on, chunk by full chunk.
    """
    started = time.perf_counter()
    configuration = context.configuration
    with context.connection("onefold standardise") as conn, queue.step_lock(conn, "standardise"):
        with unit_of_work(conn):
            store_interaction_types(conn, configuration.interaction_rows())
            remapped = requeue_changed_mappings(conn, configuration)
        if not more() and queue.is_empty(conn, "standardise"):
            return StandardiseReport(None, round(time.perf_counter() - started, 3))
        mappers = _mappers(configuration)
        run_id = start_run(context, conn, "standardise")
        work = Work(context, mappers, standard_profile(context), run_id)
        # Which parents a child feeds is stored with its chunk, and the next chunk has to see it.
        is_linked = any(mapper.child_streams for mapper in mappers.values())
        waiting = queue.size(conn, "standardise")
        with rare_collections(), context.progress.stage("standardise", None if more() else waiting) as stage:
            for done in _one_by_one(work, conn, more) if is_linked else _overlapping(work, conn, waiting, more):
                stage.advance(done)
        report = StandardiseReport(
            run_id,
            round(time.perf_counter() - started, 3),
            **asdict(work.counts),
            remapped_streams=tuple(remapped),
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


def _one_by_one(work: Work, conn: psycopg.Connection, more: More) -> Iterator[int]:
    """Chunk after chunk, each one transaction; yields how many entries were taken."""
    while batch := _next(conn, more):
        with unit_of_work(conn):
            _store(work, conn, _prepare(work, conn, batch))
        yield len(batch.pending_ids)


def _overlapping(work: Work, conn: psycopg.Connection, waiting: int, more: More) -> Iterator[int]:
    """The same, with the next chunks read and mapped while the database stores the last one: in a thread, and in
    processes where many wait, since mapping holds the interpreter."""
    processes = threads() if waiting >= BESIDE else 1
    while more() or not queue.is_empty(conn, "standardise"):
        with closing(_prepared(work, processes, more)) as chunks:
            for prepared in chunks:
                with unit_of_work(conn):
                    _store(work, conn, prepared)
                yield len(prepared.batch.pending_ids)


def _prepared(work: Work, processes: int, more: More) -> Generator[Prepared]:
    """One pass over the queue on connections of their own. What comes in behind its back is left to the next pass."""
    setup = Setup(work.context.settings, work.context.configuration, work.context.database_url, work.profile)
    with work.context.connection("onefold standardise, reading") as conn:
        if processes > 1:
            yield from beside(_preparing, setup, _batches(conn, more), processes)
        else:
            yield from ahead(_prepare(work, conn, batch) for batch in _batches(conn, more))


def _batches(conn: psycopg.Connection, more: More) -> Generator[queue.Batch]:
    """The queue in chunks, oldest first."""
    last = 0
    while batch := _next(conn, more, last):
        last = batch.pending_ids[-1]
        yield batch


def _next(conn: psycopg.Connection, more: More, after: int = 0) -> queue.Batch:
    """The oldest entries behind `after`: a full chunk, waited for while more may come."""
    while True:
        comes = more()  # asked before the queue: what comes in until then is in it
        batch = queue.read(conn, "standardise", CHUNK, after=after)
        if len(batch.pending_ids) == CHUNK or not comes:
            return batch
        time.sleep(PATIENCE)


@dataclass(frozen=True)
class Setup:
    """What a process that prepares chunks is told."""

    settings: Settings
    configuration: Configuration
    database_url: str = field(repr=False)
    profile: Profile


@contextmanager
def _preparing(setup: Setup) -> Iterator[Callable[[queue.Batch], Prepared]]:
    """`_prepare` in a process of its own."""
    context = Context(setup.settings, setup.configuration, setup.database_url, {})
    work = Work(context, _mappers(setup.configuration), setup.profile, 0)
    with rare_collections(), context.connection("onefold standardise, preparing") as conn:
        yield lambda batch: _prepare(work, conn, batch)


def _mappers(configuration: Configuration) -> dict[Place, StreamMapper]:
    return {
        (name, stream): mapper
        for name, source in configuration.sources.items()
        for stream, mapper in compile_source(source, configuration).items()
    }


def _prepare(work: Work, conn: psycopg.Connection, batch: queue.Batch) -> Prepared:
    """The records of a batch, mapped and in standard form. Stores nothing but which parents a child feeds."""
    mappers = work.mappers
    raws = _with_parents(conn, mappers, standard.pending_raw(conn, batch.record_ids))
    by_place: dict[Place, list[standard.PendingRaw]] = defaultdict(list)
    for raw in raws:
        if not raw.is_deleted:
            by_place[raw.source, raw.stream].append(raw)
    mapped = [_map_stream(conn, mappers[place], group) for place, group in by_place.items() if place in mappers]
    forms = party_forms(work.context, mapped, work.profile)

    def whole(name: str) -> pa.Table | None:
        return pa.concat_tables([getattr(part, name) for part in mapped]) if mapped else None

    return Prepared(
        batch,
        [raw.record_id for raw in raws],
        forms.records,
        forms.identifiers,
        interactions=whole("interactions"),
        lines=whole("lines"),
        promises=whole("promises"),
        relationships=_with_cards_of(forms.cards, whole("relationships")),
        rates=whole("rates"),
        rejects=[reject for part in mapped for reject in part.rejects],
    )


def _with_parents(
    conn: psycopg.Connection, mappers: Mapping[Place, StreamMapper], raws: list[standard.PendingRaw]
) -> list[standard.PendingRaw]:
    """These records and those that they feed (a requisite feeds its company), before and after the change."""
    fed_by: dict[Place, list[StreamMapper]] = defaultdict(list)
    for (source, _), mapper in mappers.items():
        for child in mapper.child_streams:
            fed_by[source, child].append(mapper)
    links: list[tuple[int, int]] = []
    children: list[int] = []
    for raw in raws:
        if (raw.source, raw.stream) not in fed_by:
            continue
        children.append(raw.record_id)
        for parent in () if raw.is_deleted else fed_by[raw.source, raw.stream]:
            links += [
                (raw.record_id, record_id(raw.source, parent.stream, key))
                for key in parent.parent_keys(raw.stream, raw.payload)
            ]
    if not children:
        return raws
    parents = set(standard.parents_of(conn, children)) | {parent for _, parent in links}
    standard.store_child_links(conn, children, links)
    missing = sorted(parents - {raw.record_id for raw in raws})
    return raws + standard.pending_raw(conn, missing)


def _map_stream(conn: psycopg.Connection, mapper: StreamMapper, raws: Sequence[standard.PendingRaw]) -> Mapped:
    """The mapped columns of one stream's records, their children's fields included."""
    if not mapper.child_streams:
        rows = [RawRow(raw.record_id, raw.source_key, raw.payload, raw.source_updated_at) for raw in raws]
        return with_cards(mapper, mapper.map_batch(rows))
    fed = standard.children(conn, [raw.record_id for raw in raws])
    rows = []
    for raw in raws:
        children: dict[str, list[bytes]] = defaultdict(list)
        for child in fed.get(raw.record_id, ()):
            children[child.stream].append(child.payload)
        rows.append(RawRow(raw.record_id, raw.source_key, raw.payload, raw.source_updated_at, children))
    return with_cards(mapper, mapper.map_batch(rows))


def with_cards(mapper: StreamMapper, mapped: Mapped) -> Mapped:
    """The batch with each client record's card in its own system, as its value of `url`."""
    if mapper.url_template is None or mapped.head.num_rows == 0:
        return mapped
    keys = mapped.head.column("source_key").to_pylist()
    cards = pa.table(
        {
            "row": pa.array(range(len(keys)), pa.int32()),
            "attribute": ["url"] * len(keys),
            "value": [mapper.url_template.replace("{key}", quote(key, safe="")) for key in keys],
            "repair": pa.nulls(len(keys), pa.string()),
        },
        schema=VALUE,
    )
    return replace(mapped, values=pa.concat_tables([mapped.values, cards]))


def _store(work: Work, conn: psycopg.Connection, prepared: Prepared) -> None:
    """Write what came out; the next queues and the removal from this one commit with it."""
    prepared, kept_out = withheld(work.context, conn, prepared)
    present = {*prepared.record_ids, *kept_out.gone}
    everything = sorted(present)
    former = standard.parts_of_cards(conn, everything)
    gone = sorted(present.union(former).difference(prepared.records.column("record_id").to_pylist()))
    stored = standard.store_parties(conn, prepared.records, prepared.identifiers, gone)
    interactions = prepared.interactions
    facts = interactions.column("record_id").to_pylist() if interactions is not None else []
    happened = standard.store_interactions(
        conn, interactions, prepared.lines, prepared.promises, sorted(present.difference(facts))
    )
    related = standard.store_relationships(conn, prepared.relationships, everything)
    priced = rates.store_rates(conn, prepared.rates, everything)
    now = work.context.clock()
    standard.replace_rejects(conn, everything, prepared.rejects, run_id=work.run_id, now=now)
    redacted = withhold(conn, kept_out)
    queue.enqueue(conn, "resolve", sorted({*stored.all, *standard.groups_of(conn, related)}))
    if work.context.configuration.matching.compares_documents:
        queue.enqueue(conn, "in_common", sorted(happened.all))
    queue.enqueue(conn, "publish", sorted({*happened.all, *related, *priced, *redacted}))
    queue.done(conn, prepared.batch)
    counts = work.counts
    counts.records += len(prepared.record_ids)
    counts.parties_changed += len(stored.changed)
    counts.parties_removed += len(stored.removed)
    counts.interactions_changed += len(happened.all)
    counts.rejected += len(prepared.rejects)
    counts.suppressed += kept_out.count


def _with_cards_of(cards: pa.Table, relationships: pa.Table | None) -> pa.Table | None:
    """The relationships, and from every record that was made of a card the one to the card, which states it."""
    if cards.num_rows == 0:
        return relationships
    made = {
        "record_id": cards["card_id"],
        "from_record_id": cards["record_id"],
        "to_record_id": cards["card_id"],
        "type": pa.repeat(pa.scalar("card_of"), cards.num_rows),
        "role": pc.binary_join_element_wise("INN", cards["inn"], " "),
    }
    nothing = {field.name: pa.nulls(cards.num_rows, field.type) for field in RELATIONSHIP}
    table = pa.table({**nothing, **made}, schema=RELATIONSHIP)
    return table if relationships is None else pa.concat_tables([relationships, table])
