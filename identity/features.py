"""Dictionary-encoded columns of a set of records: every attribute as integer codes into its unique standard
values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity import settings
from identity.encoded import FEW, MISSING, Codes, Ints, Values, encode, from_counts, from_single, whole
from identity.parallel import in_parallel

ADDRESS: Final = "address"
"""The type of a generic address; its value is what `address_of` gives."""

_LATIN: Final = {
    "full_name": "full_latin",
    "given_name": "given_latin",
    "middle_name": "middle_latin",
    "family_name": "family_latin",
    "org_name": "org_latin",
}
# Given, middle and family names share one dictionary, so that swapped parts compare as codes.
_NAME_PARTS: Final = ("given_name", "middle_name", "family_name")
_WEAK: Final = ("kpp", "domain")
_NOTHING: Final = pa.array([], pa.string())
_JSON_PAIR: Final = '"{}"'
_SEARCHED: Final = 1 << 18  # bytes searched at once: a copy of them stays in the processor's cache


@dataclass
class Features:
    """Columns of records of one kind, encoded when first asked for. Row order is natural-key order."""

    records: pa.Table
    identifiers: pa.Table  # valid, not generic, of these records only
    owners: Codes  # of each identifier the row of its record
    _cache: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, records: pa.Table, identifiers: pa.Table, generic: pa.Table | None = None) -> Features:
        """Features of `records`; invalid identifiers and the `generic` values (type, value) are left out. Of a generic
        address the city stays, and no street, house and postcode."""
        usable = filtered(identifiers, identifiers["is_valid"]) if identifiers.num_rows else identifiers
        if generic is not None:
            records = _without_addresses(records, generic.filter(pc.equal(generic["type"], ADDRESS)))
        if generic is not None and generic.num_rows and usable.num_rows:
            usable = _without_generic(usable, generic)
        owners = positions(records["record_id"], usable["record_id"]).astype(np.int32)
        if len(owners) and owners.min() < 0:
            mine = owners >= 0
            usable, owners = usable.filter(pa.array(mine)), owners[mine]
        return cls(records, usable, owners)

    def __len__(self) -> int:
        return int(self.records.num_rows)

    @cached_property
    def _types(self) -> frozenset[str]:
        """The types of the identifiers."""
        return frozenset(pc.unique(self.identifiers["type"]).to_pylist())

    def values(self, name: str) -> Values:
        """The encoded values of a record field, an identifier type, `identifier` (all types) or an open
        attribute."""
        bare = name.removeprefix("identifier.")
        name = bare if bare in settings.IDENTIFIER_TYPES else name
        found = self._cache.get(name)
        if found is None:
            found = self._cache[name] = self._encode(name)
        return found

    def prepare(self, names: Iterable[str]) -> None:
        """Encode several columns at once, on all cores."""
        wanted = {("family_name" if name in _NAME_PARTS else name): None for name in names}  # all parts are one work
        wanted.pop(settings.ESTABLISHMENT, None)  # is made of others
        in_parallel(self.values, wanted, len(self))

    def _encode(self, name: str) -> Values:
        if name in _NAME_PARTS:
            self._encode_name_parts()
            return self._cache[name]
        if name == settings.ESTABLISHMENT:
            return self._encode_establishments()
        if name in settings.RECORD_FIELDS:
            return from_single(*encode(self.records[_LATIN.get(name, name)]))
        if name == "identifier" or name in settings.IDENTIFIER_TYPES or name.startswith("identifier."):
            return self._encode_identifiers(name)
        return from_single(*encode(self._open_attribute(name.removeprefix("attributes."))))

    def _encode_name_parts(self) -> None:
        columns = [whole(self.records[_LATIN[name]]) for name in _NAME_PARTS]
        unique, codes = encode(pa.chunked_array(columns, type=pa.string()))
        for at, name in enumerate(_NAME_PARTS):
            self._cache[name] = from_single(unique, codes[at * len(self) : (at + 1) * len(self)])

    def _encode_identifiers(self, name: str) -> Values:
        if name != "identifier" and name.removeprefix("identifier.") not in self._types:
            return from_single(_NOTHING, np.full(len(self), MISSING, dtype=np.int32))
        if name == "identifier":
            return self.identifiers_but(())
        return self._of_type(name.removeprefix("identifier."))

    def _of_type(self, name: str) -> Values:
        if self.identifiers.num_rows <= FEW:
            return self._several_few([(row, text) for row, kind, text in self._entries if kind == name])
        chosen = np.asarray(pc.equal(self.identifiers["type"], name))
        return self._several(self.owners[chosen], self.identifiers["value"].filter(pa.array(chosen)))

    @cached_property
    def _entries(self) -> list[tuple[int, str, str]]:
        """Of each identifier the row of its record, its type and its value; for few of them."""
        types, values = self.identifiers["type"].to_pylist(), self.identifiers["value"].to_pylist()
        return list(zip(self.owners.tolist(), types, values, strict=True))

    def _several_few(self, entries: Iterable[tuple[int, str]]) -> Values:
        """`_several` of so few (row, text) that each by itself is faster than a column."""
        place: dict[str, int] = {}
        both = sorted({(row, place.setdefault(text, len(place))) for row, text in entries if row >= 0 and text})
        rows = np.array([row for row, _ in both], dtype=np.int64)
        codes = np.array([code for _, code in both], dtype=np.int32)
        return from_counts(pa.array(place, pa.string()), np.bincount(rows, minlength=len(self)), codes)

    def identifiers_but(self, types: Collection[str]) -> Values:
        """`type:value` of the identifiers of all other types that stand for one client."""
        # kpp and domain stand for a place or a group of firms, never for one client.
        there = sorted(set(pc.unique(self.identifiers["type"]).to_pylist()).difference(_WEAK, types))
        found = [self.values(f"identifier.{name}") for name in there]
        unique = [
            pc.binary_join_element_wise(f"{name}:", one.unique, "") for name, one in zip(there, found, strict=True)
        ]
        starts = np.cumsum([0, *(len(one.unique) for one in found)])
        rows = [one.rows for one in found]
        codes = [one.codes + start for one, start in zip(found, starts[:-1], strict=True)]
        return self._grouped(_joined(rows), _joined(codes), pa.concat_arrays([_NOTHING, *unique]))

    def _encode_establishments(self) -> Values:
        """`INN/KPP` of records with one INN, or the INN alone where it is a sole proprietor's, who has no KPP;
        `VAT@postcode`.

        A KPP with reason 50 says under which inspectorate a largest taxpayer stands, and not which site it is.
        """
        inn, kpp, vat = (self.values(name) for name in ("inn", "kpp", "vat"))
        of_one = np.flatnonzero(inn.counts == 1)
        number = np.full(len(self), MISSING, dtype=np.int32)
        number[of_one] = inn.codes[inn.offsets[:-1][of_one]]
        sites, owners = kpp.rows, vat.rows
        is_site = pc.not_equal(pc.utf8_slice_codeunits(kpp.unique, 4, 6), "50").to_numpy(zero_copy_only=False)
        here = is_site[kpp.codes] & (number[sites] != MISSING)
        sites, kpps = sites[here], kpp.codes[here]
        sole = pc.equal(pc.utf8_length(inn.unique), 12).to_numpy(zero_copy_only=False)
        alone = of_one[sole[number[of_one]]]
        postcode = whole(self.records["postcode"]).take(pa.array(owners))
        text = pa.concat_arrays(
            [
                pc.binary_join_element_wise(
                    inn.unique.take(pa.array(number[sites])), kpp.unique.take(pa.array(kpps)), "/"
                ),
                inn.unique.take(pa.array(number[alone])),
                pc.binary_join_element_wise(vat.unique.take(pa.array(vat.codes)), postcode, "@"),
            ]
        )
        return self._several(np.concatenate([sites, alone, owners]), text)

    def _several(self, rows: npt.NDArray[np.integer], text: pa.ChunkedArray | pa.Array) -> Values:
        """Values of an attribute with any number of values per record; row -1 and null text are left out."""
        unique, codes = encode(text)
        keep = (rows >= 0) & (codes != MISSING)
        return self._grouped(rows[keep], codes[keep], unique)

    def _grouped(self, rows: npt.NDArray[np.integer], codes: npt.NDArray[np.integer], unique: pa.StringArray) -> Values:
        """Several rows of one value are one value; order by code makes the columns independent of the table's order."""
        count = max(len(unique), 1)
        both = rows.astype(np.int64) * count + codes
        steps = np.diff(both, prepend=-1)
        if (steps < 0).any():
            both.sort()
            steps = np.diff(both, prepend=-1)
        both = both[steps != 0]
        rows = both // count
        return from_counts(unique, np.bincount(rows, minlength=len(self)), (both - rows * count).astype(np.int32))

    def _open_attribute(self, name: str) -> pa.Array:
        import json

        column = whole(self.records["attributes"])
        out: list[str | None] = [None] * len(column)
        for at in _containing(column, _JSON_PAIR.format(name)):
            values = json.loads(column[at].as_py()).get(name) or []
            first = next((v for v in values if isinstance(v, dict) and not v.get("invalid")), None)
            if first is not None:
                out[at] = " ".join(str(first.get("v", "")).casefold().split()) or None
        return pa.array(out, pa.string())


