"""Which payments and credit notes settle which event: one for one by amount, many for one where a register says so.

Parallel papers of one payment (the bank's and accounting's) are one unit. An event takes no more than it is worth.
"""

from __future__ import annotations

import numpy as np

from identity.documents.columns import Columns
from identity.documents.evidence import AMOUNT, Evidence
from identity.documents.matching import best_first
from identity.documents.pairs import Pairs
from identity.documents.schema import Flags, Ints


def settle(
    columns: Columns, pairs: Pairs, found: Evidence, event: Ints, is_sale: Flags, sure: Flags
) -> tuple[Ints, Ints]:
    """The rows of `pairs` (a sale document and a payment or credit note) that settle, and how much each.

    `event`: of each document the event or unit that it belongs to. `sure`: what was judged or stated, which is taken
    whatever the amounts are.
    """
    sale = np.where(is_sale[pairs.left], pairs.left, pairs.right)
    payment = np.where(is_sale[pairs.left], pairs.right, pairs.left)
    worth = np.abs(worth_of_events(columns, event))
    unit, of = event[payment], event[sale]
    amount = worth[unit]
    order = np.lexsort((sale, payment, -found.total, ~sure))
    is_equal = np.isin(found.amount, (AMOUNT.index("equal"), AMOUNT.index("net")))
    # Credit notes and payments fill each their own measure.
    rest = {money: worth.copy() for money in np.flatnonzero(np.bincount(columns.money[payment])).tolist()}
    money = columns.money[payment]
    given = np.zeros(len(payment), np.int64)

    def fits(rows: Ints) -> Flags:
        at = order[rows]
        good = np.zeros(len(at), np.bool_)
        for one, left in rest.items():
            mine = np.flatnonzero(money[at] == one)
            row = at[mine]
            open_ = left[of[row]]
            much = np.where(is_equal[row] & ~sure[row], np.minimum(amount[row], open_), amount[row])
            ok = sure[row] | ((much > 0) & (much <= open_))
            ok &= ~(is_equal[row] & ~sure[row] & (open_ < worth[of[row]]) & (amount[row] > open_))
            good[mine] = ok
            given[row] = much
            left[of[row[ok]]] -= much[ok]
        return good

    taken = order[best_first(unit[order], of[order], len(event), shared_right=True, fits=fits)]
    return taken, given[taken]


def worth_of_events(columns: Columns, event: Ints) -> Ints:
    """Of each event (by its place) the sum of the documents that count in it: those of the book that ranks first."""
    count = len(event)
    known = np.flatnonzero(columns.has_amount)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, event[known], columns.rank[known])
    counted = known[columns.rank[known] == first[event[known]]]
    worth = np.zeros(count, np.int64)
    np.add.at(worth, event[counted], columns.amount[counted])
    return worth
