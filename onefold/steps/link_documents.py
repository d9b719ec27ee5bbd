"""link_documents: which interactions of different registers record one business event, and which of them counts.

Publish ends with it. What changed is linked anew with everything that hangs together with it by plausible pairs
(link_changed); the outcome is that of linking all documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from identity.documents.columns import Columns, by_record, columns_of
from identity.documents.counting import events_of
from identity.documents.evidence import size_class
from identity.documents.instalments import instalments
from identity.documents.link import link_weighed, weigh_documents
from identity.documents.open_papers import open_papers
from identity.documents.schema import RELATED, Registers
from identity.documents.sets import without
from onefold.steps.ahead import ahead, storing
from onefold.steps.document_work import Linked, Work, places, with_none, with_registers, without_pairs, work_of
from onefold.steps.link_changed import link_changed
from onefold.steps.rules import document_rules, fingerprint, has_work
from warehouse import documents as stored
from warehouse import fingerprints, queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

_ALL_SHARE: Final = 20_000
"""Changed documents from which all are linked anew."""


def link_documents(context: Context, conn: psycopg.Connection, *, after: int) -> Linked:
    """Bring links and events up to the documents, in one transaction under the hub lock (the first links in another).

    Not chunk by chunk: a block of which some members are looked for where they stood before, and are known as they are
    now, would look smaller than it is.

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
        if not (are_new or batch):
            return Linked()  # another process was here while this one waited for its turn
        as_of, work, is_first = next_as_of(conn, context.clock), work_of(context, conn), stored.is_first(conn)
        if are_new or len(batch.pending_ids) == _ALL_SHARE or is_first:
            seen = stored.were_published(conn, after)
            with context.connection("onefold publish, beside") as beside:
                done = _link_all(work, beside, as_of, keep=seen, is_first=is_first and not seen)
            stored.forget_queue(conn)
        else:
            with context.connection("onefold publish, reading") as beside, unit_of_work(beside):
                done = link_changed(work, np.array(sorted(batch.record_ids), np.int64), as_of, beside)
            queue.done(conn, batch)
    return done


def _link_all(work: Work, beside: psycopg.Connection, as_of: Any, *, keep: bool, is_first: bool) -> Linked:
    """Link all documents. `is_first`: no event is stored, and nobody has read the facts."""
    conn, settings = work.conn, work.settings
    with unit_of_work(beside):
        registers, documents = with_registers(work, _all_documents(work, beside))
    documents = by_record(documents)
    size = size_class(documents.num_rows)
    fingerprints.remember(conn, "documents", {"size": UUID(int=size)})
    columns, related = columns_of(documents, registers), stored.related(conn, RELATED)
    # The database stores where the documents are while they are linked here, and the links while they are counted.
    with storing(lambda: _store_places(work, columns, documents, registers)) as stored_places:
        weighed = weigh_documents(columns, registers, work.said, related, settings, size)
        links = link_weighed(weighed, settings)
        del weighed
        papers = open_papers(columns, links)
        sums = instalments(columns, papers, work.said, settings)
        links = pa.concat_tables([without_pairs(links, sums), sums])
        stored_places()
    open_ = papers.stored(columns)
    if is_first:
        # In a transaction of their own, so that both are stored at a time. Readers are not served links; should these
        # stay behind alone, no places are there, and all is linked anew.
        with unit_of_work(beside), storing(lambda: _store_links(beside, links, open_, as_of)):
            events = events_of(documents, links, registers)
            return Linked(documents.num_rows, stored.store_first_events(conn, events, as_of=as_of))
    with storing(lambda: _store_links(conn, links, open_, as_of)):
        events = events_of(documents, links, registers)
    gone = without(stored.no_documents(conn, None), events["record_id"].to_numpy())
    changed = stored.store_events(conn, with_none(events, gone), as_of=as_of, keep=keep)
    return Linked(documents.num_rows, changed)


def _all_documents(work: Work, beside: psycopg.Connection) -> Iterator[pa.Table]:
    """All documents (stored.FOUND), part by part, read on both connections: the server works with two processes."""
    known: list[pa.Array] = []
    pages = stored.all_pages(work.conn)
    readers = [ahead(stored.load_all(conn, work.words, pages[n::2])) for n, conn in enumerate((work.conn, beside))]
    while readers:
        for reader in list(readers):
            part = next(reader, None)
            if part is None:
                readers.remove(reader)
                continue
            known.append(part["record_id"].combine_chunks())
            yield part
    yield stored.load_waiting(work.conn, work.words, pa.concat_arrays(known))


def _store_links(conn: psycopg.Connection, links: pa.Table, papers: pa.Table, as_of: Any) -> None:
    stored.store_links(conn, links, as_of=as_of)
    stored.store_open(conn, papers)


def _store_places(work: Work, columns: Columns, documents: pa.Table, registers: Registers) -> None:
    stored.store_places(work.conn, places(columns, documents, registers, work.settings), None)
