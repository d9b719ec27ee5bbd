"""identity.identifier: the typed, multi-valued identifiers of records."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.schema import IDENTIFIER
from identity.standard.batch import Batch
from identity.standard.columns import Column, Ints
from identity.standard.profile import IDENTIFIERS, STANDARD_ATTRIBUTES


def identifiers_of_records(batch: Batch) -> tuple[pa.Table, pa.Array]:
    """identity.identifier rows of the batch, and per record one text over them for its content hash."""
    size = batch.size
    parts: list[tuple[str, Column]] = []
    for name, found in batch.columns.items():
        is_open = name not in STANDARD_ATTRIBUTES and batch.profile.type_of(name) == "identifier"
        if name in IDENTIFIERS or name == "website" or is_open:
            parts.append(("domain" if name == "website" else name, found))
    if not parts:
        return IDENTIFIER.empty_table(), pa.array([""] * size, pa.string())
    parts.sort(key=lambda part: part[0])
    kinds = sorted({kind for kind, _ in parts})
    rows = np.concatenate([found.rows for _, found in parts])
    rank = np.concatenate([np.full(len(found.rows), kinds.index(kind), dtype=np.int64) for kind, found in parts])
    value, valid, reason = [], [], []
    for _, found in parts:
        codes = pa.array(found.codes)
        value.append(pc.coalesce(found.value, found.display).take(codes))
        valid.append(found.value.is_valid().take(codes))
        reason.append(found.reason.take(codes))
    values_, is_valid, reasons = pa.concat_arrays(value), pa.concat_arrays(valid), pa.concat_arrays(reason)
    order = np.argsort(rows * len(kinds) + rank, kind="stable")
    keys = rows * len(kinds) + rank
    sorted_keys = keys[order]
    if len(order) > 1 and (sorted_keys[1:] == sorted_keys[:-1]).any():
        order = _without_repetitions(order, keys, values_, is_valid)
    index = pa.array(order)
    values_, is_valid, reasons = values_.take(index), is_valid.take(index), reasons.take(index)
    rows, rank = rows[order], rank[order]
    types = pa.array(kinds, pa.string()).take(pa.array(rank))
    record_ids = batch.head["record_id"].combine_chunks().take(pa.array(rows))
    table = pa.Table.from_arrays([record_ids, types, values_, is_valid, reasons], schema=IDENTIFIER)
    texts = pc.binary_join_element_wise(types, values_, pc.fill_null(reasons, ""), "\x1e")
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=size), out=offsets[1:])
    return table, pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), "\x1d")


def _without_repetitions(order: Ints, keys: Ints, values_: pa.Array, is_valid: pa.Array) -> Ints:
    """One row per (record, type, value): a valid one before an invalid one, else the first."""
    codes = values_.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    whole = keys * (int(codes.max()) + 1) + codes
    refused = ~is_valid.to_numpy(zero_copy_only=False)
    by_value = order[np.lexsort((np.arange(len(order)), refused[order], whole[order]))]
    first = np.ones(len(by_value), dtype=bool)
    first[1:] = whole[by_value][1:] != whole[by_value][:-1]
    kept = np.zeros(len(order), dtype=bool)
    kept[by_value[first]] = True
    remaining: Ints = order[kept[order]]
    return remaining
