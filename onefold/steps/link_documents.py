"""link_documents: which interactions of different registers record one business event, and which of them counts.

Publish ends with it. What changed is linked anew with everything that hangs together with it by plausible pairs
(link_changed); the outcome is that of linking all documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from identity.documents.columns import Columns, by_record, columns_of
from identity.documents.counting import events_of as events_of_links
from identity.documents.evidence import size_class
from identity.documents.instalments import instalments, not_collective
from identity.documents.link import link_weighed, weigh_documents
from identity.documents.open_papers import open_papers
from identity.documents.schema import RELATED, Ints, Registers
from identity.documents.sets import without
from onefold.steps.ahead import ahead, storing
from onefold.steps.document_work import Linked, Work, places, with_none, with_registers, without_pairs, work_of
from onefold.steps.link_changed import link_changed
from onefold.steps.rules import document_rules, fingerprint, has_work
from warehouse import documents as stored
from warehouse import facts, fingerprints, queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

_DAYS: Final = 4_096
"""Days after which another one may stand where one stood: only where links are stored depends on it."""
_ALL_SHARE: Final = 20_000
"""Changed documents from which all are linked anew."""


def link_documents(context: Context, conn: psycopg.Connection, *, after: int) -> Linked:
    """Bring links and events up to the documents, in one transaction under the hub lock.

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
        as_of, work = next_as_of(conn, context.clock), work_of(context, conn)
        if are_new or len(batch.pending_ids) == _ALL_SHARE or stored.is_first(conn):
            with context.connection("onefold publish, beside") as beside:
                done = _link_all(work, beside, as_of, keep=stored.were_published(conn, after))
            stored.forget_queue(conn)
        else:
            with context.connection("onefold publish, reading") as beside, unit_of_work(beside):
                done = link_changed(work, np.array(sorted(batch.record_ids), np.int64), as_of, beside)
            queue.done(conn, batch)
    return done


@contextmanager
def first_links(context: Context, conn: psycopg.Connection, as_of: datetime) -> Iterator[facts.EventsOf]:
    """The links of documents whose facts are published for the first time, by `facts.refresh_first`, under the
    hub lock: their events are known before a fact is written.

    Documents are read while the server finds out whose they are, linked while it finds out what else follows from them,
    and the links are stored while it writes the facts.
    """
    work = work_of(context, conn)
    with context.connection("onefold publish, beside") as beside, ExitStack() as linking:
        with storing(lambda: _unpublished(work, beside)) as read:

            def events_of(clients: pa.Table, meanwhile: Callable[[], None]) -> pa.Table:
                registers, documents = read()
                fingerprints.remember(conn, "rules", {"documents": fingerprint(document_rules(context))})
                documents = _with_clients(documents, by_record(clients))
                links, open_, laid_out = _links_of(work, registers, documents, meanwhile)
                # In a transaction of their own, so that both are stored at a time. Readers are not served links; should
                # these stay behind alone, no places are there, and all is linked anew.
                linking.enter_context(unit_of_work(beside))
                linking.enter_context(storing(lambda: _store_first_links(beside, laid_out(links), open_, as_of)))
                return events_of_links(documents, links, registers)

            yield events_of
        stored.forget_queue(conn)


def _link_all(work: Work, beside: psycopg.Connection, as_of: Any, *, keep: bool) -> Linked:
    with unit_of_work(beside):
        registers, documents = with_registers(work, _all_documents(work, beside))
    documents = by_record(documents)
    links, open_, laid_out = _links_of(work, registers, documents)
    with storing(lambda: _store_links(work.conn, laid_out(links), open_, as_of)):
        events = events_of_links(documents, links, registers)
    gone = without(stored.no_documents(work.conn, None), events["record_id"].to_numpy())
    changed = stored.store_events(work.conn, with_none(events, gone), as_of=as_of, keep=keep)
    return Linked(documents.num_rows, changed)


def _links_of(
    work: Work, registers: Registers, documents: pa.Table, meanwhile: Callable[[], None] | None = None
) -> tuple[pa.Table, pa.Table, Callable[[pa.Table], pa.Table]]:
    """The links of all documents (LINK), the papers that nothing settles (OPEN), and what lays links out as they are
    stored. Where the documents are is stored while they are linked, after what else there is to do `meanwhile`."""
    settings, size = work.settings, size_class(documents.num_rows)
    fingerprints.remember(work.conn, "documents", {"size": UUID(int=size)})
    columns, related = columns_of(documents, registers), stored.related(work.conn, RELATED)

    def store() -> None:
        if meanwhile:
            meanwhile()
        _store_places(work, columns, documents, registers)

    with storing(store) as stored_places:
        weighed = weigh_documents(columns, registers, work.said, related, settings, size)
        links = link_weighed(weighed, settings)
        del weighed
        papers = open_papers(columns, links, registers)
        sums = instalments(papers, registers, work.said, settings, not_collective(columns))
        links = pa.concat_tables([without_pairs(links, sums), sums])
        stored_places()
    return links, papers, partial(_together, columns.record_id, columns.amount * _DAYS + columns.day % _DAYS)


def _together(record_ids: Ints, near: Ints, links: pa.Table) -> pa.Table:
    """The links as they are stored: those of an event, which are asked for together, stand together. `near`: of each
    document a number like that of those of its event."""
    left = np.searchsorted(record_ids, links["left_record_id"].to_numpy())
    return links.take(pa.array(np.argsort(near[left])))


def _unpublished(work: Work, conn: psycopg.Connection) -> tuple[Registers, pa.Table]:
    """All documents, none of which was ever published, by record; nobody knows yet whose they are."""
    with unit_of_work(conn):
        pages = stored.all_pages(conn)
        registers, documents = with_registers(work, stored.load_unpublished(conn, work.words, pages))
    return registers, by_record(documents)


def _with_clients(documents: pa.Table, clients: pa.Table) -> pa.Table:
    """The documents with their clients; both are ordered by record, and each has one."""
    at = np.searchsorted(clients["record_id"].to_numpy(), documents["record_id"].to_numpy())
    place = documents.schema.get_field_index("client")
    return documents.set_column(
        place, documents.schema.field(place), clients["client"].combine_chunks().take(pa.array(at))
    )


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


def _store_first_links(conn: psycopg.Connection, links: pa.Table, papers: pa.Table, as_of: Any) -> None:
    """`_store_links` beside a transaction that waits for it, of which the server knows nothing."""
    stored.wait_no_longer(conn)
    _store_links(conn, links, papers, as_of)


def _store_links(conn: psycopg.Connection, links: pa.Table, papers: pa.Table, as_of: Any) -> None:
    stored.store_links(conn, links, as_of=as_of)
    stored.store_open(conn, papers)


def _store_places(work: Work, columns: Columns, documents: pa.Table, registers: Registers) -> None:
    stored.store_places(work.conn, places(columns, documents, registers, work.settings), None)
