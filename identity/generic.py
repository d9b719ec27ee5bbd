"""Generic values: identifiers with so many distinct names behind them that they say nothing about one
client."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.features import encode, positions

GENERIC: Final = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("names", pa.int64(), nullable=False),  # distinct names behind it
    ]
)


def generic_values(records: pa.Table, identifiers: pa.Table, more_than: int) -> pa.Table:
    """GENERIC rows: valid identifier values with more than `more_than` distinct names behind them, per kind.

    A person's name is the family name (else the full name), an organisation's its core, both by Latin key, so
    that a family's telephone is no switchboard. A function of the current records alone.
    """
    valid = identifiers.filter(identifiers["is_valid"]) if identifiers.num_rows else identifiers
    rows = positions(records["record_id"], valid["record_id"])
    named = pc.coalesce(records["family_latin"], records["org_latin"], records["full_latin"])
    _, name = encode(named)
    kinds, kind = encode(records["kind"])
    values, value = encode(pc.binary_join_element_wise(valid["type"], valid["value"], "\x1f"))
    keep = (rows >= 0) & (value >= 0)
    keep[keep] &= name[rows[keep]] >= 0
    if not keep.any():
        return GENERIC.empty_table()
    rows, value = rows[keep], value[keep].astype(np.int64)
    behind = value * len(kinds) + kind[rows]
    distinct = np.unique(np.stack([behind, name[rows].astype(np.int64)]), axis=1)
    found, names = np.unique(distinct[0], return_counts=True)
    found, names = found[names > more_than], names[names > more_than]
    split = pc.split_pattern(values.take(pa.array(found // len(kinds))), "\x1f", max_splits=1)
    return pa.table(
        {
            "kind": kinds.take(pa.array(found % len(kinds))),
            "type": pc.list_element(split, 0) if len(found) else pa.array([], pa.string()),
            "value": pc.list_element(split, 1) if len(found) else pa.array([], pa.string()),
            "names": names.astype(np.int64),
        },
        schema=GENERIC,
    ).sort_by([("kind", "ascending"), ("type", "ascending"), ("value", "ascending")])
