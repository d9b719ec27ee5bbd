"""What a change of documents reaches, read from the database bit by bit.

A document's pairs are known when its blocks are there whole, or are known to be over their limit. So only the blocks of
what was reached last are read, until nothing further is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import columns_of
from identity.documents.link import Weighed, joined, neighbours, weigh_documents
from identity.documents.pairs import PlaceBlocks, blocks_of, slot_lengths, with_blocks
from identity.documents.schema import PLACE, RELATED, SAID, TIE, Flags, Ints, Registers
from identity.documents.sets import isin, union, without
from onefold.steps.ahead import storing
from onefold.steps.document_work import Work, with_registers
from warehouse import documents as stored

if TYPE_CHECKING:
    import psycopg

ENDS: Final = tuple(TIE.names[:2])
_Limits = Callable[[str, Ints], Ints]
"""Of a column of PLACE and keys in it: the size up to which a block is looked at whole."""


@dataclass(frozen=True, slots=True)
class _Members:
    """Members of blocks by one column of PLACE, and which blocks are over the limit asked for: none of theirs."""

    column: str
    length: int
    """Days of a slot."""
    blocks: PlaceBlocks
    over: Flags
    """By block."""
    places: Ints
    """The records of the places that the blocks were asked for by."""
    at: Ints
    """The block of each member."""
    records: Ints


def disturbed(reach: Reach, places: pa.Table, changed: Ints) -> Ints:
    """Documents whose rarity is another now, for some have `changed` that stood or stand in `places`: those of their
    blocks in their books, and of blocks that may have crossed their limit all; not of one that was over it and is so
    still. Who has a pair with one of these is reached by that."""
    work = reach.work
    cap = work.settings.largest_block
    known = {
        name: np.unique(places[name].drop_null().to_numpy(), return_counts=True)
        for name in ("amount_key", "client_key", "number_key")
    }

    def limits(column: str, keys: Ints) -> Ints:
        key, many = known[column]
        found: Ints = cap + many[np.searchsorted(key, keys)]
        return found

    blocks = list(_around(work, places, limits))
    near = union(changed, *(one.records for one in blocks))
    registers, documents = reach.documents(near)
    ids, book = documents["record_id"].to_numpy(), registers.books()[documents["register"].to_numpy()]
    order = np.argsort(ids)
    ids, book = ids[order], book[order]
    # Of what is no document any more, or was one of another type, nobody knows in which book it stood.
    sure = ids[~isin(ids, stored.of_another_type(work.conn, changed))]
    count = int(book.max(initial=0)) + 1
    found = []
    for one in blocks:
        mine = isin(one.places, sure)
        whose = book[np.minimum(np.searchsorted(ids, one.places), max(len(ids) - 1, 0))] if len(ids) else one.places
        # At most so many have come or gone: a block this far below its limit was never over it.
        size = np.bincount(one.at, minlength=len(one.blocks.key))
        came = np.bincount(one.blocks.of.reshape(-1), minlength=len(one.blocks.key))
        whole = size + came > cap
        whole[one.blocks.of[:, ~mine].reshape(-1)] = True
        moved = union(*((blocks_of_row * count + whose)[mine] for blocks_of_row in one.blocks.of))
        at, records = one.at, one.records
        its = book[np.minimum(np.searchsorted(ids, records), max(len(ids) - 1, 0))] if len(ids) else records
        found.append(records[whole[at] | ~isin(records, ids) | isin(at * count + its, moved)])
    return union(*found)


def _around(work: Work, places: pa.Table, limits: _Limits) -> Iterator[_Members]:
    """Members of the blocks of these places. Blocks of clients are asked for only where one of the amount is over its
    limit: they are within it else."""
    wide, weeks, days = slot_lengths(work.settings)
    crowded = np.zeros(0, np.int64)
    for column, lengths in (("amount_key", (wide,)), ("client_key", (wide, weeks, days)), ("number_key", (wide,))):
        some = with_blocks(places, column)
        if column == "client_key":
            some = some.filter(pc.is_in(some["amount_key"], value_set=pa.array(crowded)))
        for length in lengths:
            if not some.num_rows:
                break
            blocks = blocks_of(some, column, length)
            most = limits(column, blocks.key)
            at, records, full = stored.members(work.conn, column, (blocks.key, blocks.first, blocks.last), most)
            over = np.zeros(len(blocks.key), np.bool_)
            over[full] = True
            yield _Members(column, length, blocks, over, some["record_id"].to_numpy(), at, records)
            some = some.filter(pa.array(blocks.whose(over)))
        if column == "amount_key":
            crowded = union(some["amount_key"].to_numpy())


class Reach:
    """The documents that hang together with some, by plausible pairs, links, parents and judgements.

    What this transaction has not written is read on a second connection meanwhile.
    """

    def __init__(self, work: Work, beside: psycopg.Connection) -> None:
        self.work = work
        self._beside = beside
        self._raw = stored.FOUND.empty_table()
        self._loaded = np.zeros(0, np.int64)
        self._with_kin = np.zeros(0, np.int64)
        self._related = RELATED.empty_table()
        self._weighed: list[Weighed] = []
        self._links: list[pa.Table] = []
        self.records: Ints = np.zeros(0, np.int64)
        """What was reached, ordered; also what is no document any more."""

    def extend(self, records: Ints) -> None:
        """Reach these, and whatever hangs together with them."""
        while len(records := without(records, self.records)):
            near, weighed = self._weigh(records)
            self._weighed.append(weighed)
            self.records = union(self.records, records)
            records = union(near, neighbours(weighed, records))

    def _weigh(self, records: Ints) -> tuple[Ints, Weighed]:
        """What registers and people state to hang together with these documents, and the plausible pairs of these."""
        conn, said = self.work.conn, self.work.said
        cap = self.work.settings.largest_block
        with storing(lambda: stored.links_of(self._beside, TIE, records)) as linked:
            places = stored.load_places(conn, PLACE, records)
            kin = stored.kin(conn, records, union(places["parent_record_id"].drop_null().to_numpy()))
            around = list(_around(self.work, places, lambda _, keys: np.full(len(keys), cap)))
            links = linked()
        self._links.append(links)
        # What is linked with these is looked at for links of its own in the next round.
        near = union(records, *(links[name].to_numpy() for name in ENDS), kin)
        near = union(near, *(said[name].to_numpy()[_said_of(said, records)] for name in SAID.names[:2]))
        registers, documents = self.documents(union(near, *(one.records for one in around)))
        crowded: dict[str, dict[int, Ints]] = {}
        for one in around:
            crowded.setdefault(one.column, {})[one.length] = one.blocks.codes(one.over)
        with storing(lambda: self._learn_kin(documents)):
            columns = columns_of(documents, registers)
        assert self.work.size is not None
        size, mine = self.work.size, isin(columns.record_id, records)
        return near, weigh_documents(columns, registers, said, self._related, self.work.settings, size, mine, crowded)

    def documents(self, records: Ints) -> tuple[Registers, pa.Table]:
        """These documents (DOCUMENT); what was read before is not read again."""
        missing = without(records, self._loaded)
        if len(missing):
            conn, words, half = self.work.conn, self.work.words, len(missing) // 2
            with storing(lambda: stored.load(self._beside, words, missing[:half])) as first:
                rest = stored.load(conn, words, missing[half:])
                self._raw = pa.concat_tables([self._raw, first(), rest])
            self._loaded = union(self._loaded, missing)
        wanted = pa.array(records)
        return with_registers(self.work, [self._raw.filter(pc.is_in(self._raw["record_id"], value_set=wanted))])

    def ties(self, records: Ints) -> pa.Table:
        """The stored links (TIE) at these documents, each once."""
        half = len(records) // 2
        with storing(lambda: stored.links_of(self._beside, TIE, records[:half])) as first:
            rest = stored.links_of(self.work.conn, TIE, records[half:])
            return distinct_links(pa.concat_tables([first(), rest]))

    def _learn_kin(self, documents: pa.Table) -> None:
        """Ask for the relationships of clients that were not met before, by a document of each."""
        known = documents.filter(pc.is_valid(documents["client"]))
        clients, first = np.unique(known["client"].to_numpy(), return_index=True)
        fresh = ~isin(clients, self._with_kin)
        if fresh.any():
            found = stored.related_of(self._beside, RELATED, known["record_id"].to_numpy()[first[fresh]])
            self._related = pa.concat_tables([self._related, found])
            self._with_kin = union(self._with_kin, clients)

    def links(self) -> pa.Table:
        """The stored links (TIE) at what was reached, each once."""
        return distinct_links(pa.concat_tables([TIE.empty_table(), *self._links]))

    def weighed(self) -> Weighed:
        """What was reached, with all its plausible pairs."""
        registers, documents = self.documents(self.records)
        return joined(self._weighed, columns_of(documents, registers))


def distinct_links(links: pa.Table) -> pa.Table:
    """Each pair once."""
    ends = [links[name].to_numpy() for name in ENDS]
    order = np.lexsort(ends[::-1])
    left, right = (end[order] for end in ends)
    first = np.append(True, (left[1:] != left[:-1]) | (right[1:] != right[:-1]))[: len(order)]
    return links.take(pa.array(order[first]))


def _said_of(said: pa.Table, records: Ints) -> Flags:
    at: Flags = isin(said[ENDS[0]].to_numpy(), records) | isin(said[ENDS[1]].to_numpy(), records)
    return at
