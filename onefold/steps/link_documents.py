"""link_documents: which interactions of different registers record one business event, and which of them counts.

Publish ends with it. What changed is linked anew with everything that hangs together with it by plausible pairs; the
outcome is that of linking all documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import columns_of, faces_of, places_of
from identity.documents.counting import events_of
from identity.documents.evidence import size_class
from identity.documents.instalments import LARGEST_CLIENT, instalments
from identity.documents.link import Weighed, link_weighed, neighbours, only_among, weigh_documents
from identity.documents.pairs import blocks_of
from identity.documents.schema import DOCUMENT, EVENT, LINK, PLACE, RELATED, SAID, Ints, Register, Registers
from identity.documents.settings import MONEY, DocumentSettings
from onefold.steps.rules import document_authority, document_rules, fingerprint, has_work, trust
from warehouse import documents as stored
from warehouse import fingerprints, queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

_ALL_SHARE: Final = 20_000
"""Changed documents from which all are linked anew."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking did."""

    documents: int = 0
    """Documents that were looked at."""
    changed: int = 0
    """Interactions whose event, or whether they count, is another now."""


@dataclass(frozen=True)
class _Work:
    """What every part of the step needs."""

    conn: psycopg.Connection
    settings: DocumentSettings
    types: dict[str, tuple[str, str | None]]
    trust: dict[str, int]
    authority: dict[str, list[str]]
    said: pa.Table
    related: pa.Table
    size: int | None
    """The hub's size class when all documents were linked last; weights stay as they were then."""

    @property
    def words(self) -> dict[str, Sequence[str]]:
        """How a document says how it stands."""
        states = self.settings.states
        return {"fields": states.fields, "sold": states.sold, "void": states.void}


def link_documents(context: Context, conn: psycopg.Connection, *, after: int) -> Linked:
    """Bring links and events up to the documents, in one transaction under the hub lock.

    What readers saw is kept as versions, unless all facts were published by change events behind number `after`, in
    this very publish: then nobody has seen them without their events.
    """
    if not has_work(conn, "documents", document_rules(context)):
        return Linked()
    with unit_of_work(conn):
        hub_lock(conn)
        wanted = fingerprint(document_rules(context))
        are_new = fingerprints.stored(conn, "rules").get("documents") != wanted
        if are_new:
            fingerprints.remember(conn, "rules", {"documents": wanted})
        batch = queue.read(conn, "documents", _ALL_SHARE)
        as_of = next_as_of(conn, context.clock)
        work = _Work(
            conn,
            context.configuration.document_rules,
            stored.types(conn),
            trust(context),
            document_authority(context),
            stored.said(conn, SAID),
            stored.related(conn, RELATED),
            _size(conn),
        )
        if are_new or len(batch.pending_ids) == _ALL_SHARE or stored.is_first(conn):
            done = _link_all(work, as_of, keep=stored.were_published(conn, after))
            stored.forget_queue(conn)
        else:
            done = _link_changed(work, np.array(sorted(batch.record_ids), np.int64), as_of)
            queue.done(conn, batch)
    return done


def _size(conn: psycopg.Connection) -> int | None:
    known = fingerprints.stored(conn, "documents").get("size")
    return None if known is None else known.int


def _link_all(work: _Work, as_of: Any, *, keep: bool) -> Linked:
    parts = [part for part in stored.load_all(work.conn, work.words) if part.num_rows]
    registers, documents = _with_registers(work, parts)
    size = size_class(documents.num_rows)
    fingerprints.remember(work.conn, "documents", {"size": UUID(int=size)})
    weighed = weigh_documents(documents, registers, work.said, work.related, work.settings, size)
    stored.store_places(work.conn, _places(documents, registers, work.settings), None)
    links = link_weighed(weighed, work.settings)
    sums = instalments(documents, links, work.said, registers, work.settings)
    everything = pa.concat_tables([_without_pairs(links, sums), sums]).sort_by(
        [(name, "ascending") for name in LINK.names[:2]]
    )
    stored.store_links(work.conn, everything, None, (*stored.LINK_KINDS, *stored.SUM_KINDS), as_of=as_of)
    events = events_of(documents, everything, registers)
    gone = np.setdiff1d(stored.no_documents(work.conn, None), events["record_id"].to_numpy())
    changed = stored.store_events(work.conn, _with_none(events, gone), as_of=as_of, keep=keep)
    return Linked(documents.num_rows, changed)


