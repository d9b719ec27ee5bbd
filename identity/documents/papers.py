"""Documents as their sources state them, and where they are looked for: by number, amount and day alone.

Which client a document is of is never looked at, so that what follows from it for clients does not rest on clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.columns import significant_digits, with_tax
from identity.documents.schema import UNIT, Flags, Ints
from identity.documents.settings import MONEY, SALE, DocumentSettings
from identity.encoded import encode
from identity.hashing import Hashes, combine, hash_strings, mix, signed
from identity.shipped import shipped

PAPER: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("party_id", pa.int64()),  # the client's record in its source
        pa.field("source", pa.string(), nullable=False),
        pa.field("money", pa.string(), nullable=False),
        pa.field("is_net", pa.bool_(), nullable=False),
        pa.field("is_void", pa.bool_(), nullable=False),
        pa.field("day", pa.int32()),  # days since 1970-01-01
        pa.field("amount", pa.int64()),  # 1/10,000
        pa.field("currency", pa.string()),
        pa.field("number", pa.string()),
    ]
)
"""A document as its source states it."""
KEY: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("face", pa.int32(), nullable=False),  # 0: the amount as it is; else with the tax of that rate
        pa.field("party_id", pa.int64(), nullable=False),
        pa.field("source_id", pa.int64(), nullable=False),  # a hash of the source
        pa.field("money", pa.int32(), nullable=False),  # the place in MONEY
        pa.field("day", pa.int32(), nullable=False),
        pa.field("number_key", pa.int64()),  # a hash of number, currency and amount to the whole unit
        pa.field("day_key", pa.int64()),  # a hash of day, currency and a rare amount
    ]
)
"""identity.document_key: where a document is looked for."""
_WHOLE: Final = 10_000
"""One unit of money in 1/10,000."""


@dataclass(frozen=True, slots=True)
class CommonRules:
    """`documents_in_common.yaml`."""

    number_digits: int
    amount_digits: int
    largest_block: int
    worth: Mapping[str, int]
    levels: Mapping[str, int]


@cache
def common_rules() -> CommonRules:
    """When documents are taken for one and the same, and what they are worth."""
    found: Mapping[str, Any] = shipped("documents_in_common")
    return CommonRules(**found)


def keys_of(papers: pa.Table, settings: DocumentSettings) -> pa.Table:
    """Where documents (PAPER) are looked for (KEY), by document and face; those that say nothing are left out."""
    rules = common_rules()
    known = [pc.is_valid(papers[name]) for name in ("party_id", "day", "amount")]
    is_sale = pc.is_in(papers["money"], value_set=pa.array(SALE))
    keep = pc.and_(pc.and_(known[0], known[1]), pc.and_(known[2], pc.and_not(is_sale, papers["is_void"])))
    papers = papers.filter(keep).sort_by("record_id").combine_chunks()
    amount = papers["amount"].to_numpy()
    of, face, much = _faces(amount, papers["is_net"].to_numpy(zero_copy_only=False), settings)
    currency, core = _hashes(papers["currency"])[of], _hashes(_cores(papers["number"], rules.number_digits))[of]
    day = papers["day"].to_numpy()[of]
    whole = np.sign(much) * ((np.abs(much) + _WHOLE // 2) // _WHOLE)
    number_key = combine(combine(mix(whole.view(np.uint64)), currency), core)
    day_key = combine(combine(mix(much.view(np.uint64)), currency), mix(day.astype(np.uint64)))
    has_number = (core != 0) & (whole != 0)
    is_rare = significant_digits(much) >= rules.amount_digits
    money = pc.index_in(papers["money"], value_set=pa.array(MONEY)).to_numpy()
    keys = pa.table(
        [
            papers["record_id"].to_numpy()[of],
            face.astype(np.int32),
            papers["party_id"].to_numpy()[of],
            signed(_hashes(papers["source"]))[of],
            money.astype(np.int32)[of],
            day,
            pa.array(signed(number_key), mask=~has_number),
            pa.array(signed(day_key), mask=~is_rare),
        ],
        schema=KEY,
    )
    return keys.filter(pa.array(has_number | is_rare))


def _faces(amount: Ints, is_net: Flags, settings: DocumentSettings) -> tuple[Ints, Ints, Ints]:
    """Of each document its amount, and one without tax also with that of each rate: document, face, amount."""
    every, net = np.arange(len(amount)), np.flatnonzero(is_net)
    of, face, much = [every], [np.zeros(len(every), np.int64)], [amount]
    for number, rate in enumerate(settings.tax_rates, 1):
        of.append(net)
        face.append(np.full(len(net), number))
        much.append(with_tax(amount[net], round(rate * UNIT)))
    joined = np.concatenate(of), np.concatenate(face), np.concatenate(much)
    order = np.lexsort((joined[1], joined[0]))
    return joined[0][order], joined[1][order], joined[2][order]


def _cores(numbers: pa.ChunkedArray, fewest: int) -> pa.Array:
    """The digits of numbers without leading zeros; null where they are too few."""
    digits = pc.utf8_ltrim(pc.replace_substring_regex(pc.fill_null(numbers, ""), r"[^0-9]+", ""), "0")
    return pc.if_else(pc.greater_equal(pc.binary_length(digits), fewest), digits, None)


def _hashes(texts: pa.ChunkedArray | pa.Array) -> Hashes:
    """Hashes of texts; 0 for null."""
    unique, codes = encode(texts)
    found: Hashes = np.append(hash_strings(unique), np.uint64(0))[codes]
    return found
