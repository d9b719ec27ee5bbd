"""What every part of linking documents needs: the rules in force, and documents with their registers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, faces_of, places_of
from identity.documents.schema import DOCUMENT, EVENT, LINK, SAID, Ints, Register, Registers
from identity.documents.sets import isin, union
from identity.documents.settings import MONEY, DocumentSettings
from onefold.steps.rules import document_authority, trust
from warehouse import documents as stored
from warehouse import fingerprints

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


_BETWEEN: Final = "\n"
"""Between the names of a source and a type."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking did."""

    documents: int = 0
    """Documents that were looked at."""
    changed: int = 0
    """Interactions whose event, or whether they count, is another now."""


@dataclass(frozen=True)
class Work:
    """What every part of the step needs."""

    conn: psycopg.Connection
    settings: DocumentSettings
    types: dict[str, tuple[str, str | None]]
    trust: dict[str, int]
    authority: dict[str, list[str]]
    said: pa.Table
    size: int | None
    """The hub's size class when all documents were linked last; weights stay as they were then."""

    @property
    def words(self) -> dict[str, Sequence[str]]:
        """How a document says how it stands."""
        states = self.settings.states
        return {"fields": states.fields, "sold": states.sold, "void": states.void}


def work_of(context: Context, conn: psycopg.Connection) -> Work:
    """The rules and judgements in force."""
    size = fingerprints.stored(conn, "documents").get("size")
    return Work(
        conn,
        context.configuration.document_rules,
        stored.types(conn),
        trust(context),
        document_authority(context),
        stored.said(conn, SAID),
        None if size is None else size.int,
    )


def load(work: Work, record_ids: Ints) -> tuple[Registers, pa.Table]:
    """Those of the records that are documents (DOCUMENT), with their registers."""
    return with_registers(work, [stored.load(work.conn, work.words, record_ids)])


def with_registers(work: Work, parts: Iterable[pa.Table]) -> tuple[Registers, pa.Table]:
    """The documents (DOCUMENT) with their registers: those that there are, the one that counts first in front.

    Of `parts` one is held at a time: their texts are most of what they are.
    """
    tables, found = [DOCUMENT.empty_table()], list[str]()
    for part in parts:
        name = pc.binary_join_element_wise(part["source"], part["type"], _BETWEEN)
        found += sorted(set(name.unique().to_pylist()) - set(found))
        code = pc.index_in(name, value_set=pa.array(found, pa.string()))
        tables.append(part.append_column("register", code.cast(pa.int32())).select(DOCUMENT.names).cast(DOCUMENT))
    registers = registers_of(work, (name.split(_BETWEEN, 1) for name in found))
    rank = {_BETWEEN.join((one.source, one.type)): at for at, one in enumerate(registers.registers)}
    ranks = pa.array([rank[name] for name in found], pa.int32())
    documents = pa.concat_tables(tables)
    at = DOCUMENT.get_field_index("register")
    return registers, documents.set_column(at, DOCUMENT.field(at), ranks.take(documents["register"]))


def registers_of(work: Work, names: Iterable[Sequence[str]]) -> Registers:
    """The registers of these sources and types, the one that counts first in front."""
    ranked = sorted(names, key=lambda name: _rank(work, *name))
    return Registers(
        tuple(Register(source, type_, *work.types[type_], rank) for rank, (source, type_) in enumerate(ranked))
    )


def _rank(work: Work, source: str, type_: str) -> tuple[Any, ...]:
    """What counts first: a register with authority over its type, then what is nearest to money, then trust."""
    decides = source in work.authority.get(type_, ())
    money = MONEY.index(work.types[type_][0])
    order = money if money > MONEY.index("invoiced") else MONEY.index("invoiced") - money
    return not decides, order, -work.trust.get(source, 0), source, type_


def places(columns: Columns, documents: pa.Table, registers: Registers, settings: DocumentSettings) -> pa.Table:
    """Where the documents are looked for (PLACE); `columns` are those of `documents`."""
    return places_of(columns, faces_of(columns, registers, settings), registers, documents)


def with_none(events: pa.Table, gone: Ints) -> pa.Table:
    """The events, and of records that are no documents any more that they have none."""
    if not len(gone):
        return events
    nothing = {"record_id": pa.array(gone)} | {
        f.name: pa.nulls(len(gone), f.type) for f in EVENT if f.name != "record_id"
    }
    schema = pa.schema([field.with_nullable(True) for field in EVENT])
    return pa.concat_tables([events.cast(schema), pa.table(nothing, schema=schema)])


def without_pairs(links: pa.Table, sums: pa.Table) -> pa.Table:
    """Links without those of the pairs that sums hold: a doubtful pair is none when it is part of a sum."""
    (left, right), gone = ([one[name].to_numpy() for name in LINK.names[:2]] for one in (links, sums))
    pairs = set(zip(*(end.tolist() for end in gone), strict=True))
    keep = np.ones(len(left), np.bool_)
    for at in np.flatnonzero(isin(left, union(gone[0]))).tolist():
        keep[at] = (left[at], right[at]) not in pairs
    return links if keep.all() else links.filter(pa.array(keep))
