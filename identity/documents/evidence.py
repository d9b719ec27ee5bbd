"""What speaks for two documents being one event, in integers of 1/1024 bit.

The rarer an amount or a number is in its window, the more its equality says: it costs the bits that it takes to tell
its document from the others of the same book that carry it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from identity.documents.columns import Columns, significant_digits, with_tax
from identity.documents.kin import Kin
from identity.documents.pairs import Pairs, lags_of
from identity.documents.rarity import Rarity
from identity.documents.schema import UNIT, Flags, Ints, Registers
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


Level = npt.NDArray[np.int8]
Bits = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The findings on pairs, one row each: a level and its bits by comparison, and their sum."""

    amount: Level
    amount_bits: Bits
    number: Level
    number_bits: Bits
    client: Level
    client_bits: Bits
    lag: Bits
    lag_bits: Bits
    stated: Flags
    total: Bits

    def only(self, wanted: Flags | Ints) -> Evidence:
        """Those that are wanted."""
        return Evidence(*(getattr(self, name)[wanted] for name in self.__slots__))


def together(parts: Sequence[Evidence]) -> Evidence:
    """The findings of several slices of pairs, at least one."""
    return Evidence(*(np.concatenate([getattr(part, name) for part in parts]) for name in Evidence.__slots__))


@dataclass(frozen=True, slots=True)
class Measure:
    """What the weight of a pair depends on beside the pair."""

    columns: Columns
    registers: Registers
    rarity: Rarity
    kin: Kin
    settings: DocumentSettings
    size: int
    """The hub's `size_class`."""


