"""What speaks for two documents being one event, in integers of 1/1024 bit.

The rarer an amount or a number is in its window, the more its equality says: it costs the bits that it takes to tell
its document from the others of the same book that carry it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from identity.documents.columns import Columns, Faces, significant_digits, with_tax
from identity.documents.pairs import Pairs, lags_of, rivals_of, slot_lengths
from identity.documents.schema import RELATED, UNIT, Flags, Ints, Registers
from identity.documents.settings import ONE_BIT, DocumentSettings

AMOUNT: Final = ("unknown", "equal", "net", "differs", "other_currency")
NUMBER: Final = ("unknown", "equal", "digits", "differs")
CLIENT: Final = ("unknown", "same", "related", "differs")
STATED: Final = 40 * ONE_BIT
"""What a register says when it names the other document."""


_SMALL: Final = 13


def size_class(documents: int) -> int:
    """log2 of how many documents there are, rounded up; all smaller hubs are alike."""
    return max(_SMALL, (max(documents, 1) - 1).bit_length())


@dataclass(frozen=True, slots=True)
class Evidence:
    """The findings on pairs, one row each: a level and its bits by comparison, and their sum."""

    amount: Ints
    amount_bits: Ints
    number: Ints
    number_bits: Ints
    client: Ints
    client_bits: Ints
    lag: Ints
    lag_bits: Ints
    stated: Flags
    total: Ints

    def only(self, wanted: Flags | Ints) -> Evidence:
        """Those that are wanted."""
        return Evidence(*(getattr(self, name)[wanted] for name in self.__slots__))


def weigh(
    columns: Columns,
    faces: Faces,
    registers: Registers,
    related: pa.Table,
    pairs: Pairs,
    settings: DocumentSettings,
    size: int,
) -> Evidence:
    """The evidence on each pair; `related` as RELATED, `size` the hub's `size_class`.

    The more documents there are, the less it means that two of strangers are alike.
    """
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    client = _clients(columns, related, left, right)
    crowd = (size - _SMALL) * ONE_BIT
    same, related_bits, differs = (weights.unit(f"client_{name}") for name in CLIENT[1:])
    client_bits = np.array([-crowd, same, related_bits, differs - crowd], np.int64)[client]
    amount, amount_bits = _amounts(columns, faces, registers, pairs, client == CLIENT.index("same"), settings)
    number, number_bits = _numbers(columns, pairs, settings)
    lag, first, last = lags_of(settings).of(columns, left, right)
    dated = columns.has_day[left] & columns.has_day[right]
    lag = np.where(dated, lag, 0)
    span = np.maximum(np.where(lag >= 0, last, -first), 1)
    most = weights.unit("lag_most")
    lag_bits = np.where(dated, np.maximum(most - 2 * most * np.abs(lag) // span, -most), 0)
    stated = (columns.parent[left] == right) | (columns.parent[right] == left)
    total = weights.unit("prior") + amount_bits + number_bits + client_bits + lag_bits + STATED * stated
    return Evidence(amount, amount_bits, number, number_bits, client, client_bits, lag, lag_bits, stated, total)


def _clients(columns: Columns, related: pa.Table, left: Ints, right: Ints) -> Ints:
    known = columns.has_client[left] & columns.has_client[right]
    same = columns.client[left] == columns.client[right]
    level = np.where(known, np.where(same, CLIENT.index("same"), CLIENT.index("differs")), 0)
    apart = np.flatnonzero(level == CLIENT.index("differs"))
    if len(apart) and related.num_rows:
        ends = [related[name].to_numpy() for name in RELATED.names]
        kin = {pair for one, other in zip(*ends, strict=True) for pair in ((one, other), (other, one))}
        of = zip(columns.client[left[apart]].tolist(), columns.client[right[apart]].tolist(), strict=True)
        level[apart[[pair in kin for pair in of]]] = CLIENT.index("related")
    return level


def _amounts(
    columns: Columns, faces: Faces, registers: Registers, pairs: Pairs, same_client: Flags, settings: DocumentSettings
) -> tuple[Ints, Ints]:
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    known = columns.has_amount[left] & columns.has_amount[right]
    level = np.where(known, AMOUNT.index("differs"), 0)
    currencies = (columns.currency[left] != 0) & (columns.currency[right] != 0)
    one_currency = columns.currency[left] == columns.currency[right]
    level[known & currencies & ~one_currency] = AMOUNT.index("other_currency")
    equal = known & one_currency & (columns.amount[left] == columns.amount[right])
    level[equal] = AMOUNT.index("equal")
    # The rows of faces in which the two are equal: the first of a document is the one without tax added.
    first = np.searchsorted(faces.document, np.arange(len(columns.record_id)))
    left_row, right_row = first[left], first[right]
    gross = columns.amount[right]
    is_net = registers.is_net()[columns.register] if len(columns.register) else np.zeros(0, np.bool_)
    for net, other, row in ((left, right, left_row), (right, left, right_row)):
        open_ = np.flatnonzero((level == AMOUNT.index("differs")) & is_net[net] & ~is_net[other] & one_currency)
        for number, rate in enumerate(settings.tax_rates, 1):
            taxed = with_tax(columns.amount[net[open_]], round(rate * UNIT))
            hit = open_[taxed == columns.amount[other[open_]]]
            level[hit] = AMOUNT.index("net")
            row[hit] += number
            gross[hit] = columns.amount[other[hit]]
    found = np.flatnonzero(((level == AMOUNT.index("equal")) | (level == AMOUNT.index("net"))) & (gross != 0))
    lengths, cap = slot_lengths(settings), settings.largest_block
    bits = np.array([0, 0, 0, weights.unit("amount_differs"), weights.unit("currency_differs")], np.int64)[level]
    if len(found) == 0:
        return level, bits
    rows, alike = (left_row[found], right_row[found]), same_client[found]
    many = np.zeros(len(found), np.int64)
    # Of one client's documents those of the same weeks are rivals; the date tells it from others.
    for key, which, length in (
        (faces.client_key, alike, lengths[1]),
        (faces.client_key, alike, lengths[0]),
        (faces.amount_key, ~alike, lengths[0]),
    ):
        at = np.flatnonzero(which & (many == 0))
        if len(at):
            many[at] = rivals_of(key, faces.document, columns, length, cap).of(rows[0][at], rows[1][at])
    worth = np.minimum(significant_digits(gross[found]) * weights.unit("digit"), weights.unit("amount_most"))
    net_bits = np.where(level[found] == AMOUNT.index("net"), weights.unit("amount_net"), 0)
    bits[found] = worth + net_bits - _logs(cap)[many]
    return level, bits


def _numbers(columns: Columns, pairs: Pairs, settings: DocumentSettings) -> tuple[Ints, Ints]:
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    known = (columns.number_core[left] != 0) & (columns.number_core[right] != 0)
    equal = known & (columns.number[left] == columns.number[right])
    digits = known & ~equal & (columns.number_core[left] == columns.number_core[right])
    level = np.where(equal, 1, np.where(digits, 2, np.where(known, 3, 0)))
    bits = np.zeros(len(left), np.int64)
    found = np.flatnonzero(equal | digits)
    if len(found):
        numbered = np.flatnonzero((columns.number_core != 0) & columns.has_day)
        length, cap = slot_lengths(settings)[0], settings.largest_block
        keys = columns.number_core[numbered].view(np.uint64)
        one, other = (np.minimum(np.searchsorted(numbered, end[found]), len(numbered) - 1) for end in (left, right))
        many = rivals_of(keys, numbered, columns, length, cap).of(one, other)
        most = np.where(equal[found], weights.unit("number_most"), weights.unit("number_core_most"))
        worth = np.minimum(columns.number_digits[left[found]] * weights.unit("number_digit"), most)
        bits[found] = worth - _logs(cap)[many]
    return level, bits


def _logs(cap: int) -> Ints:
    """log2 of 0 (as of 1) to `cap`, in 1/1024 bit."""
    return np.array([round(math.log2(max(n, 1)) * ONE_BIT) for n in range(cap + 1)], np.int64)