def filtered(table: pa.Table, keep: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The rows to keep; of a table that is kept whole no copy is made."""
    kept = np.asarray(keep)
    if kept.all():
        return table
    return table.filter(keep) if kept.any() else table.slice(0, 0)


def _without_generic(identifiers: pa.Table, generic: pa.Table) -> pa.Table:
    """The identifiers that are none of the generic ones (type, value)."""
    perhaps = pc.is_in(identifiers["value"], value_set=generic["value"].combine_chunks())
    if not pc.any(perhaps).as_py():
        return identifiers
    # No join: its threads take longer to start than a few records take.
    one, other = (pc.binary_join_element_wise(table["type"], table["value"], ":") for table in (identifiers, generic))
    return identifiers.filter(pc.invert(pc.is_in(one, value_set=other.combine_chunks())))


def address_of(records: pa.Table) -> pa.Array:
    """Each record's address down to the house: street, house and postcode with tabs between; null where one is not
    known."""
    parts = [pc.if_else(pc.equal(records[name], ""), None, records[name]) for name in ("street", "house", "postcode")]
    joined = pc.binary_join_element_wise(*parts, "\t")
    return whole(joined)


def borne_as(name: str, value: str) -> tuple[str, str]:
    """The identifier (type, value) that every record bears which has this value of a contradiction's type: an
    establishment is read from its INN or VAT number."""
    if name != settings.ESTABLISHMENT:
        return name, value
    number, mark, _ = value.partition("@")
    return ("vat", number) if mark else ("inn", value.partition("/")[0])


def _without_addresses(records: pa.Table, generic: pa.Table) -> pa.Table:
    """The records, of those at a generic address without street, house and postcode."""
    if generic.num_rows == 0:
        return records
    there = pc.is_in(address_of(records), value_set=generic["value"].combine_chunks())
    for name in ("street", "house", "postcode"):
        column = pc.if_else(there, pa.scalar(None, pa.string()), records[name])
        records = records.set_column(records.schema.get_field_index(name), records.schema.field(name), column)
    return records


def _joined(parts: list[npt.NDArray[np.int64]]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _containing(column: pa.StringArray, text: str) -> list[int]:
    """The places of the values in which `text` stands. One search through all of them is many times faster than a
    search in each."""
    _, offset_buffer, data = column.buffers()
    if data is None:
        return []
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    sought, whole, found = text.encode(), memoryview(data), []
    for at in range(int(offsets[0]), int(offsets[-1]), _SEARCHED):
        part = bytes(whole[at : min(at + _SEARCHED + len(sought) - 1, int(offsets[-1]))])
        place = part.find(sought)
        while place >= 0:
            found.append(at + place)
            place = part.find(sought, place + 1)
    rows = np.searchsorted(offsets, np.array(found, dtype=np.int64), side="right") - 1
    within = np.array(found, dtype=np.int64) + len(sought) <= offsets[rows + 1]
    return sorted(set(rows[within].tolist()))


def positions(of: pa.ChunkedArray, wanted: pa.ChunkedArray) -> Ints:
    """For each wanted record id its position in `of`, or -1."""
    ids = of.to_numpy()
    order = np.arange(len(ids)) if (ids[1:] > ids[:-1]).all() else np.argsort(ids)
    ordered = ids[order]
    look = wanted.to_numpy()
    at = np.searchsorted(ordered, look)
    at[at == len(ordered)] = 0
    if len(ordered) == 0:
        return np.full(len(look), -1, dtype=np.int64)
    return np.where(ordered[at] == look, order[at], -1).astype(np.int64)


def natural_keys(records: pa.Table) -> pa.Array:
    """`source:stream:key` of each record: the name by which every tie breaks, bytewise."""
    joined = pc.binary_join_element_wise(records["source"], records["stream"], records["source_key"], ":")
    return whole(joined)


def in_natural_order(records: pa.Table) -> pa.Table:
    """`records` sorted by (source, stream, source_key), bytewise; returned as they are when already
    sorted."""
    if records.num_rows < 2 or _is_sorted(records):
        return records
    return records.take(natural_order(records))


def natural_order(records: pa.Table) -> pa.Array:
    """The places of `records` by (source, stream, source_key), bytewise."""
    return pc.sort_indices(records, sort_keys=[(name, "ascending") for name in ("source", "stream", "source_key")])


def _is_sorted(records: pa.Table) -> bool:
    undecided = np.ones(records.num_rows - 1, dtype=np.bool_)
    for name in ("source", "stream", "source_key"):
        column = whole(records[name])
        left, right = column[:-1], column[1:]
        if (pc.greater(left, right).to_numpy(zero_copy_only=False) & undecided).any():
            return False
        undecided &= pc.equal(left, right).to_numpy(zero_copy_only=False)
        if not undecided.any():
            return True
    return True