def weigh(measure: Measure, pairs: Pairs) -> Evidence:
    """The evidence on each pair. The more documents there are, the less it means that two of strangers are alike."""
    columns, settings = measure.columns, measure.settings
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    client = _clients(columns, measure.kin, left, right)
    crowd = (measure.size - _SMALL) * ONE_BIT
    same, related_bits, differs = (weights.unit(f"client_{name}") for name in CLIENT[1:])
    client_bits = np.array([-crowd, same, related_bits, differs - crowd], np.int64)[client]
    amount, amount_bits = _amounts(measure, pairs, client == CLIENT.index("same"))
    number, number_bits = _numbers(measure, pairs)
    lag, first, last = lags_of(settings).of(columns, left, right)
    dated = columns.has_day[left] & columns.has_day[right]
    lag = np.where(dated, lag, 0)
    span = np.maximum(np.where(lag >= 0, last, -first), 1)
    most = weights.unit("lag_most")
    lag_bits = np.where(dated, np.maximum(most - 2 * most * np.abs(lag) // span, -most), 0)
    stated = (columns.parent[left] == right) | (columns.parent[right] == left)
    total = weights.unit("prior") + amount_bits + number_bits + client_bits + lag_bits + STATED * stated
    levels = (one.astype(np.int8) for one in (amount, number, client))
    sums = (one.astype(np.int32) for one in (amount_bits, number_bits, client_bits))
    (amount_level, number_level, client_level), (amount_sum, number_sum, client_sum) = levels, sums
    return Evidence(
        amount_level, amount_sum, number_level, number_sum, client_level, client_sum, lag.astype(np.int32),
        lag_bits.astype(np.int32), stated, total.astype(np.int32),
    )  # fmt: skip


def _clients(columns: Columns, kin: Kin, left: Ints, right: Ints) -> Ints:
    known = columns.has_client[left] & columns.has_client[right]
    one, other = columns.client[left], columns.client[right]
    level = np.where(known, np.where(one == other, CLIENT.index("same"), CLIENT.index("differs")), 0)
    apart = np.flatnonzero(level == CLIENT.index("differs"))
    level[apart[kin.are(one[apart], other[apart])]] = CLIENT.index("related")
    return level


def _amounts(measure: Measure, pairs: Pairs, same_client: Flags) -> tuple[Ints, Ints]:
    columns, settings, rarity = measure.columns, measure.settings, measure.rarity
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    known = columns.has_amount[left] & columns.has_amount[right]
    level = np.where(known, AMOUNT.index("differs"), 0)
    one, other = columns.currency[left], columns.currency[right]
    one_currency = one == other
    level[known & (one != 0) & (other != 0) & ~one_currency] = AMOUNT.index("other_currency")
    gross = columns.amount[right]
    equal = known & one_currency & (columns.amount[left] == gross)
    level[equal] = AMOUNT.index("equal")
    # The rows of faces in which the two are equal: the first of a document is the one without tax added.
    left_row, right_row = rarity.first[left], rarity.first[right]
    is_net = measure.registers.is_net()
    if is_net.any():
        is_net = is_net[columns.register]
        for net, taxed_by, row in ((left, right, left_row), (right, left, right_row)):
            open_ = np.flatnonzero((level == AMOUNT.index("differs")) & is_net[net] & ~is_net[taxed_by] & one_currency)
            for number, rate in enumerate(settings.tax_rates, 1):
                taxed = with_tax(columns.amount[net[open_]], round(rate * UNIT))
                hit = open_[taxed == columns.amount[taxed_by[open_]]]
                level[hit] = AMOUNT.index("net")
                row[hit] += number
                gross[hit] = columns.amount[taxed_by[hit]]
    found = np.flatnonzero(((level == AMOUNT.index("equal")) | (level == AMOUNT.index("net"))) & (gross != 0))
    bits = np.array([0, 0, 0, weights.unit("amount_differs"), weights.unit("currency_differs")], np.int64)[level]
    if len(found) == 0:
        return level, bits
    rows, alike = (left_row[found], right_row[found]), same_client[found]
    days = columns.day[left[found]], columns.day[right[found]]
    many, dated = np.zeros(len(found), np.int64), (columns.has_day[left] & columns.has_day[right])[found]
    # Of one client's documents those of the same weeks are rivals; the date tells it from others.
    for rivals, which in ((rarity.client_weeks, alike), (rarity.clients, alike), (rarity.amounts, ~alike)):
        at = np.flatnonzero(which & dated & (many == 0))
        many[at] = rivals.of(rows[0][at], rows[1][at], (days[0][at], days[1][at]))
    worth = np.minimum(significant_digits(gross[found]) * weights.unit("digit"), weights.unit("amount_most"))
    net_bits = np.where(level[found] == AMOUNT.index("net"), weights.unit("amount_net"), 0)
    bits[found] = worth + net_bits - _logs(settings.largest_block)[many]
    return level, bits


def _numbers(measure: Measure, pairs: Pairs) -> tuple[Ints, Ints]:
    columns, settings = measure.columns, measure.settings
    weights, (left, right) = settings.weights, (pairs.left, pairs.right)
    cores = columns.number_core[left], columns.number_core[right]
    known = (cores[0] != 0) & (cores[1] != 0)
    equal = known & (columns.number[left] == columns.number[right])
    digits = known & ~equal & (cores[0] == cores[1])
    level = np.where(equal, 1, np.where(digits, 2, np.where(known, 3, 0)))
    bits = np.zeros(len(left), np.int64)
    found = np.flatnonzero(equal | digits)
    if len(found):
        one, other = left[found], right[found]
        many = measure.rarity.numbers.of(one, other, (columns.day[one], columns.day[other]))
        many[~(columns.has_day[one] & columns.has_day[other])] = 0
        most = np.where(equal[found], weights.unit("number_most"), weights.unit("number_core_most"))
        worth = np.minimum(columns.number_digits[one] * weights.unit("number_digit"), most)
        bits[found] = worth - _logs(settings.largest_block)[many]
    return level, bits


def _logs(cap: int) -> Ints:
    """log2 of 0 (as of 1) to `cap`, in 1/1024 bit."""
    return np.array([round(math.log2(max(n, 1)) * ONE_BIT) for n in range(cap + 1)], np.int64)
