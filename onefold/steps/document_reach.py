"""What a change of documents reaches, read from the database bit by bit.

A document's pairs are known when its blocks are there whole, or are known to be over their limit. So only the blocks of
what was reached last are read, until nothing further is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, columns_of_places
from identity.documents.link import Weighed, joined, neighbours, weigh_documents
from identity.documents.pairs import PlaceBlocks, blocks_of, slot_lengths, with_blocks
from identity.documents.schema import PLACE, RELATED, SAID, TIE, Flags, Ints, Registers
from identity.documents.sets import isin, union, without
from onefold.steps.ahead import storing
from onefold.steps.document_work import Work, places, registers_of
from warehouse import documents as stored

if TYPE_CHECKING:
    import psycopg

ENDS: Final = tuple(TIE.names[:2])
STANDING: Final = pa.schema(
    [pa.field(name, PLACE.field(name).type, nullable=False) for name in ("record_id", "register_key", "state")]
)
"""What events depend on beside links."""
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
    asked: pa.Table
    """The places that the blocks were asked for by."""
    at: Ints
    """The block of each member."""
    found: pa.Table
    """What stands there of each member (PLACE)."""

    @property
    def records(self) -> Ints:
        """Of each member."""
        records: Ints = self.found["record_id"].to_numpy()
        return records


def disturbed(reach: Reach, before: pa.Table, after: pa.Table) -> Ints:
    """Documents whose rarity is another now, for some have changed that stood in `before` or stand in `after` (PLACE):
    those of the blocks that these left or came to in their books, and of blocks that may have crossed their limit all;
    not of one that was over it and is so still. Who has a pair with one of these is reached by that."""
    work = reach.work
    cap = work.settings.largest_block
    places = pa.concat_tables([before, after])
    places = places.append_column("row", pa.array(np.arange(places.num_rows)))
    places = places.append_column("whose", pa.array(np.concatenate([reach.codes(before), reach.codes(after)])))
    known = {
        name: np.unique(places[name].drop_null().to_numpy(), return_counts=True)
        for name in ("amount_key", "client_key", "number_key")
    }

    def limits(column: str, keys: Ints) -> Ints:
        key, many = known[column]
        found: Ints = cap + many[np.searchsorted(key, keys)]
        return found

    for one in (before, after):
        reach.learn_registers(one)
    by_amount, by_number = (_moved(places, names) for names in (("amount_key", "client_key"), ("number_key",)))
    blocks = list(_around(work, by_amount, by_number, limits))
    for one in blocks:
        reach.learn(one.found)
    columns = reach.documents(union(*(one.records for one in blocks)))
    book, ids = reach.books(places["whose"].to_numpy()), columns.record_id
    count = int(max(columns.book.max(initial=0), book.max(initial=0))) + 1
    found = []
    for one in blocks:
        whose = book[one.asked["row"].to_numpy()]
        mine = whose >= 0
        # At most so many have come or gone: a block this far below its limit was never over it.
        size = np.bincount(one.at, minlength=len(one.blocks.key))
        came = np.bincount(one.blocks.of.reshape(-1), minlength=len(one.blocks.key))
        whole = size + came > cap
        whole[one.blocks.of[:, ~mine].reshape(-1)] = True
        moved = union(*((blocks_of_row * count + whose)[mine] for blocks_of_row in one.blocks.of))
        at, records = one.at, one.records
        its = columns.book[np.minimum(np.searchsorted(ids, records), max(len(ids) - 1, 0))] if len(ids) else records
        found.append(records[whole[at] | isin(at * count + its, moved)])
    return union(*found)


def _moved(places: pa.Table, names: Sequence[str]) -> pa.Table:
    """Those of the places, as they were and as they are, that by these columns were not or are not where they are."""
    once = places.group_by(["record_id", "face", "day", "whose", *names]).aggregate([("row", "min"), ("row", "max")])
    rows = union(once["row_min"].to_numpy()[once["row_min"].to_numpy() == once["row_max"].to_numpy()])
    return places.filter(pa.array(isin(places["row"].to_numpy(), rows)))


def _around(work: Work, by_amount: pa.Table, by_number: pa.Table, limits: _Limits) -> Iterator[_Members]:
    """Members of the blocks of these places, of amounts and clients, and of numbers. Blocks of clients are asked for
    only where one of the amount is over its limit: they are within it else."""
    wide, weeks, days = slot_lengths(work.settings)
    crowded = np.zeros(0, np.int64)
    for column, lengths in (("amount_key", (wide,)), ("client_key", (wide, weeks, days)), ("number_key", (wide,))):
        some = with_blocks(by_number if column == "number_key" else by_amount, column)
        if column == "client_key":
            some = some.filter(pc.is_in(some["amount_key"], value_set=pa.array(crowded)))
        for length in lengths:
            if not some.num_rows:
                break
            blocks = blocks_of(some, column, length)
            asked = (blocks.key, blocks.first, blocks.last)
            at, found, full = stored.members(work.conn, PLACE, column, asked, limits(column, blocks.key))
            over = np.zeros(len(blocks.key), np.bool_)
            over[full] = True
            yield _Members(column, length, blocks, over, some, at, found)
            some = some.filter(pa.array(blocks.whose(over)))
        if column == "amount_key":
            crowded = union(some["amount_key"].to_numpy())


class Reach:
    """The documents that hang together with some, by plausible pairs, links, parents and judgements.

    What this transaction has not written is read on a second connection meanwhile.
    """

    def __init__(self, work: Work, beside: psycopg.Connection, registers: Registers) -> None:
        """`registers`: those of the documents that changed."""
        self.work = work
        self._beside = beside
        self.registers = registers
        """Those that were met so far."""
        self._papers = PLACE.empty_table()
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
            places = self._places(records)
            kin = stored.kin(conn, records, union(places["parent_record_id"].drop_null().to_numpy()))
            around = list(_around(self.work, places, places, lambda _, keys: np.full(len(keys), cap)))
            links = linked()
        self._links.append(links)
        # What is linked with these is looked at for links of its own in the next round.
        near = union(records, *(links[name].to_numpy() for name in ENDS), kin)
        near = union(near, *(said[name].to_numpy()[_said_of(said, records)] for name in SAID.names[:2]))
        for one in around:
            self.learn(one.found)
        columns = self.documents(union(near, *(one.records for one in around)))
        crowded: dict[str, dict[int, Ints]] = {}
        for one in around:
            crowded.setdefault(one.column, {})[one.length] = one.blocks.codes(one.over)
        assert self.work.size is not None
        size, mine = self.work.size, isin(columns.record_id, records)
        settings, related = self.work.settings, partial(self._kin_of, columns)
        return near, weigh_documents(columns, self.registers, said, related, settings, size, mine, crowded)

    def learn(self, places: pa.Table, records: Ints | None = None) -> None:
        """What these documents say now, by their places (PLACE); `records`: all that were looked for."""
        ids = places["record_id"].to_numpy()
        first = np.flatnonzero((places["face"].to_numpy() == 0) & ~isin(ids, self._loaded))
        _, once = np.unique(ids[first], return_index=True)
        fresh = places.take(pa.array(first[once]))
        self.learn_registers(fresh)
        # What bears a name that nobody knows is no document any more.
        fresh = fresh.filter(pc.is_in(fresh["register_key"], value_set=pa.array(self.registers.codes())))
        self._papers = pa.concat_tables([self._papers, fresh])
        self._loaded = union(self._loaded, ids[first] if records is None else records)

    def learn_registers(self, places: pa.Table) -> None:
        """One document of each register tells what its source and type are."""
        first = places.filter(pc.is_valid(places["register_key"]))
        codes, at = np.unique(first["register_key"].to_numpy(), return_index=True)
        at = at[~isin(codes, union(self.registers.codes()))]
        if len(at):
            found = stored.registers(self.work.conn, first["record_id"].to_numpy()[at])
            names = {(one.source, one.type) for one in self.registers.registers}
            names.update(name for name in found if name[1] in self.work.types)
            self.registers = registers_of(self.work, names)

    def codes(self, places: pa.Table) -> Ints:
        """The register's code of each place (PLACE), all of whole documents."""
        first = places.filter(pc.equal(places["face"], 0))
        order = np.argsort(first["record_id"].to_numpy())
        record, code = (first[name].to_numpy()[order] for name in ("record_id", "register_key"))
        found: Ints = code[np.searchsorted(record, places["record_id"].to_numpy())] if len(code) else code
        return found

    def books(self, codes: Ints) -> Ints:
        """The books of registers by their codes; -1 where nobody knows it any more."""
        known = isin(codes, union(self.registers.codes()))
        book = np.full(len(codes), -1, np.int64)
        book[known] = self.registers.books()[self.registers.places(codes[known])]
        return book

    def _read(self, records: Ints) -> None:
        """Read what these documents say, but of those that are known."""
        missing = without(records, self._loaded)
        if len(missing):
            conn, half = self.work.conn, len(missing) // 2
            with storing(lambda: stored.load_places(self._beside, PLACE, missing[:half], is_first=True)) as first:
                rest = stored.load_places(conn, PLACE, missing[half:], is_first=True)
                self.learn(pa.concat_tables([first(), rest]), missing)

    def papers(self, records: Ints) -> pa.Table:
        """What those of these that are documents say (PLACE, face 0); what was read before is not read again."""
        self._read(records)
        return self._papers.filter(pa.array(isin(self._papers["record_id"].to_numpy(), records)))

    def documents(self, records: Ints) -> Columns:
        """Those of these that are documents, of `registers`."""
        return columns_of_places(self.papers(records), self.registers)

    def standing(self, records: Ints, void: pa.Table) -> pa.Table:
        """What events depend on (record_id, register, state) of those of these that are documents; `void`: those of the
        changed ones that have no place, with the codes of their registers."""
        mine = void.filter(pa.array(isin(void["record_id"].to_numpy(), records)))
        found = pa.concat_tables([self.papers(records).select(STANDING.names).cast(STANDING), mine])
        return found.set_column(1, "register", pa.array(self.registers.places(found["register_key"].to_numpy())))

    def _places(self, records: Ints) -> pa.Table:
        """Where these documents are looked for (PLACE)."""
        papers = self.papers(records)
        return places(columns_of_places(papers, self.registers), papers, self.registers, self.work.settings)

    def _kin_of(self, columns: Columns, places: Ints) -> pa.Table:
        """The relationships (RELATED) that were met so far, of the clients of these documents all."""
        clients = columns.client[places]
        fresh = ~isin(clients, self._with_kin)
        if fresh.any():
            found = stored.related_of(self.work.conn, RELATED, columns.record_id[places[fresh]])
            self._related = pa.concat_tables([self._related, found])
            self._with_kin = union(self._with_kin, clients)
        return self._related

    def links(self) -> pa.Table:
        """The stored links (TIE) at what was reached, each once."""
        return distinct_links(pa.concat_tables([TIE.empty_table(), *self._links]))

    def weighed(self) -> Weighed:
        """What was reached, with all its plausible pairs."""
        return joined(self._weighed, self.documents(self.records))


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
