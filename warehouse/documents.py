"""What linking documents reads and writes: interactions in, links, and the event of each document, out.

In the caller's transaction and under the hub lock; only differences are written.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from warehouse import arrow, in_one_piece, versions
from warehouse.arrays import bigints
from warehouse.clock import allocate_events
from warehouse.sql import qualified, sql

FOUND: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("day", pa.int32()),
        pa.field("amount", pa.int64()),
        pa.field("currency", pa.string()),
        pa.field("number", pa.string()),
        pa.field("client", pa.int64()),
        pa.field("parent_record_id", pa.int64()),
        pa.field("state", pa.int32(), nullable=False),
    ]
)
"""Documents as they stand in core.interaction; `state` 0 plain, 1 sold, 2 void; amounts in 1/10,000."""
SHOWN: Final = (
    "type", "money", "occurred_on", "amount", "currency", "document_number", "client_id", "display_name", "event_id",
    "is_counted", "counted_by",
)  # fmt: skip
SHOWN_LINK: Final = ("left", "right", "kind", "status", "bits", "amount", "evidence", "since")
_MOVED: Final = SQL("IN (SELECT record_id FROM moved_document)")
_KINDS: Final = ("same", "settles", "instalment")
_STATUSES: Final = ("linked", "review")
_PAGES: Final = 30_000
"""Pages of core.interaction that are read at a time."""
Pages = tuple[int, int]
"""The first, and the one after the last."""
Ids = npt.NDArray[np.int64]
Words = Mapping[str, Sequence[str]]
"""`fields` of detail that say how a document stands, and the words that mean `sold` and `void`, in lower case."""


def load_all(conn: psycopg.Connection[Any], words: Words, ranges: Sequence[Pages]) -> Generator[pa.Table]:
    """Those documents as they are published (FOUND) that stand in these pages, part by part, each once."""
    for first, last in ranges:
        yield in_one_piece.read(conn, _of_pages(words, first, last, published=True), schema=FOUND)


def load_unpublished(conn: psycopg.Connection[Any], words: Words, ranges: Sequence[Pages]) -> Generator[pa.Table]:
    """As `load_all`, of those that wait to be published and never were. Whose they are nobody knows yet."""
    for first, last in ranges:
        yield in_one_piece.read(conn, _of_pages(words, first, last, published=False), schema=FOUND)


def _of_pages(words: Words, first: int, last: int, *, published: bool) -> Composed:
    pages = {"first": Literal(f"({first},0)"), "last": Literal(f"({last},0)")}
    return sql("documents.of_pages").format(
        columns=_columns(words), published=SQL("NOT NULL" if published else "NULL"), **pages
    )


def all_pages(conn: psycopg.Connection[Any]) -> list[Pages]:
    """The pages of core.interaction as there are now, in parts."""
    row = conn.execute(sql("documents.pages")).fetchone()
    return [(first, first + _PAGES) for first in range(0, (int(row[0]) if row else 0) + 1, _PAGES)]


def load_waiting(conn: psycopg.Connection[Any], words: Words, known: pa.Array) -> pa.Table:
    """Of what waits to be published the documents as they were last (FOUND); but those of `known`, which standardise
    changed after they were read and which came as they are served."""
    last = in_one_piece.read(conn, sql("documents.of_versions").format(columns=_columns(words)), schema=FOUND)
    return last.filter(pc.invert(pc.is_in(last["record_id"], value_set=known)))


def load(conn: psycopg.Connection[Any], words: Words, record_ids: Ids) -> pa.Table:
    """Those of the records that are documents, published and not deleted (FOUND)."""
    query = sql("documents.of_records").format(columns=_columns(words))
    return in_one_piece.read(conn, query, {"record_ids": bigints(record_ids.tolist())}, schema=FOUND)


def _columns(words: Words) -> Composable:
    """The columns of FOUND; a word for void goes before one for sold."""
    cases = [
        SQL("WHEN lower(i.detail ->> {}) = ANY ({}::text[]) THEN {}").format(
            Literal(name), Literal(list(words[kind])), Literal(number)
        )
        for number, kind in ((2, "void"), (1, "sold"))
        for name in words["fields"]
    ]
    # Most say nothing: one look for all fields.
    silent = SQL("WHEN NOT i.detail ?| {}::text[] THEN 0").format(Literal(list(words["fields"])))
    state = SQL("CASE {} ELSE 0 END").format(SQL(" ").join([silent, *cases])) if cases else SQL("0")
    return sql("documents.columns").format(state=state)


def _of(names: Sequence[str], alias: str) -> Composed:
    """Columns of a table."""
    return SQL(", ").join(SQL("{}.{}").format(Identifier(alias), Identifier(name)) for name in names)


def types(conn: psycopg.Connection[Any]) -> dict[str, tuple[str, str | None]]:
    """Types of documents: code -> what the amount means, and whether it is net or gross."""
    return {code: (money, tax) for code, money, tax in conn.execute(sql("documents.types"))}


def load_places(
    conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Ids, *, is_first: bool = False
) -> pa.Table:
    """Where these documents were looked for when they were linked last, in the columns of `schema`; `is_first`: only
    as they are, not with their tax."""
    faces = sql("documents.first_faces") if is_first else SQL("")
    query = sql("documents.places").format(columns=_of(schema.names, "p"), faces=faces)
    return in_one_piece.read(conn, query, {"record_ids": bigints(record_ids.tolist())}, schema=schema)


def registers(conn: psycopg.Connection[Any], record_ids: Ids) -> list[tuple[str, str]]:
    """The sources and types of these interactions as they are published."""
    return conn.execute(sql("documents.registers"), {"record_ids": bigints(record_ids.tolist())}).fetchall()


def members(
    conn: psycopg.Connection[Any], schema: pa.Schema, column: str, blocks: tuple[Ids, Ids, Ids], limits: Ids
) -> tuple[Ids, pa.Table, Ids]:
    """Members of those blocks (key, first day, day after) that have no more than `limits`: place of the block, and what
    the member's own place says, in the columns of `schema`. And the places of the other blocks."""
    if not len(blocks[0]):
        return np.zeros(0, np.int64), schema.empty_table(), np.zeros(0, np.int64)
    key = {"record_id", "face"}
    query = sql("documents.members").format(
        column=qualified(column),
        columns=_of(schema.names, "p"),
        nothing=SQL(", ").join(SQL("0" if name in key else "NULL") for name in schema.names),
    )
    parameters = {
        name: bigints(values.tolist())
        for name, values in zip(("keys", "firsts", "lasts", "limits"), (*blocks, limits), strict=True)
    }
    own = [pa.field(name, pa.int64(), nullable=False) for name in ("block", "is_over")]
    found = in_one_piece.read(conn, query, parameters, schema=pa.schema([*own, *schema]))
    block, is_over = found["block"].to_numpy(), found["is_over"].to_numpy() == 1
    return block[~is_over], found.select(schema.names).filter(pa.array(~is_over)), block[is_over]


