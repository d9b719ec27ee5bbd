"""Payments that add up: sets of a client's open payments whose sum is an open document's amount, and the reverse.

Sought only among what single amounts have left open, client by client, in windows, for sets of few; the more sets were
looked at, the less a sum says. The set with the most evidence is taken first.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, columns_of, significant_digits
from identity.documents.counting import LINK_ENDS
from identity.documents.events import groups
from identity.documents.schema import LINK, PAID, SALES, Ints, Registers
from identity.documents.settings import MONEY, ONE_BIT, DocumentSettings
from identity.documents.settling import worth_of_events

LARGEST_CLIENT = 5_000
"""Documents of a client up to which sums are sought: others are collective accounts."""
_SETS_MOST = 20_000
"""Sets that are looked at for one document."""


@dataclass(frozen=True, slots=True)
class _Open:
    """An event or a payment that nothing settles."""

    place: int
    """Its document."""
    record: int
    day: int
    amount: int


def instalments(
    documents: pa.Table,
    links: pa.Table,
    said: pa.Table,
    registers: Registers,
    settings: DocumentSettings,
    clients: Ints | None = None,
) -> pa.Table:
    """Links (LINK) between documents and the payments that add up to them; `links` are all others among `documents`.

    For `clients` (hashes; default: all), whose documents are to be given whole: what of them is open decides.
    """
    columns = columns_of(documents, registers)
    if settings.instalments < 2 or not len(columns.record_id):
        return LINK.empty_table()
    event, settled = _settled(columns, links)
    made: list[dict[str, object]] = []
    apart = {
        frozenset(pair) for *pair, same in zip(*(said[name].to_pylist() for name in said.schema.names), strict=True)
        if not same
    }  # fmt: skip
    for sales, payments in _by_client(columns, event, settled, clients):
        made += _of_client(columns, sales, payments, apart, settings)
    return pa.Table.from_pylist(made, schema=LINK).sort_by([(name, "ascending") for name in LINK_ENDS])


def _settled(columns: Columns, links: pa.Table) -> tuple[Ints, set[int]]:
    """The event of each document, and those events that something settles or that settle something."""
    linked = links.filter(pc.equal(links["status"], "linked"))
    is_same = pc.equal(linked["kind"], "same").to_numpy()
    one, other = (np.searchsorted(columns.record_id, linked[name].to_numpy()) for name in LINK_ENDS)
    event = groups(len(columns.record_id), one[is_same], other[is_same])
    return event, set(event[one[~is_same]].tolist()) | set(event[other[~is_same]].tolist())


def _by_client(
    columns: Columns, event: Ints, settled: set[int], wanted: Ints | None
) -> Iterator[tuple[list[_Open], list[_Open]]]:
    """Open sales and payments of each client and currency, where both are; by day and record."""
    worth = worth_of_events(columns, event)
    is_open = np.ones(len(event), np.bool_)
    is_open[np.fromiter(settled, np.int64, len(settled))] = False
    usable = is_open[event] & columns.has_client & columns.has_day & columns.has_amount & (worth[event] > 0)
    paying = np.flatnonzero(usable & (columns.money == PAID))
    clients = np.unique(columns.client[paying])
    known, documents = np.unique(columns.client[columns.has_client], return_counts=True)
    clients = np.setdiff1d(clients, known[documents > LARGEST_CLIENT])
    if wanted is not None:
        clients = np.intersect1d(clients, wanted)
    paying = paying[np.isin(columns.client[paying], clients)]
    # A quotation alone is nothing that is paid for.
    owed = np.isin(columns.money, [money for money in SALES if money != MONEY.index("quoted")])
    owing = np.flatnonzero(usable & owed & np.isin(columns.client, clients))
    found: dict[tuple[int, int], tuple[dict[int, _Open], dict[int, _Open]]] = defaultdict(lambda: ({}, {}))
    for side, places in enumerate((owing, paying)):
        # The document that counts speaks for its event.
        for place in places[np.lexsort((columns.record_id[places], columns.rank[places]))].tolist():
            unit = int(event[place])
            opened = _Open(place, int(columns.record_id[place]), int(columns.day[place]), int(worth[unit]))
            found[int(columns.client[place]), int(columns.currency[place])][side].setdefault(unit, opened)
    for key in sorted(found):
        sales, payments = found[key]
        if sales and payments:
            yield (
                sorted(sales.values(), key=lambda one: (one.day, one.record)),
                sorted(payments.values(), key=lambda one: (one.day, one.record)),
            )


def _of_client(
    columns: Columns, sales: list[_Open], payments: list[_Open], apart: set[frozenset[int]], settings: DocumentSettings
) -> list[dict[str, object]]:
    """The links of one client: all sets with enough evidence, the best first, each document once."""
    candidates: list[tuple[int, _Open, tuple[_Open, ...]]] = []
    for whole, parts, forward in ((sales, payments, 1), (payments, sales, -1)):
        for one in whole:
            candidates += [(bits, one, found) for bits, found in _sums(columns, one, parts, forward, apart, settings)]
    candidates.sort(key=lambda c: (-c[0], c[1].record, [part.record for part in c[2]]))
    used: set[int] = set()
    made: list[dict[str, object]] = []
    for bits, one, together in candidates:
        records = {one.record, *(part.record for part in together)}
        if not used & records:
            used |= records
            made += [_link(one, part, bits, len(together)) for part in together]
    return made


def _sums(
    columns: Columns,
    one: _Open,
    parts: Sequence[_Open],
    forward: int,
    apart: set[frozenset[int]],
    settings: DocumentSettings,
) -> list[tuple[int, tuple[_Open, ...]]]:
    """Sets of `parts` in the window that add up to `one`, with their bits; at most a stated number is looked at."""
    money = MONEY[int(columns.money[one.place])]
    near = []
    for part in parts:
        names = (money, MONEY[int(columns.money[part.place])])
        window = settings.lag(*(names if forward == 1 else names[::-1]))
        lag = forward * (part.day - one.day)
        in_time = window is not None and window[0] <= lag <= window[1]
        if in_time and part.amount < one.amount and frozenset((one.record, part.record)) not in apart:
            near.append(part)
    if len(near) > settings.open_payments or sum(part.amount for part in near) < one.amount:
        return []
    found: list[tuple[_Open, ...]] = []
    amounts = [part.amount for part in near]
    with_amount: dict[int, list[int]] = defaultdict(list)
    for number, amount in enumerate(amounts):
        with_amount[amount].append(number)
    looked = 0
    for size in range(2, settings.instalments + 1):
        if looked + math.comb(len(near), size) > _SETS_MOST:
            break
        looked += math.comb(len(near), size)
        # The last of a set is known by what the others leave open.
        for others in combinations(range(len(near)), size - 1):
            open_amount = one.amount - sum([amounts[number] for number in others])
            found += [
                tuple(near[number] for number in (*others, last))
                for last in with_amount.get(open_amount, ())
                if last > others[-1]
            ]
    if not found:
        return []
    weights = settings.weights
    digits = int(significant_digits(np.array([one.amount]))[0])
    worth = min(digits * weights.unit("digit"), weights.unit("amount_most")) + weights.unit("client_same")
    bits = weights.unit("prior") + worth - round(math.log2(max(looked, 1)) * ONE_BIT)
    return [(bits, of) for of in found] if bits >= settings.link_at * ONE_BIT else []


def _link(one: _Open, part: _Open, bits: int, count: int) -> dict[str, object]:
    evidence = [{"finding": "sum", "bits": round(bits / ONE_BIT, 2), "count": count}]
    return {
        "left_record_id": min(one.record, part.record),
        "right_record_id": max(one.record, part.record),
        "kind": "instalment",
        "status": "linked",
        "bits": bits,
        "amount": part.amount,
        "evidence": json.dumps(evidence, separators=(",", ":")),
    }
