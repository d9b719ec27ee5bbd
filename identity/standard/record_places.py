"""Place columns of records, from fields of their own and from free-text addresses."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from identity.standard import addresses, places
from identity.standard.batch import Batch, derive, nulls, texts
from identity.standard.columns import pick, take
from identity.standard.form import MAX_LENGTH
from identity.standard.normalisers import normaliser
from identity.standard.profile import PLACES


def places_of_records(batch: Batch) -> None:
    """Fill country, region, city, street, house and postcode; what is not stated is read from the free address."""
    size = batch.size
    for name in PLACES:
        if name in batch.columns:
            batch.record[name] = take(batch.columns[name].value, pick(batch.columns[name], size))
    if "street" in batch.columns:
        _house_from_street(batch)
    if "address" in batch.columns:
        _parts_of_address(batch)
    located = [batch.record[name].is_valid() for name in PLACES[1:] if name in batch.record]
    if located:
        somewhere = located[0]
        for more in located[1:]:
            somewhere = pc.or_(somewhere, more)
        default = pc.coalesce(
            batch.head["default_country"].combine_chunks(),
            pa.scalar(batch.profile.default_country, pa.string()),
        )
        default = pc.if_else(somewhere, pc.utf8_upper(default), pa.scalar(None, pa.string()))
        batch.record["country"] = pc.coalesce(batch.record.get("country", nulls(size)), default)


def _house_from_street(batch: Batch) -> None:
    source = batch.columns["street"]
    houses = [places.split_house(raw)[1] if len(raw) <= MAX_LENGTH else None for raw in source.raws]
    if not any(houses):
        return
    chosen = pick(source, batch.size)
    keys = [places.house(house).value if house else None for house in houses]
    found = take(texts(keys), chosen)
    batch.record["house"] = pc.coalesce(batch.record["house"], found) if "house" in batch.record else found
    derive(batch, "house", chosen, texts(houses), "street")


def _parts_of_address(batch: Batch) -> None:
    source = batch.columns["address"]
    chosen = pick(source, batch.size)
    parsed = [addresses.parse_address(raw) for raw in source.raws]
    for index, name in enumerate(PLACES):
        written = [address[index] for address in parsed]
        if not any(written):
            continue
        normalise = normaliser(name, batch.profile)
        forms = [
            normalise(text, address.country) if text else None for text, address in zip(written, parsed, strict=True)
        ]
        keys = take(texts([form.value if form else None for form in forms]), chosen)
        batch.record[name] = pc.coalesce(batch.record[name], keys) if name in batch.record else keys
        shown = texts([form.display if form and form.value else None for form in forms])
        derive(batch, name, chosen, shown, "address")