def in_one_process(conn: psycopg.Connection[Any]) -> None:
    """Until the transaction ends nothing is read by several processes of the server."""
    conn.execute(sql("documents.in_one_process"))


def wait_no_longer(conn: psycopg.Connection[Any]) -> None:
    """Until the transaction ends a lock that somebody else has for half a minute is an error."""
    conn.execute(sql("documents.wait_no_longer"))


def kin(conn: psycopg.Connection[Any], record_ids: Ids, parents: Ids) -> Ids:
    """Documents that name these as the one they belong to, and those of `parents` (whom these name) that are some."""
    return _ids(conn, "kin", {"record_ids": bigints(record_ids.tolist()), "parents": bigints(parents.tolist())})


def count_documents(conn: psycopg.Connection[Any], clients: Ids, most: int) -> dict[int, int]:
    """How many documents each of these clients (hashes) has, counted up to `most`."""
    parameters = {"clients": bigints(clients.tolist()), "most": most}
    return dict(conn.execute(sql("documents.count_documents"), parameters).fetchall())


def open_papers(conn: psycopg.Connection[Any], schema: pa.Schema, ids: Ids, *, of_clients: bool = False) -> pa.Table:
    """Those of these documents (of the documents of these clients) that nothing settled when they were linked last, in
    the columns of `schema`."""
    column = qualified("client" if of_clients else "record_id")
    query = sql("documents.open_papers").format(column=column, columns=_of(schema.names, "o"))
    return in_one_piece.read(conn, query, {"ids": bigints(ids.tolist())}, schema=schema)


