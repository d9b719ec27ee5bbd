"""Dictionary-encoded columns of a set of records: every attribute as integer codes into its unique standard
values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity import settings

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Levels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

MISSING: Final = -1

_LATIN: Final = {
    "full_name": "full_latin",
    "given_name": "given_latin",
    "middle_name": "middle_latin",
    "family_name": "family_latin",
    "org_name": "org_latin",
}
# Given, middle and family names share one dictionary, so that swapped parts compare as codes.
_NAME_PARTS: Final = ("given_name", "middle_name", "family_name")
_JSON_PAIR: Final = '"{}"'


@dataclass(frozen=True)
class Values:
    """One attribute of n records: `codes[offsets[i]:offsets[i + 1]]` are record i's codes into `unique`."""

    unique: pa.StringArray
    offsets: Ints
    codes: Codes

    @property
    def counts(self) -> Ints:
        """How many values each record has."""
        return np.diff(self.offsets)

    @property
    def is_single(self) -> bool:
        """No record has more than one value."""
        return bool(len(self.offsets) <= 1 or self.counts.max(initial=0) <= 1)

    @property
    def is_empty(self) -> bool:
        """No record has a value."""
        return len(self.codes) == 0

    def single(self) -> Codes:
        """The code of each record, MISSING without one; only for `is_single`."""
        out = np.full(len(self.offsets) - 1, MISSING, dtype=np.int32)
        has = self.counts > 0
        out[has] = self.codes[self.offsets[:-1][has]]
        return out


def from_single(unique: pa.StringArray, codes: Codes) -> Values:
    """Values of an attribute with at most one value per record; MISSING marks none."""
    has = codes != MISSING
    offsets = np.zeros(len(codes) + 1, dtype=np.int64)
    np.cumsum(has, out=offsets[1:])
    return Values(unique, offsets, codes[has])


def encode(column: pa.ChunkedArray | pa.Array) -> tuple[pa.StringArray, Codes]:
    """Unique values in order of first appearance, and codes with MISSING for null or empty text."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.type != pa.string():
        array = array.cast(pa.string())
    array = pc.replace_with_mask(array, pc.fill_null(pc.equal(array, ""), False), pa.scalar(None, pa.string()))
    encoded = array.dictionary_encode()
    codes = encoded.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return encoded.dictionary, codes


@dataclass
class Features:
    """Columns of records of one kind, encoded when first asked for. Row order is natural-key order."""

    records: pa.Table
    identifiers: pa.Table  # valid, not generic, of these records only
    _cache: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, records: pa.Table, identifiers: pa.Table, generic: pa.Table | None = None) -> Features:
        """Features of `records`; invalid identifiers and the `generic` values (type, value) are left out."""
        usable = identifiers.filter(identifiers["is_valid"]) if identifiers.num_rows else identifiers
        if generic is not None and generic.num_rows and usable.num_rows:
            usable = usable.join(generic.select(["type", "value"]), ["type", "value"], join_type="left anti")
        return cls(records, usable)

    def __len__(self) -> int:
        return int(self.records.num_rows)

    def values(self, name: str) -> Values:
        """The encoded values of a record field, an identifier type, `identifier` (all types) or an open
        attribute."""
        found = self._cache.get(name)
        if found is None:
            found = self._cache[name] = self._encode(name)
        return found

    def _encode(self, name: str) -> Values:
        if name in _NAME_PARTS:
            self._encode_name_parts()
            return self._cache[name]
        if name in settings.RECORD_FIELDS:
            return from_single(*encode(self.records[_LATIN.get(name, name)]))
        if name == "identifier" or name in settings.IDENTIFIER_TYPES or name.startswith("identifier."):
            return self._encode_identifiers(name)
        return from_single(*encode(self._open_attribute(name.removeprefix("attributes."))))

    def _encode_name_parts(self) -> None:
        columns = [self.records[_LATIN[name]].combine_chunks() for name in _NAME_PARTS]
        unique, codes = encode(pa.chunked_array(columns, type=pa.string()))
        for at, name in enumerate(_NAME_PARTS):
            self._cache[name] = from_single(unique, codes[at * len(self) : (at + 1) * len(self)])

    def _encode_identifiers(self, name: str) -> Values:
        table = self.identifiers
        if name == "identifier":
            # kpp and domain stand for a place or a group of firms, never for one client.
            weak = pc.is_in(table["type"], value_set=pa.array(["kpp", "domain"]))
            table = table.filter(pc.invert(weak))
            text = pc.binary_join_element_wise(table["type"], table["value"], ":")
        else:
            table = table.filter(pc.equal(table["type"], name.removeprefix("identifier.")))
            text = table["value"]
        rows = positions(self.records["record_id"], table["record_id"])
        unique, codes = encode(text)
        keep = (rows >= 0) & (codes != MISSING)
        rows, codes = rows[keep], codes[keep]
        # Several rows of one value are one value; order by code makes the columns independent of the table's
        # order.
        both = np.unique(rows * max(len(unique), 1) + codes)
        rows, codes = both // max(len(unique), 1), (both % max(len(unique), 1)).astype(np.int32)
        offsets = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=len(self)), out=offsets[1:])
        return Values(unique, offsets, codes)

    def _open_attribute(self, name: str) -> pa.Array:
        import json

        column = self.records["attributes"].combine_chunks()
        out: list[str | None] = [None] * len(column)
        has = pc.match_substring(column, _JSON_PAIR.format(name)).to_numpy(zero_copy_only=False)
        for at in np.flatnonzero(has).tolist():
            values = json.loads(column[at].as_py()).get(name) or []
            first = next((v for v in values if isinstance(v, dict) and not v.get("invalid")), None)
            if first is not None:
                out[at] = " ".join(str(first.get("v", "")).casefold().split()) or None
        return pa.array(out, pa.string())


def positions(of: pa.ChunkedArray, wanted: pa.ChunkedArray) -> Ints:
    """For each wanted record id its position in `of`, or -1."""
    ids = of.to_numpy()
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    look = wanted.to_numpy()
    at = np.searchsorted(ordered, look)
    at[at == len(ordered)] = 0
    if len(ordered) == 0:
        return np.full(len(look), -1, dtype=np.int64)
    return np.where(ordered[at] == look, order[at], -1).astype(np.int64)


def natural_keys(records: pa.Table) -> list[str]:
    """`source:stream:key` of each record: the name by which every tie breaks, bytewise."""
    joined = pc.binary_join_element_wise(records["source"], records["stream"], records["source_key"], ":")
    keys: list[str] = joined.to_pylist()
    return keys


def in_natural_order(records: pa.Table) -> pa.Table:
    """`records` sorted by (source, stream, source_key), bytewise; returned as they are when already
    sorted."""
    if records.num_rows < 2 or _is_sorted(records):
        return records
    order = pc.sort_indices(
        records, sort_keys=[("source", "ascending"), ("stream", "ascending"), ("source_key", "ascending")]
    )
    return records.take(order)


def _is_sorted(records: pa.Table) -> bool:
    undecided = np.ones(records.num_rows - 1, dtype=np.bool_)
    for name in ("source", "stream", "source_key"):
        column = records[name].combine_chunks()
        left, right = column[:-1], column[1:]
        if (pc.greater(left, right).to_numpy(zero_copy_only=False) & undecided).any():
            return False
        undecided &= pc.equal(left, right).to_numpy(zero_copy_only=False)
        if not undecided.any():
            return True
    return True
