"""Payments that add up: sets of a client's open payments whose sum is an open document's amount, and the reverse.

Sought only among what single amounts have left open, client by client, in windows, for sets of few; the more sets were
looked at, the less a sum says. The set with the most evidence is taken first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa

from identity.documents.columns import Columns, significant_digits
from identity.documents.counting import LINK_ENDS
from identity.documents.pairs import lags_of
from identity.documents.schema import LINK, PAID, Flags, Ints, Registers
from identity.documents.sets import isin, union
from identity.documents.settings import MONEY, ONE_BIT, DocumentSettings

LARGEST_CLIENT: Final = 5_000
"""Documents of a client up to which sums are sought: others are collective accounts."""
_SETS_MOST: Final = 20_000
"""Sets that are looked at for one document."""
_SUMS: Final = 1 << 18
"""Sums that are looked at at a time."""
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
    papers: pa.Table, registers: Registers, said: pa.Table, settings: DocumentSettings, clients: Ints
) -> pa.Table:
    """Links (LINK) between documents and the payments that add up to them; `papers`: what is open (OPEN) of `clients`
    (hashes), whole, and maybe of others."""
    if settings.instalments < 2 or not papers.num_rows:
        return LINK.empty_table()
    sales, payments = _open(papers, registers, clients)
    apart = {
        frozenset(pair) for *pair, same in zip(*(said[name].to_pylist() for name in said.schema.names), strict=True)
        if not same
    }  # fmt: skip
    found: list[_Set] = []
    for one, other in _near(sales, payments, apart, settings):
        for whole, parts, at, of in ((sales, payments, one, other), (payments, sales, other, one)):
            smaller = parts.amount[of] < whole.amount[at]
            found += _sums(whole, parts, at[smaller], of[smaller], settings)
    return _links(_chosen(found)).sort_by([(name, "ascending") for name in LINK_ENDS])


_Set = tuple[int, int, tuple[int, ...], tuple[int, ...]]
"""Bits, the record that is settled or settles, the records that add up to it, and their amounts."""


def not_collective(columns: Columns) -> Ints:
    """Whose documents, all that there are, are few enough for sums to be sought."""
    clients, many = np.unique(columns.client[columns.has_client], return_counts=True)
    found: Ints = clients[many <= LARGEST_CLIENT]
    return found


def _open(papers: pa.Table, registers: Registers, wanted: Ints) -> tuple[_Open, _Open]:
    """Open sales and payments of the clients that have both."""
    names = ("record_id", "client", "currency", "event_id", "day", "worth")
    record, client, currency, event, day, worth = (papers[name].to_numpy().astype(np.int64) for name in names)
    register = registers.places(papers["register_key"].to_numpy())
    money, rank = registers.money()[register], registers.ranks()[register]
    is_payment = money == PAID
    clients = union(client[is_payment])
    clients = clients[isin(clients, union(client[~is_payment])) & isin(clients, union(wanted))]
    currencies = union(currency)

    def rows(places: Ints) -> _Open:
        """The document that counts speaks for its event."""
        at = np.minimum(np.searchsorted(clients, client[places]), max(len(clients) - 1, 0))
        here = clients[at] == client[places] if len(clients) else np.zeros(len(places), np.bool_)
        places = places[here]
        group = at[here] * len(currencies) + np.searchsorted(currencies, currency[places])
        order = np.lexsort((record[places], rank[places], event[places], group))
        places, group = places[order], group[order]
        unit = event[places]
        first = np.append(True, (group[1:] != group[:-1]) | (unit[1:] != unit[:-1]))[: len(places)]
        places, group = places[first], group[first]
        return _Open(group, record[places], day[places], worth[places], money[places])

    return rows(np.flatnonzero(~is_payment)), rows(np.flatnonzero(is_payment))


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


def _sums(whole: _Open, parts: _Open, at: Ints, of: Ints, settings: DocumentSettings) -> list[_Set]:
    """The sets of parts, each near to a whole and smaller than it, that add up to it and say enough."""
    order = np.lexsort((parts.record[of], parts.day[of], at))
    at, of = at[order], of[order]
    unit, first, count = np.unique(at, return_index=True, return_counts=True)
    if not len(unit):
        return []
    total = np.add.reduceat(parts.amount[of], first)
    weights = settings.weights
    worth = np.minimum(significant_digits(whole.amount[unit]) * weights.unit("digit"), weights.unit("amount_most"))
    most = settings.open_payments
    looked = np.array([round(math.log2(max(_sizes(n, settings.instalments)[0], 1)) * ONE_BIT) for n in range(most + 1)])
    few = (count >= 2) & (count <= most)
    bits = weights.unit("prior") + worth + weights.unit("client_same") - looked[np.where(few, count, 0)]
    likely = few & (total >= whole.amount[unit]) & (bits >= settings.link_at * ONE_BIT)
    found: list[_Set] = []
    for size in np.flatnonzero(np.bincount(count[likely])).tolist():
        wholes = np.flatnonzero(likely & (count == size))
        rows = of[first[wholes][:, None] + np.arange(size)]
        for at_, places in _adding_up(parts.amount[rows], whole.amount[unit[wholes]], settings.instalments):
            chosen = np.take_along_axis(rows[at_], places, axis=1)
            n = wholes[at_]
            found += zip(
                bits[n].tolist(),
                whole.record[unit[n]].tolist(),
                map(tuple, parts.record[chosen].tolist()),
                map(tuple, parts.amount[chosen].tolist()),
                strict=True,
            )
    return found


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


def _adding_up(amounts: Ints, wholes: Ints, most: int) -> Iterator[tuple[Ints, Ints]]:
    """The sets of places of a row of `amounts` that add up to its whole: rows, and the places of each set."""
    rows, count = amounts.shape
    for size in (size for size in _sizes(count, most)[1] if size <= count):
        # The last of a set is known by what the others leave open.
        others = _places(count, size - 1)
        step = max(_SUMS // len(others), 1)
        for start in range(0, rows, step):
            some = amounts[start : start + step]
            left_open = wholes[start : start + step, None] - sum(some[:, others[:, at]] for at in range(size - 1))
            for last in range(size - 1, count):
                # Ascending choices: those that end before `last`.
                row, choice = np.nonzero(left_open == some[:, last : last + 1])
                before = others[choice, -1] < last
                row, choice = row[before], choice[before]
                if len(row):
                    yield row + start, np.column_stack([others[choice], np.full(len(choice), last)])


def _chosen(candidates: list[_Set]) -> list[_Set]:
    """Of all sets the best first, each document once."""
    used: set[int] = set()
    chosen = []
    for one in sorted(candidates, key=lambda c: (-c[0], c[1], c[2])):
        records = {one[1], *one[2]}
        if used.isdisjoint(records):
            used |= records
            chosen.append(one)
    return chosen


def _links(chosen: list[_Set]) -> pa.Table:
    """LINK of the sets that were chosen."""
    count = np.array([len(one[2]) for one in chosen], np.int64)
    bits = np.array([one[0] for one in chosen], np.int64).repeat(count)
    whole = np.array([one[1] for one in chosen], np.int64).repeat(count)
    part = np.array([record for one in chosen for record in one[2]], np.int64)
    amount = np.array([much for one in chosen for much in one[3]], np.int64)
    return pa.table(
        [
            np.minimum(whole, part),
            np.maximum(whole, part),
            pa.repeat("instalment", len(part)),
            pa.repeat("linked", len(part)),
            bits.astype(np.int32),
            amount,
            pa.array(
                [_evidence(*one) for one in zip(bits.tolist(), count.repeat(count).tolist(), strict=True)], pa.string()
            ).dictionary_encode(),
        ],
        schema=LINK,
    )


@cache
def _evidence(bits: int, count: int) -> str:
    return json.dumps([{"finding": "sum", "bits": round(bits / ONE_BIT, 2), "count": count}], separators=(",", ":"))
