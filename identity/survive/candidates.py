"""From records to candidates: every value that every record offers for every attribute, in long form."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from identity.standard.profile import STANDARD_ATTRIBUTES

Ints = npt.NDArray[np.int64]
NEVER_SURVIVES = pa.array(["placeholder", "own organisation", "several on one card"])
"""Reasons after which a value is not even a last resort."""

OF_ONE_RECORD = frozenset({"url"})
"""What belongs to a source record (its card in its own system) and is nobody's golden value."""

_SAMPLE_BYTES = 1 << 18
_VALUE = pa.list_(
    pa.struct([("v", pa.string()), ("invalid", pa.string()), ("repaired", pa.string()), ("derived", pa.string())])
)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of all clients, by client, then natural key; a record's position is its rank."""

    client: Ints
    """Index of the client, ascending."""
    record_id: pa.Array
    source: pa.Array
    stream: pa.Array
    trust: Ints
    updated: Ints
    """Microseconds since 1970; the smallest number where the source tells none."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Values of one attribute; ordered by record, then as the record has them."""

    row: Ints
    """Position of the record in `Records`."""
    value: pa.Array
    invalid: pa.Array
    derived: pa.Array


def read_attributes(documents: pa.Array) -> dict[str, Candidates]:
    """The `attributes` documents of records (in `Records` order) as candidates by attribute."""
    if len(documents) == 0:
        return {}
    lines = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(documents)], pa.int32()), documents), "\n")
    text = lines[0].as_buffer()
    longest = pc.max(pc.binary_length(documents)).as_py() or 0
    # Every column in the schema costs, filled or not: only those are asked for that a sample shows. The reader tells
    # which others there are, and their types are not left to its guess.
    sample = text.slice(0, min(len(text), _SAMPLE_BYTES)).to_pybytes()
    known = [name for name in sorted(STANDARD_ATTRIBUTES) if f'"{name}":'.encode() in sample]
    table = _read(text, longest, known, "infer")
    columns = {name: table[name] for name in known}
    if unknown := sorted(set(table.column_names) - set(known)):
        table = _read(text, longest, unknown, "ignore")
        columns |= {name: table[name] for name in unknown}
    found = {}
    for name in sorted(columns):
        lists = columns[name]
        if name in OF_ONE_RECORD or lists.null_count == len(lists):
            continue
        lists = lists.combine_chunks()
        row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        values = pc.list_flatten(lists)
        value, invalid, derived = (pc.struct_field(values, part) for part in ("v", "invalid", "derived"))
        keep = pc.and_(value.is_valid(), pc.invert(pc.is_in(invalid, NEVER_SURVIVES)))
        if not pc.all(keep).as_py():
            row = row[keep.to_numpy(zero_copy_only=False)]
            value, invalid, derived = (part.filter(keep) for part in (value, invalid, derived))
        if len(row):
            found[name] = Candidates(row, value, invalid, derived)
    return found


def _read(text: pa.Buffer, longest: int, names: list[str], others: str) -> pa.Table:
    return pa_json.read_json(
        pa.BufferReader(text) if len(text) else io.BytesIO(b"{}"),
        # For the records of a few clients threads take longer to start than to read.
        read_options=pa_json.ReadOptions(block_size=max(1 << 22, 2 * longest + 16), use_threads=len(text) > 1 << 20),
        parse_options=pa_json.ParseOptions(
            explicit_schema=pa.schema(dict.fromkeys(names, _VALUE)), unexpected_field_behavior=others
        ),
    )
