"""Generic values: identifiers and addresses with so many distinct names behind them that they say nothing about one
client."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.encoded import Codes, Ints, encode
from identity.features import ADDRESS, address_of, positions

GENERIC: Final = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("names", pa.int64(), nullable=False),  # distinct names behind it
    ]
)


def generic_values(records: pa.Table, identifiers: pa.Table, more_than: int) -> pa.Table:
    """GENERIC rows of identifiers and addresses, in order: what says nothing about one client of these records."""
    both = pa.concat_tables(
        [generic_identifiers(records, identifiers, more_than), generic_addresses(records, more_than)]
    )
    return both.sort_by([(name, "ascending") for name in ("kind", "type", "value")])


def generic_identifiers(records: pa.Table, identifiers: pa.Table, more_than: int) -> pa.Table:
    """GENERIC rows: valid identifier values with more than `more_than` distinct names behind them, per kind.

    A person's name is the family name (else the full name), an organisation's its core, both by Latin key, so
    that a family's telephone is no switchboard. The branches of one legal entity have names of their own: behind an
    INN only names with the same KPP, or with none, count together. A function of the current records alone.
    """
    valid = identifiers.filter(identifiers["is_valid"]) if identifiers.num_rows else identifiers
    rows = positions(records["record_id"], valid["record_id"])
    values, value = encode(pc.binary_join_element_wise(valid["type"], valid["value"], "\x1f"))
    site = np.where(pc.equal(valid["type"], "inn").to_numpy(), _sites(records, valid)[rows], -1)
    found = _with_many_names(records, rows, value, site, more_than)
    split = pc.split_pattern(values.take(pa.array(found.value)), "\x1f", max_splits=1)
    nothing = pa.array([], pa.string())
    return _table(
        found,
        pc.list_element(split, 0) if len(found.value) else nothing,
        pc.list_element(split, 1) if len(found.value) else nothing,
    )


def generic_addresses(records: pa.Table, more_than: int) -> pa.Table:
    """GENERIC rows of type ADDRESS: addresses of organisations, down to the house, with more than `more_than` distinct
    names behind them: where firms are registered by the dozen, or their accountant sits.

    Not of persons: many families live in one house. A function of the current records alone.
    """
    values, value = encode(pc.if_else(pc.equal(records["kind"], "organisation"), address_of(records), None))
    rows = np.arange(records.num_rows)
    found = _with_many_names(records, rows, value, np.full(len(rows), -1), more_than)
    return _table(found, pa.repeat(pa.scalar(ADDRESS), len(found.value)), values.take(pa.array(found.value)))


class _Many:
    """Values with many names: code of the value, kind, and how many names."""

    def __init__(self, value: Ints, kind: pa.Array, names: Ints) -> None:
        self.value, self.kind, self.names = value, kind, names


def _with_many_names(records: pa.Table, rows: Ints, value: Codes, site: Ints, more_than: int) -> _Many:
    """The values that, at one of the sites, more than `more_than` names of one kind stand behind."""
    _, name = encode(pc.coalesce(records["family_latin"], records["org_latin"], records["full_latin"]))
    kinds, kind = encode(records["kind"])
    keep = (rows >= 0) & (value >= 0)
    keep[keep] &= name[rows[keep]] >= 0
    rows, value, site = rows[keep], value[keep].astype(np.int64), site[keep]
    behind = value * max(len(kinds), 1) + kind[rows]
    # Of too few records there are too few names.
    often = np.bincount(behind, minlength=1)[behind] > more_than
    behind, site, rows = behind[often], site[often], rows[often]
    behind, site, _ = _distinct(behind, site.astype(np.int64), name[rows].astype(np.int64))
    starts = np.flatnonzero((np.diff(behind, prepend=-1) != 0) | (np.diff(site, prepend=-2) != 0))
    names = np.diff(np.append(starts, len(behind)))
    places = behind[starts]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    found, most = places[first], np.maximum.reduceat(names, first) if len(first) else names
    found, most = found[most > more_than], most[most > more_than].astype(np.int64)
    return _Many(found // max(len(kinds), 1), kinds.take(pa.array(found % max(len(kinds), 1))), most)


def _distinct(*columns: Ints) -> tuple[Ints, ...]:
    """The distinct rows of columns of small numbers from -1 on, in order."""
    order = np.arange(len(columns[0]))
    widths = [int(column.max(initial=0)) + 2 for column in columns]
    if math.prod(widths) < 1 << 63:
        packed = np.zeros(len(order), dtype=np.int64)
        for column, width in zip(columns, widths, strict=True):
            packed = packed * width + (column + 1)
        packed.sort()
        packed = packed[np.diff(packed, prepend=-1) != 0]
        rows = []
        for width in reversed(widths):
            packed, rest = np.divmod(packed, width)
            rows.append(rest - 1)
        return tuple(reversed(rows))
    order = np.lexsort(columns[::-1])
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)
    return tuple(column[order[fresh]] for column in columns)


def _sites(records: pa.Table, valid: pa.Table) -> Ints:
    """Of each record a number for its (first) KPP, and -1 for none; one -1 more at the end."""
    kpp = valid.filter(pc.equal(valid["type"], "kpp")).sort_by([("record_id", "ascending"), ("value", "descending")])
    _, code = encode(kpp["value"])
    rows = positions(records["record_id"], kpp["record_id"])
    result = np.full(records.num_rows + 1, -1, dtype=np.int64)
    result[rows[rows >= 0]] = code[rows >= 0]
    return result


def _table(found: _Many, types: pa.Array, values: pa.Array) -> pa.Table:
    columns = {"kind": found.kind, "type": types, "value": values, "names": found.names}
    order = [("kind", "ascending"), ("type", "ascending"), ("value", "ascending")]
    return pa.table(columns, schema=GENERIC).sort_by(order)
