"""DATEV exports (EXTF, DTVF): a line of metadata stands above the headers and completes every row.

What a row leaves to the metadata is added beside what it says: `DATEV_Datum` (TTMM with the year of the batch, ISO),
`DATEV_Betrag` (signed: Soll of the account is positive), `DATEV_Waehrung`, `DATEV_Mandant`, `DATEV_Stapel`; whose
account it is and what happened on it, see `datev_accounts`.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from connectors.errors import SourceDataError
from connectors.files.batch import Batch
from connectors.files.datev_accounts import Chart, account_kind, booked
from connectors.files.detect import detect_encoding, open_text
from connectors.files.settings import FileOptions
from connectors.page import Scope

log = logging.getLogger(__name__)

ENCODING = "cp1252"
AMOUNT, SIDE, CURRENCY, DAY = "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Belegdatum"
BOOKINGS = "Buchungsstapel"
ADDED = ("DATEV_Mandant",)
"""What every row gets."""
_VERSIONS = range(300, 701)


class Metadata(NamedTuple):
    """The first line of an export, as far as rows need it."""

    format: str
    """Buchungsstapel, Debitoren/Kreditoren, ..."""
    client: str
    """Berater and Mandant, such as 29098/55003."""
    year_begins: date | None
    """The first day of the financial year."""
    begins: date | None
    ends: date | None
    currency: str
    batch: str
    """What the batch is called."""
    created: str
    """When it was written, as digits that sort."""
    account_length: int
    """Digits of a general account; those of clients and suppliers have one more."""
    chart: str
    """The chart of accounts: 03, 04, ...; empty where the export names none."""


def encoding_of(path: Path, given: str | None) -> str:
    """What an export is written in: as configured, in Unicode if it is that, else cp1252.

    Umlauts alone do not tell cp1252 from its kin.
    """
    found = given or detect_encoding(path)
    return found if given or found.startswith("utf") else ENCODING


def read_metadata(path: Path, options: FileOptions) -> Metadata:
    """The metadata of an export. Raises SourceDataError when the file is none or of an unknown version."""
    with open_text(path, encoding_of(path, options.encoding), "replace") as text:
        cells = next(csv.reader([text.readline(10_000)], delimiter=";"), [])
    if len(cells) < 16 or cells[0] not in ("EXTF", "DTVF"):
        hint = "Leave out `preset: datev` for a plain table"
        raise SourceDataError("no DATEV metadata (EXTF) in the first line", place=f"{path.name}:1", hint=hint)
    if not cells[1].isdigit() or int(cells[1]) not in _VERSIONS:
        hint = "Export it in version 700"
        said = f"the metadata are of version {cells[1][:10]!r}; 300 to 700 are known"
        raise SourceDataError(said, place=f"{path.name}:1", hint=hint)
    cells += [""] * (31 - len(cells))
    length = int(cells[13]) if cells[13].isdigit() else 4
    year_begins, begins, ends = (_day(cells[place]) for place in (12, 14, 15))
    return Metadata(
        format=cells[3],
        client=f"{cells[10]}/{cells[11]}",
        year_begins=year_begins,
        begins=begins,
        ends=ends,
        currency=cells[21] or "EUR",
        batch=cells[16],
        created=cells[5],
        account_length=length,
        chart=options.chart or cells[26],
    )


def is_of(path: Path, options: FileOptions) -> bool:
    """The export is of the format that `records` names; one that cannot be read counts, so that its error is told."""
    try:
        return options.records in (None, read_metadata(path, options).format)
    except SourceDataError:
        return True


def scope_of(path: Path, options: FileOptions) -> Scope:
    """What an export restates: the days of its period in its batch; master data: everything of a Mandant.

    Raises SourceDataError when the file is no export, or holds bookings without saying of which period.
    """
    metadata = read_metadata(path, options)
    match = {"DATEV_Mandant": metadata.client}
    if metadata.begins is None:
        if metadata.format == BOOKINGS:
            hint = "Export it with `Datum von` and `Datum bis`, or set `mode: changes`"
            raise SourceDataError("the metadata name no period to replace", place=f"{path.name}:1", hint=hint)
        return Scope(match, origin=path.name)
    last = metadata.ends or metadata.begins
    days = [metadata.begins + timedelta(days=count) for count in range((last - metadata.begins).days + 1)]
    match["DATEV_Stapel"] = metadata.batch
    return Scope(match, "DATEV_Datum", tuple(day.isoformat() for day in days), path.name)


def completed(batches: Iterator[Batch], metadata: Metadata, name: str) -> Iterator[Batch]:
    """The batches with every record completed."""
    chart = Chart(metadata.account_length, metadata.chart)
    if metadata.format == BOOKINGS and not chart.is_known:
        log.warning("%s names no chart of accounts that is known (03, 04): set `chart`", name)
    for batch in batches:
        for _, record in batch.records:
            record.update(_more(record, metadata, chart))
        yield batch


def _more(record: dict[str, Any], metadata: Metadata, chart: Chart) -> dict[str, str]:
    made = {"DATEV_Mandant": metadata.client}
    if metadata.format != BOOKINGS and AMOUNT not in record:
        return made | account_kind(record, chart)
    made["DATEV_Stapel"] = metadata.batch
    if (day := _in_period(record.get(DAY) or "", metadata)) is not None:
        made["DATEV_Datum"] = day.isoformat()
    if amount := (record.get(AMOUNT) or "").strip():
        sign = "-" if record.get(SIDE) == "H" else ""
        made |= {"DATEV_Betrag": sign + amount, "DATEV_Waehrung": record.get(CURRENCY) or metadata.currency}
    return made | booked(record, chart)


def _in_period(text: str, metadata: Metadata) -> date | None:
    """TTMM (TMM where the zero was lost) in the year that lies within the batch's period, else in its first year."""
    text = text.strip()
    begins = metadata.begins or metadata.year_begins
    if begins is None or not text.isdigit() or len(text) not in (3, 4):
        return None
    # Without a period it is a day of the financial year.
    last = metadata.ends or metadata.begins or begins + timedelta(days=364)
    found = [_day(f"{year}{text[-2:]}{text[:-2]:0>2}") for year in range(begins.year, last.year + 1)]
    days = [day for day in found if day is not None]
    return next((day for day in days if begins <= day <= last), days[0] if days else None)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None
