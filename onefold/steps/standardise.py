"""standardise: raw records from the queue -> standard client records, interactions and relationships."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from identity.schema import HEAD, VALUE
from identity.standard import standardise as standard_forms
from onefold.mapping import Mapped, RawRow, StreamMapper, compile_source
from onefold.steps.report import StandardiseReport
from onefold.steps.rules import requeue_changed_mappings, standard_profile
from warehouse import queue, runs, standard
from warehouse.connect import unit_of_work
from warehouse.keys import record_id

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

CHUNK = 20_000
"""Records a transaction: large enough for set-based work, small enough to lose little to a kill."""

Place = tuple[str, str]
"""Source and stream."""


@dataclass
class Counts:
    """Running totals of one step."""

    records: int = 0
    parties_changed: int = 0
    parties_removed: int = 0
    interactions_changed: int = 0
    rejected: int = 0


def standardise(context: Context) -> StandardiseReport:
    """Map every queued raw record; what comes out as it was before writes nothing and queues nothing further.

    A stream whose mapping was edited is mapped anew as a whole. Takes turns with other processes that standardise.
    """
    started = time.perf_counter()
    configuration = context.configuration
    with context.connection("onefold standardise") as conn:
        with unit_of_work(conn):
            queue.lock_step(conn, "standardise")
            standard.store_interaction_types(conn, configuration.interaction_rows())
            remapped = requeue_changed_mappings(conn, configuration)
        waiting = queue.size(conn, "standardise")
        if not waiting:
            return StandardiseReport(None, round(time.perf_counter() - started, 3))
        mappers = {
            (name, stream): mapper
            for name, source in configuration.sources.items()
            for stream, mapper in compile_source(source, configuration).items()
        }
        counts = Counts()
        run_id = runs.start_run(conn, command="standardise", at=context.clock())
        with context.progress.stage("standardise", waiting) as stage:
            while (done := _chunk(context, conn, mappers, counts, run_id)) > 0:
                stage.advance(done)
        report = StandardiseReport(
            run_id,
            round(time.perf_counter() - started, 3),
            **asdict(counts),
            remapped_streams=tuple(remapped),
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


def _chunk(
    context: Context,
    conn: psycopg.Connection,
    mappers: Mapping[Place, StreamMapper],
    counts: Counts,
    run_id: int,
) -> int:
    """One transaction: results, rejects and the next queues commit with the removal from this one. Entries taken."""
    with unit_of_work(conn):
        queue.lock_step(conn, "standardise")
        batch = queue.read(conn, "standardise", CHUNK)
        if not batch:
            return 0
        raws = _with_parents(conn, mappers, list(standard.pending_raw(conn, batch.record_ids)))
        by_place: dict[Place, list[standard.PendingRaw]] = defaultdict(list)
        for raw in raws:
            if not raw.is_deleted:
                by_place[raw.source, raw.stream].append(raw)
        mapped = [_map_stream(conn, mappers[place], group) for place, group in by_place.items() if place in mappers]
        _store(context, conn, mapped, [raw.record_id for raw in raws], counts, run_id)
        queue.done(conn, batch)
        counts.records += len(raws)
        return len(batch.pending_ids)


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
    return raws + list(standard.pending_raw(conn, missing))


def _map_stream(conn: psycopg.Connection, mapper: StreamMapper, raws: Sequence[standard.PendingRaw]) -> Mapped:
    """The mapped columns of one stream's records, their children's fields included."""
    fed = standard.children(conn, [raw.record_id for raw in raws]) if mapper.child_streams else {}
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


def _store(
    context: Context,
    conn: psycopg.Connection,
    mapped: Sequence[Mapped],
    record_ids: Sequence[int],
    counts: Counts,
    run_id: int,
) -> None:
    """Write what came out. A record that is no longer what it was (deleted, refused) leaves its old place."""
    present = set(record_ids)
    records, identifiers = party_tables(context, mapped)
    interactions = pa.concat_tables([part.interactions for part in mapped]) if mapped else None
    lines = pa.concat_tables([part.lines for part in mapped]) if mapped else None
    promises = pa.concat_tables([part.promises for part in mapped]) if mapped else None
    relationships = pa.concat_tables([part.relationships for part in mapped]) if mapped else None
    facts = set(interactions.column("record_id").to_pylist()) if interactions is not None else set()
    stored = standard.store_parties(
        conn, records, identifiers, sorted(present - set(records.column("record_id").to_pylist()))
    )
    happened = standard.store_interactions(conn, interactions, lines, promises, sorted(present - facts))
    related = standard.store_relationships(conn, relationships, sorted(present))
    rejects = [reject for part in mapped for reject in part.rejects]
    standard.replace_rejects(conn, sorted(present), rejects, run_id=run_id, now=context.clock())
    queue.enqueue(conn, "resolve", stored.all)
    queue.enqueue(conn, "publish", sorted({*happened.all, *related}))
    counts.parties_changed += len(stored.changed)
    counts.parties_removed += len(stored.removed)
    counts.interactions_changed += len(happened.all)
    counts.rejected += len(rejects)


def party_tables(context: Context, mapped: Iterable[Mapped]) -> tuple[pa.Table, pa.Table]:
    """Standard records and identifiers (RECORD, IDENTIFIER) of all parts; unique values are normalised once for all."""
    heads, values, offset = [HEAD.empty_table()], [VALUE.empty_table()], 0
    for part in mapped:
        heads.append(part.head)
        rows = pc.add(part.values.column("row"), pa.scalar(offset, pa.int32()))
        values.append(part.values.set_column(0, VALUE.field("row"), rows))
        offset += part.head.num_rows
    forms = standard_forms(pa.concat_tables(heads), pa.concat_tables(values), standard_profile(context))
    return forms.records, forms.identifiers
