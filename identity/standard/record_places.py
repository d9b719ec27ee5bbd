"""Place columns of records, from fields of their own and from free-text addresses."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from identity.standard import addresses
from identity.standard.addresses import Address
from identity.standard.batch import Batch, derive, nulls, texts
from identity.standard.columns import pick, take
from identity.standard.normalisers import normaliser
from identity.standard.profile import PLACES


def places_of_records(batch: Batch) -> None:
    """Fill country, region, city, street, house and postcode; what is not stated is read from the free address."""
    size = batch.size
    for name in PLACES:
        if name in batch.columns:
            batch.record[name] = take(batch.columns[name].value, pick(batch.columns[name], size))
    for name, parse in (("street", addresses.parse_street), ("address", addresses.parse_address)):
        if name in batch.columns:
            _parts_of(batch, name, parse)
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


def _parts_of(batch: Batch, origin: str, parse: Callable[[str], Address]) -> None:
    """Fill from a line of several parts what the record does not state; a street field is read anew by its line."""
    source = batch.columns[origin]
    chosen = pick(source, batch.size)
    parsed = [parse(raw) for raw in source.raws]
    for index, name in enumerate(PLACES):
        written = [address[index] for address in parsed]
        if not any(written):
            continue
        normalise = normaliser(name, batch.profile)
        forms = [
            normalise(text, address.country) if text else None for text, address in zip(written, parsed, strict=True)
        ]
        keys = take(texts([form.value if form else None for form in forms]), chosen)
        stated = batch.record.get(name, nulls(batch.size))
        batch.record[name] = pc.coalesce(keys, stated) if name == origin else pc.coalesce(stated, keys)
        if name != origin:
            shown = texts([form.display if form and form.value else None for form in forms])
            derive(batch, name, chosen, shown, origin)
