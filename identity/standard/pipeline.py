"""`standardise`: mapped values in long form -> standard records and identifiers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.hashing import digest_uuids
from identity.schema import RECORD
from identity.standard.attributes import documents
from identity.standard.batch import Batch, Bools, derive, nulls
from identity.standard.cards import CARD, IdOf, part_cards
from identity.standard.columns import Ints, Values, column, pick, take
from identity.standard.normalisers import depends_on_country, normaliser
from identity.standard.ownership import mark_own, own_values
from identity.standard.profile import PERSON_NAMES, Profile
from identity.standard.record_identifiers import identifiers_of_records
from identity.standard.record_names import names_of_organisations, names_of_persons
from identity.standard.record_places import places_of_records

BATCH_ROWS: Final = 200_000
"""Records per batch; bounds memory and keeps every string column far below Arrow's 2 GiB."""
_TABLES: Final = ("records", "identifiers", "cards")


class Standardised(NamedTuple):
    """`records`: one row per head row, in its order, then those made of cards; `identifiers`: by record, type, order of
    appearance; `cards`: cards.CARD."""

    records: pa.Table
    identifiers: pa.Table
    cards: pa.Table


def standardise(
    head: pa.Table,
    values: pa.Table,
    profile: Profile,
    id_of: IdOf | None = None,
    *,
    documented: Collection[str] | None = None,
) -> Standardised:
    """Standard records and identifiers of mapped records (`schema.HEAD`, `schema.VALUE` -> `RECORD`,
    `IDENTIFIER`).

    Order is the head's. `documented`: the attributes that a document is made of, if not all; its content hash is then
    one over those. With `id_of` a card that names several organisations becomes several records (`cards`).
    The result depends on nothing but the arguments, row by row: any batching gives the same bits.
    """
    head = head.combine_chunks()
    values = values.combine_chunks()
    rows = values["row"].to_numpy().astype(np.int64)
    if len(rows) > 1 and (rows[1:] < rows[:-1]).any():
        order = np.argsort(rows, kind="stable")
        values, rows = values.take(pa.array(order)), rows[order]
    own = own_values(profile)
    done: list[Standardised] = []
    parts: list[Standardised] = []
    for start in range(0, max(head.num_rows, 1), BATCH_ROWS):
        part = head.slice(start, BATCH_ROWS)
        low, high = np.searchsorted(rows, [start, start + part.num_rows])
        batch = _batch(part, values.slice(low, high - low), rows[low:high] - start, profile, documented)
        found = part_cards(batch, id_of) if id_of is not None else None
        done.append(_finish(batch, own))
        if found is not None:
            batch = _batch(
                found.head, found.values, found.values["row"].to_numpy().astype(np.int64), profile, documented
            )
            _show_card_names(batch, found.names)
            parts.append(_finish(batch, own)._replace(cards=found.cards))
    return Standardised(*(pa.concat_tables([getattr(one, name) for one in (*done, *parts)]) for name in _TABLES))


def _batch(head: pa.Table, table: pa.Table, rows: Ints, profile: Profile, documented: Collection[str] | None) -> Batch:
    """The records with every value in standard form."""
    is_person = pc.equal(head["kind"], "person").combine_chunks().to_numpy(zero_copy_only=False)
    batch = Batch(profile, head, head.num_rows, is_person, _by_attribute(table, rows, is_person), documented=documented)
    _normalise(batch)
    return batch


def _show_card_names(batch: Batch, names: pa.Array) -> None:
    """A record made of a card shows the card's name until somebody knows its own, and is compared by none."""
    every = np.where(names.is_valid().to_numpy(zero_copy_only=False), np.arange(batch.size), -1)
    derive(batch, "legal_name", np.where(batch.is_person, -1, every), names, "card")
    derive(batch, "full_name", np.where(batch.is_person, every, -1), names, "card")


def _finish(batch: Batch, own: Mapping[str, frozenset[str]]) -> Standardised:
    """From values in standard form to records and identifiers."""
    size = batch.size
    is_own = mark_own(batch, own)
    for name, found in batch.columns.items():
        batch.show(name, found.rows, found.codes, found.shown)
    names_of_persons(batch)
    names_of_organisations(batch)
    places_of_records(batch)
    for name in ("birth_date", "gender"):
        if name in batch.columns:
            batch.record[name] = take(batch.columns[name].value, pick(batch.columns[name], size))
    identifiers, digest_of_identifiers = identifiers_of_records(batch)
    return Standardised(_records(batch, is_own, digest_of_identifiers), identifiers, CARD.empty_table())


