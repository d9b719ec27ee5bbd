"""The shapes in which documents come in, and links and events go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.documents.settings import MONEY, SALE
from identity.hashing import hash_strings, signed

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNIT: Final = 10_000
"""Amounts are integers of 1/10,000 of their currency here: they are compared, never added up for people."""

DOCUMENT: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("register", pa.int32(), nullable=False),  # place in the list of registers
        pa.field("day", pa.int32()),  # days since 1970-01-01
        pa.field("amount", pa.int64()),  # 1/10,000; negative where it reverses another document
        pa.field("currency", pa.string()),
        pa.field("number", pa.string()),
        pa.field("client", pa.int64()),  # a hash of the client's id
        pa.field("parent_record_id", pa.int64()),  # the document that it says it belongs to
        pa.field("state", pa.int32(), nullable=False),  # STATES
    ]
)
PLAIN, SOLD, VOID = range(3)
"""How a document stands."""

PLACE: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("face", pa.int32(), nullable=False),  # 0: as it is; else its amount with the tax of that rate
        pa.field("day", pa.int32()),
        pa.field("amount_key", pa.int64()),
        pa.field("client_key", pa.int64()),
        pa.field("number_key", pa.int64()),
        pa.field("parent_record_id", pa.int64()),
        pa.field("client", pa.int64()),
        pa.field("register_key", pa.int64()),  # Registers.codes
        pa.field("amount", pa.int64()),  # 1/10,000, as in DOCUMENT
        pa.field("currency", pa.int64()),  # a hash
        pa.field("number", pa.int64()),  # a hash of the number as it is written, without signs and case
        pa.field("digits", pa.int32()),  # of its number
        pa.field("state", pa.int32()),  # PLAIN or SOLD: what is void has no place
    ]
)
"""Where a document is looked for: the keys of its blocks; and, on face 0 alone, what else it says that links depend
on."""

LINK: Final = pa.schema(
    [
        pa.field("left_record_id", pa.int64(), nullable=False),  # the smaller one
        pa.field("right_record_id", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # same | settles | instalment
        pa.field("status", pa.string(), nullable=False),  # linked | review
        pa.field("bits", pa.int32(), nullable=False),  # 1/1024
        pa.field("amount", pa.int64()),  # what a payment or credit note settles, 1/10,000
        pa.field("evidence", pa.dictionary(pa.int32(), pa.string()), nullable=False),  # JSON: millions share some texts
    ]
)
TIE: Final = pa.schema([LINK.field(at) for at in range(4)])
"""A link without what speaks for it."""
OPEN: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("client", pa.int64(), nullable=False),
        pa.field("currency", pa.int64(), nullable=False),  # a hash; 0: not known
        pa.field("register_key", pa.int64(), nullable=False),  # Registers.codes
        pa.field("event_id", pa.int64(), nullable=False),  # the smallest record linked with it as the same
        pa.field("day", pa.int32(), nullable=False),
        pa.field("worth", pa.int64(), nullable=False),  # of the event, 1/10,000
    ]
)
"""A paper that nothing settles, but sums of others: all that sums depend on."""
EVENT: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("event_id", pa.int64(), nullable=False),  # the smallest record of the event's sale documents
        pa.field("is_counted", pa.bool_(), nullable=False),
        pa.field("counted_by", pa.int64()),  # the document that counts in its place, or itself; null: nothing counts
    ]
)
SAID: Final = pa.schema(
    [
        pa.field("left_record_id", pa.int64(), nullable=False),
        pa.field("right_record_id", pa.int64(), nullable=False),
        pa.field("is_same", pa.bool_(), nullable=False),
    ]
)
"""Judgements in force, pair by pair."""
RELATED: Final = pa.schema(
    [pa.field("left", pa.int64(), nullable=False), pa.field("right", pa.int64(), nullable=False)]
)
"""Clients (hashes) that pay for each other."""


@dataclass(frozen=True, slots=True)
class Register:
    """The documents of one type in one source."""

    source: str
    type: str
    money: str
    tax: str | None
    rank: int
    """Which one counts: the smaller first."""

    @property
    def book(self) -> tuple[str, str]:
        """One event stands in a book once: a source, and what the amounts mean."""
        return self.source, self.money


@dataclass(frozen=True, slots=True)
class Registers:
    """All registers, with what is asked of them as arrays by place."""

    registers: tuple[Register, ...]

    def money(self) -> Ints:
        """Places in MONEY."""
        return np.array([MONEY.index(one.money) for one in self.registers], np.int64)

    def books(self) -> Ints:
        """Numbers of books."""
        known = {book: at for at, book in enumerate(sorted({one.book for one in self.registers}))}
        return np.array([known[one.book] for one in self.registers], np.int64)

    def codes(self) -> Ints:
        """Hashes of source and type."""
        names = [f"{one.source}\n{one.type}" for one in self.registers]
        return signed(hash_strings(pa.array(names, pa.string())))

    def places(self, codes: Ints) -> Ints:
        """The place in the list of each of these codes, all known."""
        known = self.codes()
        order = np.argsort(known)
        found: Ints = order[np.searchsorted(known[order], codes)] if len(known) else codes
        return found

    def ranks(self) -> Ints:
        """Which counts first."""
        return np.array([one.rank for one in self.registers], np.int64)

    def is_net(self) -> Flags:
        """Amounts are without tax."""
        return np.array([one.tax == "net" for one in self.registers], np.bool_)


SALES: Final = tuple(MONEY.index(name) for name in SALE)
PAID: Final = MONEY.index("paid")
CREDITED: Final = MONEY.index("credited")
