"""Which document counts: events of linked documents, and in each the book that ranks first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import by_record
from identity.documents.events import groups
from identity.documents.schema import CREDITED, EVENT, PAID, SALES, SOLD, VOID, Flags, Ints, Registers
from identity.documents.settings import MONEY


def events_of(documents: pa.Table, links: pa.Table, registers: Registers) -> pa.Table:
    """The event of every document (EVENT), ordered by record; `links` (LINK) among these documents.

    Sales that are linked are one event, and so are the papers of one payment. A payment that settles one event is of
    it; one that settles several is an event of its own. Quotations count only where they say that they were sold.
    """
    documents = by_record(documents)
    ids = documents["record_id"].to_numpy()
    register = documents["register"].to_numpy()
    state = documents["state"].to_numpy()
    money = registers.money()[register] if len(ids) else register.astype(np.int64)
    rank = registers.ranks()[register] if len(ids) else register.astype(np.int64)
    linked = links.filter(pc.equal(links["status"], "linked"))
    same = linked.filter(pc.equal(linked["kind"], "same"))
    event = groups(len(ids), *(_places(ids, same[name].to_numpy()) for name in LINK_ENDS))
    event = _settled(ids, money, event, linked.filter(pc.not_equal(linked["kind"], "same")))
    counts = (state != VOID) & ((money != MONEY.index("quoted")) | (state == SOLD))
    is_counted, by = np.zeros(len(ids), np.bool_), np.full(len(ids), -1, np.int64)
    for kind in (SALES, (PAID,), (CREDITED,)):
        mine = np.isin(money, kind)
        _count(event, rank, mine, mine & counts, is_counted, by)
    return pa.table(
        [ids, ids[event], is_counted, pa.array(ids[np.maximum(by, 0)] if len(ids) else ids, mask=by < 0)], schema=EVENT
    )


LINK_ENDS = ("left_record_id", "right_record_id")


def _settled(ids: Ints, money: Ints, event: Ints, settles: pa.Table) -> Ints:
    """Events in which payments and credit notes belong to the one event that they settle."""
    one, other = (_places(ids, settles[name].to_numpy()) for name in LINK_ENDS)
    is_sale = np.isin(money, SALES)
    sale, payment = np.where(is_sale[one], one, other), np.where(is_sale[one], other, one)
    low, high = np.full(len(ids), len(ids), np.int64), np.full(len(ids), -1, np.int64)
    np.minimum.at(low, event[payment], event[sale])
    np.maximum.at(high, event[payment], event[sale])
    moved = (high >= 0) & (low == high)
    return np.where(moved[event] & ~is_sale, low[event] % max(len(ids), 1), event)


def _count(event: Ints, rank: Ints, mine: Flags, may: Flags, is_counted: Flags, by: Ints) -> None:
    """Mark what counts of the documents that are `mine`, of those that `may`."""
    first = np.full(len(event), np.iinfo(np.int64).max)
    np.minimum.at(first, event[may], rank[may])
    counted = may & (rank == first[event])
    is_counted |= counted
    chosen = np.full(len(event), len(event), np.int64)
    np.minimum.at(chosen, event[counted], np.flatnonzero(counted))
    found = chosen[event]
    by[mine] = np.where(found[mine] < len(event), found[mine], -1)
    by[counted] = np.flatnonzero(counted)


def _places(sorted_ids: Ints, wanted: Ints) -> Ints:
    """The places of records that are all there."""
    at: Ints = np.searchsorted(sorted_ids, wanted).astype(np.int64)
    return at
