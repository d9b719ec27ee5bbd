"""Name columns of records: parts and full names of persons, cores and forms of organisations."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.standard import organisations, persons
from identity.standard.batch import Batch, derive, latin_column, nulls, texts
from identity.standard.columns import Column, Ints, fragments, joined, pick, present, take
from identity.standard.form import MAX_LENGTH
from identity.standard.generations import generation
from identity.standard.profile import PERSON_NAMES


def names_of_persons(batch: Batch) -> None:
    """Fill full, given, middle and family name with their Latin keys: what is not stated is read from what is."""
    size = batch.size
    if not batch.is_person.any() or not any(name in batch.columns for name in PERSON_NAMES):
        return
    field_of = {}
    for name in PERSON_NAMES:
        source = batch.columns.get(name)
        if source is not None:
            chosen = np.where(batch.is_person, pick(source, size), -1)
            field_of[name] = (source, chosen)
    given = middle = family = full = nulls(size)
    rest = nulls(size)
    if "given_name" in field_of:
        source, chosen = field_of["given_name"]
        split = [persons.split_given(v) if v is not None else (None, None) for v in source.value.to_pylist()]
        given = take(texts([first for first, _ in split]), chosen)
        rest = take(texts([second for _, second in split]), chosen)
    if "middle_name" in field_of:
        source, chosen = field_of["middle_name"]
        middle = take(source.value, chosen)
    if "family_name" in field_of:
        source, chosen = field_of["family_name"]
        family = take(source.value, chosen)
    middle = pc.coalesce(middle, rest)
    if "full_name" in field_of:
        source, chosen = field_of["full_name"]
        parsed = [persons.parse_full_name(raw) if len(raw) <= MAX_LENGTH else persons.NOBODY for raw in source.raws]
        parts = [texts(list(part)) for part in zip(*parsed, strict=True)]
        read_given, read_middle, read_family, full = (take(parts[i], chosen) for i in (0, 1, 2, 6))
        swapped = pc.and_kleene(pc.equal(given, read_family), pc.equal(family, read_given))
        full = pc.if_else(pc.fill_null(swapped, False), pa.scalar(None, pa.string()), full)
        # A middle name is believed when nothing but the full name was given; beside other fields it may be a
        # title.
        alone = pc.and_(given.is_null(), family.is_null())
        middle = pc.coalesce(middle, pc.if_else(alone, read_middle, pa.scalar(None, pa.string())))
        given, family = pc.coalesce(given, read_given), pc.coalesce(family, read_family)
        no_fields = np.where(alone.to_numpy(zero_copy_only=False), chosen, -1)
        for name, index in (("given_name", 3), ("middle_name", 4), ("family_name", 5)):
            shown_for = no_fields if name == "middle_name" else chosen
            derive(batch, name, shown_for, parts[index], "full_name")
    full = pc.coalesce(full, joined(given, middle, family))
    batch.record.update(given_name=given, middle_name=middle, family_name=family, full_name=full)
    for name in ("given", "middle", "family", "full"):
        batch.record[f"{name}_latin"] = latin_column(batch.record[f"{name}_name"])
    if batch.documented is None or "full_name" in batch.documented:
        _show_full_name(batch, field_of)
    _show_generation(batch, field_of)


def _show_full_name(batch: Batch, field_of: dict[str, tuple[Column, Ints]]) -> None:
    """The full name of records that have only its parts; with a patronymic the family name stands first."""
    shown = {name: take(source.display, chosen) for name, (source, chosen) in field_of.items()}
    given, middle, family = (shown.get(name, nulls(batch.size)) for name in PERSON_NAMES[1:])
    western = joined(given, middle, family)
    if middle.null_count < batch.size:
        russian = pc.and_(middle.is_valid(), pc.fill_null(pc.match_substring_regex(family, r"\p{Cyrillic}"), False))
        western = pc.if_else(russian, joined(family, given, middle), western)
    named = western.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(named & ~present(batch.columns.get("full_name"), batch.size))
    if len(rows):
        batch.show("full_name", rows, rows, lambda: fragments(western, derived="parts"))


def _show_generation(batch: Batch, field_of: dict[str, tuple[Column, Ints]]) -> None:
    """What a name says of the generation, which its comparable parts leave out."""
    found = nulls(batch.size)
    for source, chosen in field_of.values():
        told = texts([generation(raw) if len(raw) <= MAX_LENGTH else None for raw in source.raws])
        if told.null_count < len(told):
            found = pc.coalesce(found, take(told, chosen))
    known = found.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(known & ~present(batch.columns.get("generation"), batch.size))
    if len(rows):
        batch.show("generation", rows, rows, lambda: fragments(found, derived="name"))


def names_of_organisations(batch: Batch) -> None:
    """Fill the name core without legal form, its Latin key, and the form's class."""
    size = batch.size
    form = nulls(size)
    if "legal_form" in batch.columns:
        source = batch.columns["legal_form"]
        form = take(source.value, np.where(batch.is_person, -1, pick(source, size)))
    if "legal_name" in batch.columns:
        source = batch.columns["legal_name"]
        chosen = np.where(batch.is_person, -1, pick(source, size))
        forms_ = [
            organisations.parse_legal_name(raw).legal_form if len(raw) <= MAX_LENGTH else None for raw in source.raws
        ]
        form = pc.coalesce(form, take(texts(forms_), chosen))
        batch.record["org_name"] = take(source.value, chosen)
        batch.record["org_latin"] = latin_column(batch.record["org_name"])
    batch.record["legal_form"] = form
