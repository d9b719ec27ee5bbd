"""Small tables of standard records, written out by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from identity.schema import IDENTIFIER, JUDGEMENT, RECORD

Tables = tuple[pa.Table, pa.Table]
MakeRecords = Callable[[Sequence[Mapping[str, Any]]], Tables]


def id_of(key: str, source: str = "crm") -> int:
    """The record id of a natural key, as any 64-bit hash would give it."""
    return int.from_bytes(hashlib.blake2b(f"{source}:s:{key}".encode(), digest_size=8).digest(), "big", signed=True)


def make_tables(rows: Sequence[Mapping[str, Any]]) -> Tables:
    """RECORD and IDENTIFIER tables of rows like {key, given, family, born, email, org, inn, ...}, in natural
    order."""
    fields: dict[str, list[Any]] = {field.name: [] for field in RECORD}
    identifiers: dict[str, list[Any]] = {field.name: [] for field in IDENTIFIER}
    for row in sorted(rows, key=lambda r: (r.get("source", "crm"), str(r["key"]))):
        source, key = row.get("source", "crm"), str(row["key"])
        given, middle, family = row.get("given"), row.get("middle"), row.get("family")
        full = row.get("full") or " ".join(part for part in (given, middle, family) if part) or None
        kind = "organisation" if "org" in row or row.get("kind") == "organisation" else "person"
        values = {
            "record_id": id_of(key, source), "source": source, "stream": "s", "source_key": key,
            "kind": kind,
            "role": "client", "is_own": row.get("own", False), "full_name": full, "full_latin": full,
            "given_name": given, "given_latin": given, "middle_name": middle, "middle_latin": middle,
            "family_name": family, "family_latin": family,
            "birth_date": date.fromisoformat(row["born"]) if row.get("born") else None,
            "gender": row.get("gender"),
            "org_name": row.get("org_own", row.get("org")), "org_latin": row.get("org"), "legal_form": row.get("form"),
            "country": row.get("country"), "region": row.get("region"),
            "city": row.get("city"),
            "street": row.get("street"), "house": row.get("house"), "postcode": row.get("postcode"),
            "attributes": row.get("attributes", "{}"), "source_updated_at": None, "content_hash": "",
        }  # fmt: skip
        for name, value in values.items():
            fields[name].append(value)
        for kind_of in ("email", "phone", "inn", "snils", "passport", "ogrn", "vat", "domain", "ssn", "kpp"):
            found = row.get(kind_of) or ()
            for value in (found,) if isinstance(found, str) else found:
                invalid = value.startswith("!")
                entry = (
                    values["record_id"],
                    kind_of,
                    value.lstrip("!"),
                    not invalid,
                    "checksum" if invalid else None,
                )
                for name, part in zip(identifiers, entry, strict=True):
                    identifiers[name].append(part)
    return pa.table(fields, schema=RECORD), pa.table(identifiers, schema=IDENTIFIER)


def make_judgements(*judgements: tuple[str, Sequence[int], Sequence[int]]) -> pa.Table:
    """JUDGEMENT rows of (verdict, left ids, right ids), numbered from 1."""
    rows = [
        {"judgement_id": number, "verdict": verdict, "left_ids": list(left), "right_ids": list(right)}
        for number, (verdict, left, right) in enumerate(judgements, 1)
    ]
    return pa.Table.from_pylist(rows, schema=JUDGEMENT)


@pytest.fixture(scope="session")
def tables() -> MakeRecords:
    return make_tables


@pytest.fixture
def record_id() -> Callable[..., int]:
    return id_of


@pytest.fixture
def judgements() -> Callable[..., pa.Table]:
    return make_judgements
