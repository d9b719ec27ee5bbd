"""Papers that nothing settles: sales that wait for money, and payments that wait for what they pay."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns
from identity.documents.counting import LINK_ENDS
from identity.documents.events import groups
from identity.documents.schema import OPEN, PAID, SALES, Registers
from identity.documents.settings import MONEY
from identity.documents.settling import worth_of_events

OWED: Final = tuple(money for money in SALES if money != MONEY.index("quoted"))
"""What is paid for: a quotation alone is nothing."""


def open_papers(columns: Columns, links: pa.Table, registers: Registers) -> pa.Table:
    """What is open of these documents (OPEN), those of one client together; `links`: all among them but those of sums,
    which settle what is open so far."""
    linked = links.filter(pc.equal(links["status"], "linked"))
    is_same = pc.equal(linked["kind"], "same").to_numpy()
    ends = [np.searchsorted(columns.record_id, linked[name].to_numpy()) for name in LINK_ENDS]
    event = groups(len(columns.record_id), *(end[is_same] for end in ends))
    worth = worth_of_events(columns, event)
    is_open = np.ones(len(event), np.bool_)
    for end in ends:
        is_open[event[end[~is_same]]] = False
    usable = is_open[event] & columns.has_client & columns.has_day & columns.has_amount & (worth[event] > 0)
    at = np.flatnonzero(usable & np.isin(columns.money, (*OWED, PAID)))
    at = at[np.argsort(columns.client[at], kind="stable")]
    code = registers.codes()[columns.register[at]] if len(at) else at
    return pa.table(
        [
            columns.record_id[at],
            columns.client[at],
            columns.currency[at],
            code,
            columns.record_id[event[at]],
            columns.day[at].astype(np.int32),
            worth[event[at]],
        ],
        schema=OPEN,
    )
