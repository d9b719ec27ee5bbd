"""DATEV exports: the metadata line completes the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SourceDataError
from connectors.files.connector import FilesConnector
from connectors.page import StreamRequest

HEADERS = "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Belegdatum;Buchungstext\r\n"


def metadata(begins: str, ends: str) -> str:
    words = f'"EXTF";700;21;"Buchungsstapel";13;20260401080000000;;"RE";"";"";29098;55003;20250701;4;{begins};{ends}'
    return words + ';"Verkauf";"WD";1;0;0;"EUR";;"";;;"03";;;"";""\r\n'


def read(folder: Path, text: str) -> list[dict[str, Any]]:
    (folder / "EXTF_batch.csv").write_bytes(text.encode("cp1252"))
    with FilesConnector("datev", {"path": "EXTF_batch.csv", "preset": "datev", "base_dir": folder}) as connector:
        pages = list(connector.read(StreamRequest("batch", key="content"), None))
    assert not [reject for page in pages for reject in page.rejects]
    return [json.loads(row.payload) for page in pages for row in page.rows]


def test_a_row_has_the_year_of_its_batch_and_the_sign_of_its_side(tmp_path: Path) -> None:
    rows = '1190,50;"S";"";10001;1503;"Müller Größe"\r\n70,00;"H";"USD";10001;103;"Gutschrift"\r\n'
    first, second = read(tmp_path, metadata("20260301", "20260331") + HEADERS + rows)
    assert (first["DATEV_Datum"], first["DATEV_Betrag"], first["DATEV_Waehrung"]) == ("2026-03-15", "1190,50", "EUR")
    assert (second["DATEV_Datum"], second["DATEV_Betrag"], second["DATEV_Waehrung"]) == ("2026-03-01", "-70,00", "USD")
    assert (first["Buchungstext"], first["DATEV_Mandant"]) == ("Müller Größe", "29098/55003")


def test_a_batch_over_new_year_gives_each_row_its_own_year(tmp_path: Path) -> None:
    rows = "1,00;S;;10001;3112;a\r\n2,00;S;;10001;0101;b\r\n3,00;S;;10001;3102;c\r\n"
    found = read(tmp_path, metadata("20251201", "20260131") + HEADERS + rows)
    assert [row.get("DATEV_Datum") for row in found] == ["2025-12-31", "2026-01-01", None]


def test_a_plain_table_is_refused_as_an_export(tmp_path: Path) -> None:
    with pytest.raises(SourceDataError, match=r"EXTF_batch\.csv:1"):
        read(tmp_path, HEADERS + "1,00;S;;10001;3112;a\r\n")