def _link_changed(work: _Work, changed: Ints, as_of: Any) -> Linked:
    """Link the changed documents anew with all that hangs together with them, before or after."""
    conn, settings = work.conn, work.settings
    before = stored.load_places(conn, PLACE, changed)
    registers, mine = _load(work, changed)
    after = _places(mine, registers, settings)
    stored.store_places(conn, after, changed)
    reached = np.union1d(changed, _disturbed(work, pa.concat_tables([before, after])))
    weighed, documents, registers = _closure(work, reached)
    inside = documents["record_id"].to_numpy()
    everything = np.union1d(inside, changed)
    stored.store_links(conn, link_weighed(weighed, settings), everything, as_of=as_of)
    clients = np.union1d(*(_clients(one["client"]) for one in (before, documents)))
    documents, registers = _with_sums(work, clients, everything, as_of=as_of)
    links = stored.links_of(conn, LINK, documents["record_id"].to_numpy())
    events = events_of(documents, links, registers)
    gone = np.setdiff1d(stored.no_documents(conn, changed), events["record_id"].to_numpy())
    return Linked(documents.num_rows, stored.store_events(conn, _with_none(events, gone), as_of=as_of))


def _disturbed(work: _Work, places: pa.Table) -> Ints:
    """Documents of the blocks in which the changed ones stood or stand: their rarity is another now, unless a block was
    over its limit and is so still."""
    cap, found = work.settings.largest_block, [np.zeros(0, np.int64)]
    for column, blocks in blocks_of(places, work.settings).items():
        key, of = np.unique(places[column].drop_null().to_numpy(), return_counts=True)
        more = of[np.searchsorted(key, blocks[0])] if len(key) else np.zeros(0, np.int64)
        at, records = stored.members(work.conn, column, blocks, cap + 1 + more)
        size = np.bincount(at, minlength=len(blocks[0]))
        found.append(records[(size <= cap + more)[at]])
    return np.unique(np.concatenate(found))


def _closure(work: _Work, reached: Ints) -> tuple[Weighed, pa.Table, Registers]:
    """The pairs and documents that hang together with `reached`, by plausible pairs, links and parents."""
    while True:
        known = len(reached)
        linked = stored.links_of(work.conn, LINK, reached)
        more = [reached, *(linked[name].to_numpy() for name in LINK.names[:2]), stored.kin(work.conn, reached)]
        more += [work.said[name].to_numpy()[_said_of(work.said, reached)] for name in SAID.names[:2]]
        reached = np.unique(np.concatenate(more))
        places = stored.load_places(work.conn, PLACE, reached)
        around = [reached]
        for column, blocks in blocks_of(places, work.settings).items():
            limits = np.full(len(blocks[0]), work.settings.largest_block + 1)
            around.append(stored.members(work.conn, column, blocks, limits)[1])
        registers, documents = _load(work, np.unique(np.concatenate(around)))
        weighed = weigh_documents(documents, registers, work.said, work.related, work.settings, work.size)
        further = np.union1d(reached, neighbours(weighed, reached))
        if len(further) == known:
            inside = documents.filter(pc.is_in(documents["record_id"], value_set=pa.array(reached)))
            return only_among(weighed, reached), inside, registers
        reached = further


def _without_pairs(links: pa.Table, sums: pa.Table) -> pa.Table:
    """Links without those of the pairs that sums hold: a doubtful pair is none when it is part of a sum."""
    columns = list(LINK.names[:2])
    return links.join(sums.select(columns), columns, join_type="left anti").select(LINK.names).cast(LINK)


