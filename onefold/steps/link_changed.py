"""Documents that changed, linked anew with all that hangs together with them, before or after.

What a change reaches: the documents of its blocks, whose rarity is another now; what hangs together with these by
plausible pairs; of the clients in whose events something moved, the sums; and the events of whatever got or lost a
link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, columns_of
from identity.documents.counting import events_of
from identity.documents.events import groups
from identity.documents.instalments import LARGEST_CLIENT, instalments
from identity.documents.link import link_weighed
from identity.documents.open_papers import open_papers
from identity.documents.schema import OPEN, PLACE, TIE, VOID, Ints, Registers
from identity.documents.sets import isin, union, without
from onefold.steps.document_reach import ENDS, STANDING, Reach, distinct_links, disturbed
from onefold.steps.document_work import Linked, Work, load, places, with_none, without_pairs
from warehouse import documents as stored

if TYPE_CHECKING:
    import psycopg

_SUM: Final = "instalment"
_KINDS: Final = pa.schema(list(TIE)[:3])


def link_changed(work: Work, changed: Ints, as_of: Any, beside: psycopg.Connection) -> Linked:
    """Bring links and events up to the documents that changed. `beside`: a second connection, to read on."""
    conn, settings = work.conn, work.settings
    for one in (conn, beside):
        stored.in_one_process(one)
    before = stored.load_places(conn, PLACE, changed)
    registers, mine = load(work, changed)
    columns = columns_of(mine, registers)
    after = places(columns, mine, registers, settings)
    clients = union(_clients(before), _clients(after))
    counted = stored.count_documents(conn, clients, LARGEST_CLIENT + 1)
    stored.store_places(conn, after, changed)
    reach = Reach(work, beside, registers)
    reach.learn(after, changed)
    reach.extend(union(changed, disturbed(reach, before, after)))
    dirty = changed[:0]
    while True:
        links = link_weighed(reach.weighed(), settings)
        old = reach.links()
        is_sum = pc.equal(old["kind"], _SUM)
        sums_here, old = old.filter(is_sum), old.filter(pc.invert(is_sum))
        was, dirty = dirty, union(changed, _moved(old, links))
        if np.array_equal(was, dirty):
            break
        sums, former = _sums(work, reach, links, dirty, changed, (clients, counted))
        # A pair that is no sum any more may be a doubtful one again.
        freed = without(_moved(former, sums), reach.records)
        if not len(freed):
            break
        reach.extend(freed)
    kept = without_pairs(sums_here, former)
    links = pa.concat_tables([without_pairs(links, pa.concat_tables([kept, sums.select(TIE.names)])), sums])
    before_links = pa.concat_tables([old, former])
    stored.change_links(conn, links, _gone(before_links, links), as_of=as_of)
    moved = union(changed, _moved(before_links, links))
    _store_open(work, reach, links, moved)
    here = pa.concat_tables([links.select(TIE.names), kept.select(TIE.names)])
    events = _events(reach, here, moved, _void(registers, mine))
    gone = without(stored.no_documents(conn, changed), events["record_id"].to_numpy())
    return Linked(len(reach.records), stored.store_events(conn, with_none(events, gone), as_of=as_of))


def _sums(
    work: Work, reach: Reach, links: pa.Table, dirty: Ints, changed: Ints, clients: tuple[Ints, dict[int, int]]
) -> tuple[pa.Table, pa.Table]:
    """The sums of the clients in whose events something moved, and those that are stored of them.

    `links` are those of all that was reached, `dirty` the documents that moved or got or lost one; `clients`: whose
    documents changed, and how many each had before.
    """
    conn, inside = work.conn, reach.records
    documents = reach.documents(inside)
    moved = _of_events(documents, links, dirty)
    sought = union(clients[0], documents.client[documents.has_client & isin(documents.record_id, moved)])
    now = stored.count_documents(conn, sought, LARGEST_CLIENT + 1)
    few = np.array([client for client, count in now.items() if count <= LARGEST_CLIENT], np.int64)
    # A client that becomes a collective account loses its sums, once.
    grown = [c for c, count in now.items() if count > LARGEST_CLIENT and clients[1].get(c, count) <= LARGEST_CLIENT]
    mine = union(few, np.array(grown, np.int64))
    # What is open of what was not reached is as it is stored; whole events were reached, or nothing of them.
    papers = stored.open_papers(conn, OPEN, mine, of_clients=True)
    papers = papers.filter(pa.array(~isin(papers["record_id"].to_numpy(), inside)))
    near = union(changed, documents.record_id[documents.has_client & isin(documents.client, mine)])
    here = _at(reach.links(), near)
    sums = stored.links_of(conn, TIE, papers["record_id"].to_numpy(), kind=_SUM)
    former = distinct_links(pa.concat_tables([sums, here.filter(pc.equal(here["kind"], _SUM))]))
    reach.learn_registers(papers)
    documents = reach.documents(inside)
    papers = pa.concat_tables([papers, open_papers(documents, links, reach.registers)])
    return instalments(papers, reach.registers, work.said, work.settings, union(few)), former


def _store_open(work: Work, reach: Reach, links: pa.Table, dirty: Ints) -> None:
    """Note what is open now of the events that `dirty` documents were or are of; `links`: all of what was reached, with
    sums."""
    columns, links = reach.documents(reach.records), links.filter(pc.not_equal(links["kind"], _SUM))
    moved = union(dirty, _of_events(columns, links, dirty))
    after = open_papers(columns, links, reach.registers)
    after = after.filter(pc.is_in(after["record_id"], value_set=pa.array(moved)))
    stored.change_open(work.conn, stored.open_papers(work.conn, OPEN, moved), after)


def _of_events(documents: Columns, links: pa.Table, some: Ints) -> Ints:
    """The documents of the events that `some` are of."""
    ids, linked = documents.record_id, _linked(links)
    event = groups(len(ids), *(np.searchsorted(ids, linked[name].to_numpy()) for name in ENDS))
    found: Ints = ids[isin(event, union(event[isin(ids, some)]))]
    return found


def _void(registers: Registers, documents: pa.Table) -> pa.Table:
    """Those of the documents that have no place, for they are void; with the codes of their registers."""
    void = documents.filter(pc.equal(documents["state"], VOID))
    codes = registers.codes()[void["register"].to_numpy()] if void.num_rows else np.zeros(0, np.int64)
    return pa.table([void["record_id"], codes, void["state"]], schema=STANDING)


def _events(reach: Reach, here: pa.Table, seeds: Ints, void: pa.Table) -> pa.Table:
    """The events (EVENT) of these and of whatever is linked with them. `here`: all links (TIE) at what was reached;
    `void`: those of the documents that changed that have no place."""
    known, further, links = seeds, seeds, [TIE.empty_table()]
    while len(further):
        inside = isin(further, reach.records)
        links.append(_at(here, further[inside]))
        if not inside.all():
            links.append(stored.links_of(reach.work.conn, TIE, further[~inside]))
        ends = (_linked(one)[name].to_numpy() for one in links[-2:] for name in ENDS)
        further = without(np.concatenate(list(ends)), known)
        known = union(known, further)
    documents = reach.standing(known, void)
    return events_of(documents, distinct_links(_linked(pa.concat_tables(links))), reach.registers)


def _linked(links: pa.Table) -> pa.Table:
    return links.filter(pc.equal(links["status"], "linked"))


def _at(links: pa.Table, records: Ints) -> pa.Table:
    """The links with an end among these records."""
    ids = pa.array(records)
    return links.filter(pc.or_(*(pc.is_in(links[name], value_set=ids) for name in ENDS)))


def _moved(old: pa.Table, new: pa.Table) -> Ints:
    """The documents that have a link in the one and not in the other, or another kind of it."""
    ties = [_linked(one).select(TIE.names[:3]).cast(_KINDS) for one in (old, new)]
    # A tie that stands in both comes twice.
    count = pa.concat_tables(ties).group_by(_KINDS.names).aggregate([([], "count_all")])
    one_sided = count.filter(pc.equal(count["count_all"], 1))
    return union(*(one_sided[name].to_numpy() for name in ENDS))


def _gone(old: pa.Table, new: pa.Table) -> tuple[Ints, Ints]:
    """The pairs that have no link any more."""
    lost = without_pairs(old, new)
    return lost[ENDS[0]].to_numpy(), lost[ENDS[1]].to_numpy()


def _clients(rows: pa.Table) -> Ints:
    return union(rows["client"].drop_null().to_numpy())
