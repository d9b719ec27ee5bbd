"""Cards: a record with its valid identifiers as one row, the form in which records travel between executors."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.encoded import whole
from identity.features import in_natural_order, positions
from identity.schema import IDENTIFIER, RECORD

_BORNE: Final = pa.struct([IDENTIFIER.field("type"), IDENTIFIER.field("value")])
CARD: Final = pa.schema([*RECORD, pa.field("identifiers", pa.list_(_BORNE), nullable=False)])
"""RECORD, and the valid identifiers of each."""


def cards_of(records: pa.Table, identifiers: pa.Table) -> pa.Table:
    """RECORD and IDENTIFIER tables as CARD rows, in the order of the records."""
    valid = identifiers.filter(identifiers["is_valid"]) if identifiers.num_rows else identifiers
    owner = positions(records["record_id"], valid["record_id"])
    order = np.argsort(owner, kind="stable")
    order = order[owner[order] >= 0]
    offsets = np.zeros(records.num_rows + 1, dtype=np.int32)
    np.cumsum(np.bincount(owner[order], minlength=records.num_rows), out=offsets[1:])
    borne = valid.select([field.name for field in _BORNE]).take(pa.array(order))
    rows = pa.StructArray.from_arrays([whole(column) for column in borne.columns], fields=list(_BORNE))
    return records.append_column(CARD.field("identifiers"), pa.ListArray.from_arrays(pa.array(offsets), rows))


def tables_of(cards: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The RECORD rows of cards, each record once and in natural order, and their IDENTIFIER rows."""
    cards = _once(cards)
    records = cards.select(RECORD.names).cast(RECORD)
    lists = whole(cards["identifiers"])
    borne = lists.flatten()
    count = len(borne)
    identifiers = pa.table(
        {
            "record_id": records["record_id"].take(pc.list_parent_indices(lists)),
            "type": borne.field("type"),
            "value": borne.field("value"),
            "is_valid": pa.repeat(pa.scalar(True), count),
            "invalid_reason": pa.nulls(count, pa.string()),
        },
        schema=IDENTIFIER,
    )
    return records, identifiers


def _once(cards: pa.Table) -> pa.Table:
    first = np.unique(cards["record_id"].to_numpy(), return_index=True)[1]
    return in_natural_order(cards if len(first) == cards.num_rows else cards.take(pa.array(first)))
