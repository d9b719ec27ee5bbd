"""DATEV exports (EXTF, DTVF): a line of metadata stands above the headers and completes every row.

What a row leaves to the metadata is added beside what it says: `DATEV_Datum` (TTMM with the year of the batch, ISO),
`DATEV_Betrag` (signed: Soll of the account is positive), `DATEV_Waehrung`, `DATEV_Mandant`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from connectors.errors import SourceDataError
from connectors.files.batch import Batch
from connectors.files.detect import open_text

ENCODING = "cp1252"
AMOUNT, SIDE, CURRENCY, DAY = "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Belegdatum"


class Metadata(NamedTuple):
    """The first line of an export, as far as rows need it."""

    client: str
    """Berater and Mandant, such as 29098/55003."""
    begins: date | None
    ends: date | None
    currency: str


def read_metadata(path: Path, encoding: str) -> Metadata:
    """The metadata of an export. Raises SourceDataError when the file is none."""
    with open_text(path, encoding, "replace") as text:
        cells = next(csv.reader([text.readline(10_000)], delimiter=";"), [])
    if len(cells) < 16 or cells[0] not in ("EXTF", "DTVF"):
        hint = "Leave out `preset: datev` for a plain table"
        raise SourceDataError("no DATEV metadata (EXTF) in the first line", place=f"{path.name}:1", hint=hint)
    currency = cells[21] if len(cells) > 21 and cells[21] else "EUR"
    return Metadata(f"{cells[10]}/{cells[11]}", _day(cells[14]), _day(cells[15]), currency)


def completed(batches: Iterator[Batch], metadata: Metadata) -> Iterator[Batch]:
    """The batches with every record completed."""
    for batch in batches:
        for _, record in batch.records:
            record.update(_more(record, metadata))
        yield batch


def _more(record: dict[str, Any], metadata: Metadata) -> dict[str, str]:
    made = {"DATEV_Mandant": metadata.client}
    if (day := _in_period(record.get(DAY) or "", metadata)) is not None:
        made["DATEV_Datum"] = day.isoformat()
    if amount := (record.get(AMOUNT) or "").strip():
        sign = "-" if record.get(SIDE) == "H" else ""
        made |= {"DATEV_Betrag": sign + amount, "DATEV_Waehrung": record.get(CURRENCY) or metadata.currency}
    return made


def _in_period(text: str, metadata: Metadata) -> date | None:
    """TTMM (TMM where the zero was lost) in the year that lies within the batch's period, else in its first year."""
    text = text.strip()
    if metadata.begins is None or not text.isdigit() or len(text) not in (3, 4):
        return None
    last = metadata.ends or metadata.begins
    found = [_day(f"{year}{text[-2:]}{text[:-2]:0>2}") for year in range(metadata.begins.year, last.year + 1)]
    days = [day for day in found if day is not None]
    return next((day for day in days if metadata.begins <= day <= last), days[0] if days else None)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
