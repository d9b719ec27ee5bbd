"""Payments that add up: sets of a client's open payments whose sum is an open document's amount, and the reverse.

Sought only among what single amounts have left open, client by client, in windows, for sets of few; the more sets were
looked at, the less a sum says. The set with the most evidence is taken first.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns, significant_digits
from identity.documents.counting import LINK_ENDS
from identity.documents.events import groups
from identity.documents.pairs import lags_of
from identity.documents.schema import LINK, PAID, SALES, Flags, Ints
from identity.documents.settings import MONEY, ONE_BIT, DocumentSettings
from identity.documents.settling import worth_of_events

LARGEST_CLIENT: Final = 5_000
"""Documents of a client up to which sums are sought: others are collective accounts."""
_SETS_MOST: Final = 20_000
"""Sets that are looked at for one document."""
_PAIRS: Final = 1 << 21
"""Pairs of an open document and an open payment that are looked at at a time."""


@dataclass(frozen=True, slots=True)
class _Open:
    """Events, or payments, that nothing settles: one row for each and its client and currency, by these."""

    group: Ints
    """The client and currency."""
    record: Ints
    day: Ints
    amount: Ints
    money: Ints

    def only(self, wanted: Flags | Ints | slice) -> _Open:
        return _Open(*(getattr(self, name)[wanted] for name in self.__slots__))


def instalments(
    columns: Columns, links: pa.Table, said: pa.Table, settings: DocumentSettings, clients: Ints | None = None
) -> pa.Table:
    """Links (LINK) between documents and the payments that add up to them; `links` are all others among the documents.

    For `clients` (hashes; default: all), whose documents are to be given whole: what of them is open decides.
    """
    if settings.instalments < 2 or not len(columns.record_id):
        return LINK.empty_table()
    sales, payments = _open(columns, links, clients)
    apart = {
        frozenset(pair) for *pair, same in zip(*(said[name].to_pylist() for name in said.schema.names), strict=True)
        if not same
    }  # fmt: skip
    found: dict[int, list[_Set]] = defaultdict(list)
    for one, other in _near(sales, payments, apart, settings):
        for whole, parts, at, of in ((sales, payments, one, other), (payments, sales, other, one)):
            smaller = parts.amount[of] < whole.amount[at]
            _sums(whole, parts, at[smaller], of[smaller], settings, found)
    made = [row for group in sorted(found) for row in _chosen(found[group])]
    return pa.Table.from_pylist(made, schema=LINK).sort_by([(name, "ascending") for name in LINK_ENDS])


_Set = tuple[int, int, tuple[tuple[int, int], ...]]
"""Bits, the record that is settled or settles, and the records that add up to it with their amounts."""


def _open(columns: Columns, links: pa.Table, wanted: Ints | None) -> tuple[_Open, _Open]:
    """Open sales and payments of the clients that have both."""
    linked = links.filter(pc.equal(links["status"], "linked"))
    is_same = pc.equal(linked["kind"], "same").to_numpy()
    ends = [np.searchsorted(columns.record_id, linked[name].to_numpy()) for name in LINK_ENDS]
    event = groups(len(columns.record_id), *(end[is_same] for end in ends))
    worth = worth_of_events(columns, event)
    is_open = np.ones(len(event), np.bool_)
    for end in ends:
        is_open[event[end[~is_same]]] = False
    usable = is_open[event] & columns.has_client & columns.has_day & columns.has_amount & (worth[event] > 0)
    paying = np.flatnonzero(usable & (columns.money == PAID))
    # A quotation alone is nothing that is paid for.
    owed = np.isin(columns.money, [money for money in SALES if money != MONEY.index("quoted")])
    owing = np.flatnonzero(usable & owed)
    clients = np.intersect1d(columns.client[paying], columns.client[owing])
    if wanted is not None:
        clients = np.intersect1d(clients, wanted)
    known, documents = np.unique(columns.client[columns.has_client], return_counts=True)
    clients = np.setdiff1d(clients, known[documents > LARGEST_CLIENT], assume_unique=True)
    currencies = np.unique(columns.currency[np.concatenate([owing, paying])])

    def rows(places: Ints) -> _Open:
        """The document that counts speaks for its event."""
        places = places[np.isin(columns.client[places], clients)]
        group = np.searchsorted(clients, columns.client[places]) * len(currencies)
        group += np.searchsorted(currencies, columns.currency[places])
        order = np.lexsort((columns.record_id[places], columns.rank[places], event[places], group))
        places, group = places[order], group[order]
        unit = event[places]
        first = np.append(True, (group[1:] != group[:-1]) | (unit[1:] != unit[:-1]))[: len(places)]
        places, group = places[first], group[first]
        return _Open(group, columns.record_id[places], columns.day[places], worth[event[places]], columns.money[places])

    return rows(owing), rows(paying)


def _near(
    sales: _Open, payments: _Open, apart: set[frozenset[int]], settings: DocumentSettings
) -> Iterator[tuple[Ints, Ints]]:
    """Rows of sales and of payments of one group within the window; those of a group come together."""
    lags = lags_of(settings)
    first, last = (np.searchsorted(payments.group, sales.group, side=side) for side in ("left", "right"))
    many = last - first
    ends = np.cumsum(many)
    start = 0
    while start < len(many):
        # Whole groups, at least one.
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + _PAIRS, side="right")), start + 1)
        stop = int(np.searchsorted(sales.group, sales.group[stop - 1], side="right"))
        count = many[start:stop]
        one = np.repeat(np.arange(start, stop), count)
        other = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first[start:stop], count)
        window = sales.money[one] * len(MONEY) + PAID
        lag = payments.day[other] - sales.day[one]
        good = np.flatnonzero((lag >= lags.first[window]) & (lag <= lags.last[window]))
        one, other = one[good], other[good]
        if apart:
            names = zip(sales.record[one].tolist(), payments.record[other].tolist(), strict=True)
            together = np.array([frozenset(pair) not in apart for pair in names], np.bool_)
            one, other = one[together], other[together]
        yield one, other
        start = stop


def _sums(
    whole: _Open, parts: _Open, at: Ints, of: Ints, settings: DocumentSettings, found: dict[int, list[_Set]]
) -> None:
    """Add to `found` the sets of parts, each near to a whole and smaller than it, that add up to it and say enough."""
    order = np.lexsort((parts.record[of], parts.day[of], at))
    at, of = at[order], of[order]
    unit, first, count = np.unique(at, return_index=True, return_counts=True)
    if not len(unit):
        return
    total = np.add.reduceat(parts.amount[of], first)
    weights = settings.weights
    worth = np.minimum(significant_digits(whole.amount[unit]) * weights.unit("digit"), weights.unit("amount_most"))
    most = settings.open_payments
    looked = np.array([round(math.log2(max(_sizes(n, settings.instalments)[0], 1)) * ONE_BIT) for n in range(most + 1)])
    few = (count >= 2) & (count <= most)
    bits = weights.unit("prior") + worth + weights.unit("client_same") - looked[np.where(few, count, 0)]
    likely = few & (total >= whole.amount[unit]) & (bits >= settings.link_at * ONE_BIT)
    for n in np.flatnonzero(likely).tolist():
        rows = of[first[n] : first[n] + count[n]]
        for chosen in _adding_up(parts.amount[rows], int(whole.amount[unit[n]]), settings.instalments):
            one = tuple(zip(parts.record[rows[chosen]].tolist(), parts.amount[rows[chosen]].tolist(), strict=True))
            found[int(whole.group[unit[n]])].append((int(bits[n]), int(whole.record[unit[n]]), one))


@cache
def _sizes(count: int, most: int) -> tuple[int, tuple[int, ...]]:
    """How many sets of `count` are looked at, and of which sizes: at most a stated number."""
    looked, sizes = 0, []
    for size in range(2, most + 1):
        if looked + math.comb(count, size) > _SETS_MOST:
            break
        looked += math.comb(count, size)
        sizes.append(size)
    return looked, tuple(sizes)


@cache
def _places(count: int, size: int) -> Ints:
    """All choices of `size` of `count` places, a row each, ascending."""
    return np.array(list(combinations(range(count), size)), np.int64).reshape(-1, size)


def _adding_up(amounts: Ints, whole: int, most: int) -> list[Ints]:
    """The sets of places whose amounts add up to `whole`."""
    found = []
    for size in _sizes(len(amounts), most)[1]:
        if size > len(amounts):
            break
        # The last of a set is known by what the others leave open.
        others = _places(len(amounts), size - 1)
        left_open = whole - amounts[others].sum(axis=1)
        for row in np.flatnonzero(np.isin(left_open, amounts)).tolist():
            last = np.flatnonzero(amounts == left_open[row])
            found += [np.append(others[row], one) for one in last[last > others[row, -1]].tolist()]
    return found


def _chosen(candidates: list[_Set]) -> Iterator[dict[str, object]]:
    """The links of one client: of all sets the best first, each document once."""
    used: set[int] = set()
    for bits, record, parts in sorted(candidates, key=lambda c: (-c[0], c[1], [part[0] for part in c[2]])):
        records = {record, *(part[0] for part in parts)}
        if not used & records:
            used |= records
            yield from (_link(record, part, amount, bits, len(parts)) for part, amount in parts)


def _link(record: int, part: int, amount: int, bits: int, count: int) -> dict[str, object]:
    evidence = [{"finding": "sum", "bits": round(bits / ONE_BIT, 2), "count": count}]
    return {
        "left_record_id": min(record, part),
        "right_record_id": max(record, part),
        "kind": "instalment",
        "status": "linked",
        "bits": bits,
        "amount": amount,
        "evidence": json.dumps(evidence, separators=(",", ":")),
    }