def _by_attribute(table: pa.Table, rows: Ints, is_person: Bools) -> dict[str, Values]:
    """Values by attribute. A name under the other kind's attribute is moved where the record has no name of
    its own."""
    encoded = table["attribute"].combine_chunks().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    size = len(is_person)
    code_of = {name: code for code, name in enumerate(names)}
    for wrong, right, of_kind, own_names in (
        ("legal_name", "full_name", is_person, PERSON_NAMES),
        ("full_name", "legal_name", ~is_person, ("legal_name",)),
    ):
        if wrong not in code_of:
            continue
        named = np.zeros(size, dtype=bool)
        for name in own_names:
            if name in code_of:
                named[rows[codes == code_of[name]]] = True
        moved = (codes == code_of[wrong]) & (of_kind & ~named)[rows]
        if moved.any():
            if right not in code_of:
                code_of[right] = len(names)
                names.append(right)
            codes = np.where(moved, code_of[right], codes)
    text, repairs = table["value"].combine_chunks(), table["repair"].combine_chunks()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    found: dict[str, Values] = {}
    for code, name in enumerate(names):
        places_ = order[bounds[code] : bounds[code + 1]]
        if len(places_):
            index = pa.array(places_)
            found[name] = Values(rows[places_], text.take(index), repairs.take(index))
    return found


def _normalise(batch: Batch) -> None:
    """Every attribute's column. A record's own country reads its phones before the source's default does."""
    if "country" in batch.values:
        batch.columns["country"] = column(batch.values["country"], normaliser("country", batch.profile))
    needs_country = [name for name in batch.values if depends_on_country(name, batch.profile)]
    nations: Ints = np.full(batch.size, -1, dtype=np.int64)
    country_names: list[str] = []
    if needs_country:
        default = batch.profile.default_country
        named = pc.fill_null(batch.head["default_country"].combine_chunks(), default or "")
        if "country" in batch.columns:
            stated = batch.columns["country"]
            named = pc.coalesce(take(stated.value, pick(stated, batch.size)), named)
        encoded = pc.utf8_upper(named).dictionary_encode()
        country_names = encoded.dictionary.to_pylist()
        nations = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        if "" in country_names:
            nations = np.where(nations == country_names.index(""), -1, nations)
    for name in sorted(batch.values):
        if name == "country":
            continue
        found = batch.values[name]
        by_country = nations[found.rows] if name in needs_country else None
        batch.columns[name] = column(found, normaliser(name, batch.profile), by_country, country_names)


def _records(batch: Batch, is_own: Bools, identifiers: pa.Array) -> pa.Table:
    size = batch.size
    arrays: dict[str, pa.Array] = {
        name: batch.head[name].combine_chunks()
        for name in ("record_id", "source", "stream", "source_key", "kind", "role", "source_updated_at")
    }
    arrays["is_own"] = pa.array(is_own)
    # However a register maps them: the company itself and its people are nobody's clients.
    arrays["role"] = pc.if_else(arrays["is_own"], "staff", arrays["role"])
    for name in RECORD.names:
        if name not in arrays and name not in {"attributes", "content_hash"}:
            arrays[name] = batch.record.get(name, nulls(size))
    arrays["attributes"] = documents(batch.entries, size)
    hashed = [n for n in RECORD.names if n not in {"record_id", "source_updated_at", "content_hash", "is_own"}]
    hashed_texts = [
        pc.fill_null(arrays[name], "\x00") if arrays[name].null_count < size else pa.scalar("\x00") for name in hashed
    ]
    hashed_texts.append(pc.if_else(arrays["is_own"], "1", "0"))
    content = pc.binary_join_element_wise(*hashed_texts, identifiers, "\x1f")
    arrays["content_hash"] = digest_uuids(content)
    arrays["birth_date"] = arrays["birth_date"].cast(pa.date32())
    return pa.Table.from_arrays([arrays[name] for name in RECORD.names], schema=RECORD)
