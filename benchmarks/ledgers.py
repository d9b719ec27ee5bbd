"""The papers of a company's sales in four registers: deals of a CRM, orders of an ERP, invoices and payments of
accounting, payments of a bank; as tables of the hub, part by part.

Numbered as they come over five years; a quarter of the sales has one of a few hundred prices, as subscriptions have,
the others an amount of their own. A few clients have much more than the others; one in five belongs to a group, whose
head pays for it now and then. `source_key` begins with the number of the true sale; no step reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.hashing import mix

REGISTERS: Final = ("crm", "erp", "accounting", "bank")
PER_SALE: Final = 3.85
"""Documents of a sale, on average."""
PER_CLIENT: Final = 10
"""Documents of a client, on average."""
DAYS: Final = 1_825
FIRST_DAY: Final = 18_628
"""2021-01-01, in days since 1970-01-01."""
_PART: Final = 250_000
"""Sales that are made at a time."""
_SLOTS: Final = 8
"""Places for the documents of a sale: their ids follow from its number."""
_GROUP: Final = 25
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Paper:
    """One kind of document: where it stands, how often, how long after the one before."""

    slot: int
    source: str
    type: str
    share: float
    days: tuple[int, int]


_DEAL = _Paper(0, "crm", "sales_deal", 0.5, (-30, 1))
_ORDER = _Paper(1, "erp", "sales_order", 0.85, (0, 1))
_INVOICE = _Paper(2, "accounting", "invoice", 0.95, (0, 11))
_PAYMENT = _Paper(3, "accounting", "payment", 0.85, (0, 31))
_REST = _Paper(4, "accounting", "payment", 0.1, (20, 60))
_BANK = _Paper(5, "bank", "payment", 0.85, (0, 2))
"""Of those that accounting has."""


def clients_of(documents: int) -> int:
    """How many clients such a company has."""
    return max(documents // PER_CLIENT, 50)


def party_ids(clients: Ints) -> Ints:
    """The source records of clients, by their numbers."""
    return mix(clients.astype(np.uint64) + np.uint64(1 << 48)).view(np.int64)


def client_ids(clients: Ints) -> pa.Array:
    """The ids of clients as UUIDs in text, by their numbers."""
    halves = [mix(clients.astype(np.uint64) * np.uint64(2) + np.uint64(n)) for n in (1 << 52, (1 << 52) + 1)]
    raw = np.stack([half.astype(">u8") for half in halves], axis=1).tobytes().hex()
    texts = pa.array([raw[at : at + 32] for at in range(0, len(raw), 32)])
    parts = [pc.utf8_slice_codeunits(texts, *ends) for ends in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))]
    return pc.binary_join_element_wise(*parts, "-")


def members(clients: int) -> tuple[Ints, Ints]:
    """Clients that belong to a group, and the heads of these."""
    of = np.arange(0, clients, 5)
    head = of // (5 * _GROUP) * (5 * _GROUP)
    return of[of != head], head[of != head]


def documents(count: int, seed: int) -> Iterator[pa.Table]:
    """The first `count` documents of the sales, in parts."""
    clients, made, number = clients_of(count), 0, 0
    sales = round(count / PER_SALE * 1.05) + 100
    uuids = client_ids(np.arange(clients))
    while made < count:
        part = _part(number, min(_PART, sales), sales, clients, uuids, np.random.default_rng((seed, number)))
        part = part.slice(0, count - made)
        made, number = made + part.num_rows, number + 1
        yield part


def _part(number: int, size: int, sales: int, clients: int, uuids: pa.Array, rng: np.random.Generator) -> pa.Table:
    sale = number * size + np.arange(size)
    day = FIRST_DAY + sale * DAYS // sales
    client = np.floor(clients * rng.random(size) ** 2).astype(np.int64)
    cents = np.maximum(np.round(np.exp(rng.normal(13.8, 1.4, size))), 1_000).astype(np.int64)
    prices = 49_000 + 10_000 * np.minimum(rng.zipf(1.6, size), 300)
    cents = np.where(rng.random(size) < 0.25, prices, cents)
    head = client // (5 * _GROUP) * (5 * _GROUP)
    payer = np.where((client % 5 == 0) & (rng.random(size) < 0.15), head, client)
    discount = np.where(rng.random(size) < 0.1, cents * 9 // 10, cents)
    halves = rng.random(size) < _REST.share
    first = np.where(halves, cents * rng.integers(20, 80, size) // 100, cents)
    has = {paper.slot: rng.random(size) < paper.share for paper in (_DEAL, _ORDER, _INVOICE, _PAYMENT, _BANK)}
    has[_REST.slot] = has[_PAYMENT.slot] & halves
    in_bank = has[_BANK.slot] & has[_PAYMENT.slot]
    invoiced = day + rng.integers(*_INVOICE.days, size)
    paid = invoiced + rng.integers(*_PAYMENT.days, size)
    rest = paid + rng.integers(*_REST.days, size)
    order, invoice = sale + 100_000, sale + 100_037
    papers = [
        (_DEAL, has[0], day + rng.integers(*_DEAL.days, size), client, cents, None, None),
        (_ORDER, has[1], day, client, discount, ("SO-", order), None),
        (_INVOICE, has[2], invoiced, client, discount, ("INV-", invoice), (has[1] & (rng.random(size) < 0.2), 1)),
        (_PAYMENT, has[3], paid, payer, np.where(halves, first, discount), ("", sale % 5_000 + 1), None),
        (_REST, has[4], rest, payer, discount - first, ("", sale % 5_000 + 2), None),
        (_BANK, in_bank, paid + rng.integers(*_BANK.days, size), payer, np.where(halves, first, discount),
         ("", sale % 7_000 + 1), None),
    ]  # fmt: skip
    table = pa.concat_tables([_documents(sale, uuids, *paper) for paper in papers])
    # As they come: by sale, not by kind.
    order_of = np.argsort(np.concatenate([sale[paper[1]] for paper in papers]), kind="stable")
    return table.take(pa.array(order_of))


def _documents(
    sale: Ints,
    uuids: pa.Array,
    paper: _Paper,
    has: Flags,
    day: Ints,
    client: Ints,
    cents: Ints,
    number: tuple[str, Ints] | None,
    parent: tuple[Flags, int] | None,
) -> pa.Table:
    """The rows of core.interaction of one kind of document, for the sales that have it."""
    sale, day, client, cents = sale[has], day[has], client[has], cents[has]
    count = len(sale)
    record = _ids(sale, paper.slot)
    amount = pa.array(cents).cast(pa.decimal128(19, 0))
    # The same integers, with their point two places on.
    hundredths = pa.Array.from_buffers(pa.decimal128(19, 2), count, amount.buffers(), offset=amount.offset)
    numbers = pa.nulls(count, pa.string())
    if number is not None:
        numbers = pc.binary_join_element_wise(number[0], pa.array(number[1][has]).cast(pa.string()), "")
    parents = pa.nulls(count, pa.int64())
    if parent is not None:
        parents = pa.array(_ids(sale, parent[1]), mask=~parent[0][has])
    on = pa.array(day.astype(np.int32)).cast(pa.date32())
    keys = pc.binary_join_element_wise(pa.array(sale).cast(pa.string()), str(paper.slot), "-")
    return pa.table(
        {
            "record_id": record,
            "source": pa.repeat(paper.source, count),
            "stream": pa.repeat(paper.type, count),
            "source_key": keys,
            "type": pa.repeat(paper.type, count),
            "party_record_id": party_ids(client),
            "occurred_at": on.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
            "occurred_on": on,
            "time_zone": pa.repeat("UTC", count),
            "precision": pa.repeat("day", count),
            "document_number": numbers,
            "amount": hundredths,
            "currency": pa.repeat("RUB", count),
            "parent_record_id": parents,
            "detail": pa.repeat('{"stage":"won"}' if paper.type == "sales_deal" else "{}", count),
            "content_hash": uuids.take(pa.array(client)),
            "is_deleted": pa.repeat(False, count),
        }
    )


def _ids(sale: Ints, slot: int) -> Ints:
    return mix((sale * _SLOTS + slot).astype(np.uint64)).view(np.int64)