def _said_of(said: pa.Table, records: Ints) -> Any:
    return np.isin(said["left_record_id"].to_numpy(), records) | np.isin(said["right_record_id"].to_numpy(), records)


def _with_sums(work: _Work, clients: Ints, touched: Ints, *, as_of: Any) -> tuple[pa.Table, Registers]:
    """Seek the sums of these clients anew; the documents of all events that this or the links may have changed."""
    conn = work.conn
    clients = stored.paying_clients(conn, clients) if work.settings.instalments > 1 else clients[:0]
    theirs = stored.of_clients(conn, clients, LARGEST_CLIENT + 1)
    documents = np.union1d(theirs, touched)
    while True:
        links = stored.links_of(conn, LINK, documents)
        further = np.unique(np.concatenate([documents, *(links[name].to_numpy() for name in LINK.names[:2])]))
        if len(further) == len(documents):
            break
        documents = further
    registers, found = _load(work, documents)
    others = links.filter(pc.not_equal(links["kind"], "instalment"))
    sums = instalments(found, others, work.said, registers, work.settings, clients)
    stored.store_links(conn, sums, np.union1d(theirs, touched), stored.SUM_KINDS, as_of=as_of)
    return found, registers


def _load(work: _Work, record_ids: Ints) -> tuple[Registers, pa.Table]:
    return _with_registers(work, [stored.load(work.conn, work.words, record_ids)])


def _with_registers(work: _Work, parts: Sequence[pa.Table]) -> tuple[Registers, pa.Table]:
    """The documents (DOCUMENT) with their registers: those that there are, the one that counts first in front."""
    if not parts:
        return Registers(()), DOCUMENT.empty_table()
    names = sorted(
        {
            (row["source"], row["type"])
            for part in parts
            for row in part.group_by(["source", "type"]).aggregate([]).to_pylist()
        },
        key=lambda name: _rank(work, *name),
    )
    registers = Registers(
        tuple(Register(source, type_, *work.types[type_], rank) for rank, (source, type_) in enumerate(names))
    )
    place = {f"{source}\n{type_}": at for at, (source, type_) in enumerate(names)}
    known = pa.array(list(place), pa.string())
    tables = []
    for part in parts:
        name = pc.binary_join_element_wise(part["source"], part["type"], "\n")
        code = pc.index_in(name, value_set=known)
        tables.append(part.append_column("register", code.cast(pa.int32())).select(DOCUMENT.names).cast(DOCUMENT))
    return registers, pa.concat_tables(tables)


def _rank(work: _Work, source: str, type_: str) -> tuple[Any, ...]:
    """What counts first: a register with authority over its type, then what is nearest to money, then trust."""
    decides = source in work.authority.get(type_, ())
    money = MONEY.index(work.types[type_][0])
    order = money if money > MONEY.index("invoiced") else MONEY.index("invoiced") - money
    return not decides, order, -work.trust.get(source, 0), source, type_


def _places(documents: pa.Table, registers: Registers, settings: DocumentSettings) -> pa.Table:
    columns = columns_of(documents, registers)
    return places_of(columns, faces_of(columns, registers, settings), documents)


def _clients(column: pa.ChunkedArray) -> Ints:
    found: Ints = np.unique(column.drop_null().to_numpy())
    return found


def _with_none(events: pa.Table, gone: Ints) -> pa.Table:
    """The events, and of records that are no documents any more that they have none."""
    if not len(gone):
        return events
    nothing = {"record_id": pa.array(gone)} | {
        f.name: pa.nulls(len(gone), f.type) for f in EVENT if f.name != "record_id"
    }
    schema = pa.schema([field.with_nullable(True) for field in EVENT])
    return pa.concat_tables([events.cast(schema), pa.table(nothing, schema=schema)])