def no_documents(conn: psycopg.Connection[Any], record_ids: Ids | None) -> Ids:
    """Those of the records (all) that are in an event as far as is stored."""
    return _ids(conn, "no_documents", {"record_ids": None if record_ids is None else bigints(record_ids.tolist())})


def _ids(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> Ids:
    schema = pa.schema([("record_id", pa.int64())])
    found = in_one_piece.read_integers(conn, sql(f"documents.{statement}"), parameters, schema=schema)
    ids = np.sort(found["record_id"].to_numpy())
    return ids[np.append(True, ids[1:] != ids[:-1])] if len(ids) else ids


def links_of(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Ids, *, kind: str | None = None) -> pa.Table:
    """The stored links (of one kind) at these documents, in the columns of `schema` (two ends, kind, status), ordered,
    each once."""
    which = SQL("") if kind is None else SQL("AND kind = {}").format(Literal(kind))
    parameters = {
        "record_ids": bigints(record_ids.tolist()),
        "kinds": list(_KINDS),
        "statuses": list(_STATUSES),
    }
    codes = pa.schema([(name, pa.int64()) for name in schema.names])
    query = sql("documents.links_of").format(which=which)
    found = in_one_piece.read_integers(conn, query, parameters, schema=codes)
    left, right, kind, status = (found[name].to_numpy() for name in schema.names)
    order = np.lexsort((right, left))
    # Found from both of its ends, a link comes twice.
    one, other = left[order], right[order]
    order = order[np.append(True, (one[1:] != one[:-1]) | (other[1:] != other[:-1]))[: len(order)]]
    words = (pa.array(_KINDS).take(pa.array(kind[order])), pa.array(_STATUSES).take(pa.array(status[order])))
    return pa.table([left[order], right[order], *words], schema=schema)


def said(conn: psycopg.Connection[Any], schema: pa.Schema) -> pa.Table:
    """What people said about pairs of documents, in force, in the columns of `schema`."""
    return arrow.read(conn, sql("documents.said"), schema=schema)


def related(conn: psycopg.Connection[Any], schema: pa.Schema) -> pa.Table:
    """Clients (hashes) that are one's member, branch or owner, in the columns of `schema`."""
    return arrow.read(conn, sql("documents.related"), schema=schema)


def related_of(conn: psycopg.Connection[Any], schema: pa.Schema, record_ids: Ids) -> pa.Table:
    """`related` for the clients of these documents: of each the ones that it is a member, a branch or an owner of."""
    return arrow.read(conn, sql("documents.related_of"), {"record_ids": bigints(record_ids.tolist())}, schema=schema)


def is_first(conn: psycopg.Connection[Any]) -> bool:
    """No document was ever linked."""
    return arrow.is_empty(conn, "core.document_place")


def store_places(conn: psycopg.Connection[Any], places: pa.Table, record_ids: Ids | None) -> None:
    """Make `places` where these documents (None: all there are) are looked for."""
    if record_ids is None:
        arrow.replace(conn, "core.document_place", places, ("record_id", "face"))
        return
    values = places.column_names[2:]
    parts = {
        "columns": SQL(", ").join(map(Identifier, places.column_names)),
        "values": SQL(", ").join(map(Identifier, values)),
        "new_values": _of(values, "n"),
        "old_values": _of(values, "p"),
    }
    with arrow.staged(conn, "new_place", "core.document_place", places):
        for statement in ("drop_places", "change_places", "add_places"):
            query = sql(f"documents.{statement}").format(**parts)
            conn.execute(query, {"record_ids": bigints(record_ids.tolist())})


def store_open(conn: psycopg.Connection[Any], papers: pa.Table) -> None:
    """Make these the papers that nothing settles: all there are."""
    arrow.replace(conn, "core.document_open", papers, ("record_id",))


def change_open(conn: psycopg.Connection[Any], before: pa.Table, after: pa.Table) -> None:
    """Make `after` of the papers that nothing settles what is `before` of them."""
    arrow.change(conn, "core.document_open", before, after, ("record_id",))


def store_links(conn: psycopg.Connection[Any], links: pa.Table, *, as_of: datetime) -> None:
    """Make `links` all that there are."""
    rows = _with_since(links, as_of)
    if arrow.is_empty(conn, "core.document_link"):
        arrow.load(conn, "core.document_link", rows)
        return
    _change_links(conn, rows, "drop_links", {})


def change_links(conn: psycopg.Connection[Any], links: pa.Table, gone: tuple[Ids, Ids], *, as_of: datetime) -> None:
    """Bring `links` up to date and take away those of the pairs `gone`."""
    parameters = {name: bigints(end.tolist()) for name, end in zip(("lefts", "rights"), gone, strict=True)}
    _change_links(conn, _with_since(links, as_of), "drop_these_links", parameters)


def _change_links(conn: psycopg.Connection[Any], rows: pa.Table, drop: str, parameters: Mapping[str, Any]) -> None:
    with arrow.staged(conn, "new_document_link", "core.document_link", rows):
        conn.execute(sql(f"documents.{drop}"), parameters)
        for statement in ("change_links", "add_links"):
            conn.execute(sql(f"documents.{statement}"))


def _with_since(links: pa.Table, as_of: datetime) -> pa.Table:
    """As rows of core.document_link. Ten-thousandths: the same integers, with their point four places on."""
    amount = links["amount"].combine_chunks()
    whole = amount.cast(pa.decimal128(19, 0))
    tenths = pa.Array.from_buffers(pa.decimal128(18, 4), len(whole), whole.buffers(), offset=whole.offset)
    rows = links.set_column(links.schema.get_field_index("amount"), "amount", tenths)
    since = pa.repeat(pa.scalar(as_of, pa.timestamp("us", tz="UTC")), links.num_rows)
    return rows.append_column("since", since)


def were_published(conn: psycopg.Connection[Any], after: int) -> bool:
    """Whether a fact was published by a change event up to number `after`."""
    row = conn.execute(sql("documents.were_published"), {"after": after}).fetchone()
    return row is not None and bool(row[0])


def store_events(conn: psycopg.Connection[Any], events: pa.Table, *, as_of: datetime, keep: bool = True) -> int:
    """Bring event_id, is_counted and counted_by of these documents up to date; how many interactions changed.

    They get the number of one change event, also those after which an event is named that a document left; what was
    served of them is kept as a version, unless nobody has seen anything yet (`keep`).
    """
    with arrow.staged(conn, "new_event", "core.interaction", events):
        conn.execute(sql("documents.find_moved"))
        row = conn.execute(sql("documents.count_moved")).fetchone()
        assert row is not None
        (count,) = row
        if count:
            parameters = {"seq": allocate_events(conn, 1), "as_of": as_of, "count": count}
            if keep:
                versions.keep_moved(conn, _MOVED, seq=parameters["seq"], as_of=as_of)
            conn.execute(sql("documents.move"), parameters)
            conn.execute(sql("documents.event"), parameters)
        conn.execute(sql("documents.drop_moved"))
    return int(count)


def shown(conn: psycopg.Connection[Any], record_id: int) -> list[dict[str, Any]]:
    """A document and all others of its event, by date, in the columns of SHOWN and its natural key."""
    names = ("record_id", "source", "stream", "source_key", *SHOWN)
    rows = conn.execute(sql("documents.shown"), {"record_id": record_id}).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def shown_links(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The links at these documents in the columns of SHOWN_LINK, the strongest first."""
    rows = conn.execute(sql("documents.shown_links"), {"record_ids": bigints(record_ids)}).fetchall()
    return [dict(zip(SHOWN_LINK, row, strict=True)) for row in rows]


def cases(conn: psycopg.Connection[Any], limit: int) -> list[dict[str, Any]]:
    """Pairs that people are asked about, as `shown_links`, the largest amounts first."""
    rows = conn.execute(sql("documents.cases"), {"limit": limit}).fetchall()
    return [dict(zip(SHOWN_LINK, row, strict=True)) for row in rows]


def forget_queue(conn: psycopg.Connection[Any]) -> None:
    """Everything is looked at: what waits is done with it."""
    conn.execute(sql("documents.everything"))
