"""Generic values part by part: whoever bears a value meets the others that bear it, and the local rule counts."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.encoded import whole
from identity.features import ADDRESS, address_of
from identity.generic import GENERIC, generic_addresses, generic_identifiers
from identity.hashing import hash_strings, signed
from identity.schema import IDENTIFIER, RECORD
from identity.staged.cards import tables_of

_NAMED: Final = ("record_id", "kind", "family_latin", "org_latin", "full_latin")
_PLACED: Final = ("street", "house", "postcode")
OFFER: Final = pa.schema(
    [
        pa.field("type", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        *(RECORD.field(name) for name in (*_NAMED, *_PLACED)),
        pa.field("sites", pa.list_(pa.string())),  # with an INN, the KPPs of the same card
        pa.field("value_hash", pa.int64(), nullable=False),
    ]
)
"""A value that many may bear, and what is counted of who bears it."""


def offers_of(cards: pa.Table) -> pa.Table:
    """OFFER rows of cards: their identifiers, and the addresses of organisations."""
    records, identifiers = tables_of(cards)
    at = pc.index_in(identifiers["record_id"], value_set=whole(records["record_id"]))
    borne = records.select(_NAMED).take(at)
    columns = [identifiers["type"], identifiers["value"], *borne.columns, *_nothing(len(at), _PLACED)]
    sites = _sites(records, identifiers)
    is_inn = pc.equal(identifiers["type"], "inn")
    of_site = pc.if_else(is_inn, at, pa.scalar(None, at.type))
    first = pa.table([*columns, sites.take(of_site), _hashes(columns[1])], schema=OFFER)
    address = pc.if_else(pc.equal(records["kind"], "organisation"), address_of(records), None)
    placed = records.filter(pc.is_valid(address))
    count = placed.num_rows
    known, of_none = address.drop_null(), pa.nulls(count, OFFER.field("sites").type)
    columns = [pa.repeat(pa.scalar(ADDRESS), count), known, *placed.select([*_NAMED, *_PLACED]).columns]
    return pa.concat_tables([first, pa.table([*columns, of_none, _hashes(known)], schema=OFFER)])


def _hashes(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return pa.array(signed(hash_strings(whole(values))))


def _nothing(count: int, names: tuple[str, ...]) -> list[pa.Array]:
    return [pa.nulls(count, pa.string()) for _ in names]


def _sites(records: pa.Table, identifiers: pa.Table) -> pa.ListArray:
    """Of each record its KPPs."""
    kpp = identifiers.filter(pc.equal(identifiers["type"], "kpp"))
    at = pc.index_in(kpp["record_id"], value_set=whole(records["record_id"])).to_numpy()
    order = np.argsort(at, kind="stable")
    offsets = np.zeros(records.num_rows + 1, dtype=np.int32)
    np.cumsum(np.bincount(at, minlength=records.num_rows), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), whole(kpp["value"].take(pa.array(order))))


def generic_of(offers: pa.Table, more_than: int) -> pa.Table:
    """GENERIC rows of those values whose OFFER rows are all here."""
    is_address = pc.equal(offers["type"], ADDRESS)
    placed, borne = offers.filter(is_address), offers.filter(pc.invert(is_address))
    first = np.unique(borne["record_id"].to_numpy(), return_index=True)[1]
    sites = borne.filter(pc.is_valid(borne["sites"]))
    lists = whole(sites["sites"])
    owner = sites["record_id"].take(pc.list_parent_indices(lists))
    identifiers = pa.concat_tables(
        [
            _identifiers(borne["record_id"], borne["type"], borne["value"]),
            _identifiers(owner, pa.repeat(pa.scalar("kpp"), len(owner)), lists.flatten()),
        ]
    )
    found = generic_identifiers(borne.select(_NAMED).take(pa.array(first)), identifiers, more_than)
    # Of a KPP that came along with an INN not all who bear it are here.
    here = pc.binary_join_element_wise(borne["type"], borne["value"], "\x1f")
    named = pc.binary_join_element_wise(found["type"], found["value"], "\x1f")
    found = found.filter(pc.is_in(named, value_set=whole(here)))
    return pa.concat_tables([found, generic_addresses(placed, more_than)]).cast(GENERIC)


def _identifiers(record: pa.ChunkedArray, kind: pa.Array, value: pa.Array) -> pa.Table:
    count = len(record)
    columns = [record, kind, value, pa.repeat(pa.scalar(True), count), pa.nulls(count, pa.string())]
    return pa.table(columns, schema=IDENTIFIER)
