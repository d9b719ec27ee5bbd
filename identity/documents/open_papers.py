"""Papers that nothing settles: sales that wait for money, and payments that wait for what they pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import Columns
from identity.documents.counting import LINK_ENDS
from identity.documents.events import groups
from identity.documents.schema import OPEN, PAID, SALES, Ints
from identity.documents.sets import union
from identity.documents.settings import MONEY
from identity.documents.settling import worth_of_events

_OWED: Final = tuple(money for money in SALES if money != MONEY.index("quoted"))
"""A quotation alone is nothing that is paid for."""


@dataclass(frozen=True, slots=True)
class OpenPapers:
    """What is open of some documents, by their places."""

    event: Ints
    """Of each document the event that it is of, by links of the kind `same`."""
    worth: Ints
    """Of each event."""
    owing: Ints
    """Sales that nothing settles, with client, day and amount."""
    paying: Ints
    """Payments that settle nothing, likewise."""

    def stored(self, columns: Columns) -> pa.Table:
        """As rows (OPEN), by record."""
        places = union(self.owing, self.paying)
        return pa.table([columns.record_id[places], columns.client[places]], schema=OPEN)


def open_papers(columns: Columns, links: pa.Table) -> OpenPapers:
    """What is open of these documents; `links`: all among them but those of sums, which settle what is open so far."""
    linked = links.filter(pc.equal(links["status"], "linked"))
    is_same = pc.equal(linked["kind"], "same").to_numpy()
    ends = [np.searchsorted(columns.record_id, linked[name].to_numpy()) for name in LINK_ENDS]
    event = groups(len(columns.record_id), *(end[is_same] for end in ends))
    worth = worth_of_events(columns, event)
    is_open = np.ones(len(event), np.bool_)
    for end in ends:
        is_open[event[end[~is_same]]] = False
    usable = is_open[event] & columns.has_client & columns.has_day & columns.has_amount & (worth[event] > 0)
    owing = np.flatnonzero(usable & np.isin(columns.money, _OWED))
    return OpenPapers(event, worth, owing, np.flatnonzero(usable & (columns.money == PAID)))
