"""The `attributes` document of each record: attribute -> its display values in order, with what is wrong or
was mended."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.standard.columns import Ints


@dataclass(frozen=True, slots=True)
class Entry:
    """Values of one attribute: `fragments[codes[i]]` belongs to `rows[i]`; ordered by row. Null fragments
    are left out."""

    attribute: str
    rows: Ints
    codes: Ints
    fragments: pa.Array


def _distinct(entry: Entry) -> tuple[Ints, pa.Array]:
    """Rows and fragments of an entry, nulls and repetitions within a row left out."""
    texts = entry.fragments.take(pa.array(entry.codes))
    rows = entry.rows
    if texts.null_count:
        keep = texts.is_valid()
        texts, rows = texts.filter(keep), rows[keep.to_numpy(zero_copy_only=False)]
    if len(rows) > 1 and (rows[1:] == rows[:-1]).any():
        codes = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        _, first = np.unique(rows * (int(codes.max()) + 1) + codes, return_index=True)
        first.sort()
        texts, rows = texts.take(pa.array(first)), rows[first]
    return rows, texts


def documents(entries: list[Entry], size: int) -> pa.Array:
    """One JSON object per row of the batch, attributes in bytewise order:
    `{"email":[{"v":"a@b.de"}],...}`."""
    if not entries:
        return pa.array(["{}"] * size, pa.string())
    entries = sorted(entries, key=lambda entry: entry.attribute)
    parts = [_distinct(entry) for entry in entries]
    names = [msgspec.json.encode(entry.attribute).decode() for entry in entries]
    if not any(len(rows) for rows, _ in parts):
        return pa.array(["{}"] * size, pa.string())
    rank = np.concatenate([np.full(len(rows), i, dtype=np.int64) for i, (rows, _) in enumerate(parts)])
    rows = np.concatenate([rows for rows, _ in parts])
    order = np.argsort(rows * len(entries) + rank, kind="stable")
    rows, rank = rows[order], rank[order]
    texts = pa.concat_arrays([texts for _, texts in parts]).take(pa.array(order))
    new_row = np.ones(len(rows), dtype=bool)
    new_row[1:] = rows[1:] != rows[:-1]
    new_attribute = new_row.copy()
    new_attribute[1:] |= rank[1:] != rank[:-1]
    # what stands before a value: `{"a":[` opens a row, `],"a":[` the next attribute, `,` the next value
    leads = pa.array([*(f"{{{name}:[" for name in names), *(f"],{name}:[" for name in names), ","], pa.string())
    lead = np.where(new_row, rank, np.where(new_attribute, rank + len(names), 2 * len(names)))
    pieces = pc.binary_join_element_wise(leads.take(pa.array(lead)), texts, "")
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=size), out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), pieces), "")
    filled = np.diff(offsets) > 0
    tail = pa.array(["{}", "]}"], pa.string()).take(pa.array(filled.astype(np.int64)))
    return pc.binary_join_element_wise(joined, tail, "")
