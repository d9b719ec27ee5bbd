"""DATEV exports: the metadata line completes the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SourceDataError
from connectors.files.connector import FilesConnector
from connectors.files.datev_accounts import Chart, booked
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


def row(account: str, counter: str, side: str, **more: str) -> dict[str, str]:
    given = {"Konto": account, "Gegenkonto (ohne BU-Schlüssel)": counter, "Soll/Haben-Kennzeichen": side}
    return {**given, "Umsatz (ohne Soll/Haben-Kz)": "10,00", **more}


@pytest.mark.parametrize(
    ("chart", "record", "account", "kind"),
    [
        (Chart(4, "03"), row("10001", "8400", "S"), "10001", "Rechnung"),
        (Chart(4, "03"), row("8400", "10001", "H"), "10001", "Rechnung"),
        (Chart(4, "03"), row("8400", "10001", "S"), "10001", "Gutschrift"),
        (Chart(4, "03"), row("1200", "10001", "S"), "10001", "Zahlung"),
        (Chart(4, "03"), row("10001", "1200", "S"), "10001", "Rückzahlung"),
        (Chart(4, "04"), row("10001", "1800", "H"), "10001", "Zahlung"),
        (Chart(4, "04"), row("10001", "1200", "H"), "10001", "Gutschrift"),
        (Chart(5, "03"), row("100010", "12000", "H"), "100010", "Zahlung"),
        (Chart(4, "03"), row("70001", "3400", "H"), "70001", "Rechnung"),
        (Chart(4, "03"), row("70001", "1200", "S"), "70001", "Zahlung"),
        (Chart(4, ""), row("10001", "1200", "H"), "10001", None),
        (Chart(4, "03"), row("8400", "1200", "H"), None, None),
        (Chart(4, "03"), row("10001", "10002", "H"), None, None),
    ],
)
def test_a_booking_tells_whose_account_it_is_and_what_happened(
    chart: Chart, record: dict[str, str], account: str | None, kind: str | None
) -> None:
    made = booked(record, chart)
    assert (made.get("DATEV_Personenkonto"), made.get("DATEV_Art")) == (account, kind)


def test_money_given_back_is_negative_and_a_generalumkehr_turns_its_amount_around() -> None:
    assert booked(row("10001", "8400", "S", **{"Generalumkehr (GU)": "1"}), Chart(4, "03"))["DATEV_Umsatz"] == "-10,00"
    assert booked(row("10001", "8400", "S", **{"Generalumkehr (GU)": "0"}), Chart(4, "03"))["DATEV_Umsatz"] == "10,00"
    assert booked(row("10001", "1200", "S"), Chart(4, "03"))["DATEV_Umsatz"] == "-10,00"
    assert booked(row("10001", "1200", "S", **{"Generalumkehr (GU)": "1"}), Chart(4, "03"))["DATEV_Umsatz"] == "10,00"


def test_an_export_without_its_chart_of_accounts_says_so_once_and_takes_the_configured_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = metadata("20260301", "20260331").replace('"03"', '""') + HEADERS + "1,00;S;;10001;0103;a\r\n"
    text = text.replace("Konto;", "Konto;Gegenkonto (ohne BU-Schlüssel);").replace("10001;", "10001;8400;")
    assert "DATEV_Art" not in read(tmp_path, text)[0]
    assert caplog.text.count("EXTF_batch.csv names no chart of accounts") == 1
    settings = {"path": "EXTF_batch.csv", "preset": "datev", "chart": "03", "base_dir": tmp_path}
    with FilesConnector("datev", settings) as connector:
        (page,) = connector.read(StreamRequest("batch", key="content"), None)
    assert json.loads(page.rows[0].payload)["DATEV_Art"] == "Rechnung"


def test_days_without_a_period_lie_in_the_financial_year(tmp_path: Path) -> None:
    rows = "1,00;S;;10001;0107;a\r\n2,00;S;;10001;3006;b\r\n"
    found = read(tmp_path, metadata("", "") + HEADERS + rows)
    assert [one["DATEV_Datum"] for one in found] == ["2025-07-01", "2026-06-30"]


def test_an_unknown_version_of_the_metadata_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceDataError, match=r"version '800'.*EXTF_batch\.csv:1.*700"):
        read(tmp_path, metadata("20260301", "20260331").replace(";700;", ";800;") + HEADERS)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_an_export_of_other_programs_may_be_in_utf_8(tmp_path: Path, encoding: str) -> None:
    text = metadata("20260301", "20260331") + HEADERS + '1,00;"S";"";10001;0103;"Müller Größe"\r\n'
    (tmp_path / "EXTF_batch.csv").write_bytes(text.encode(encoding))
    with FilesConnector("datev", {"path": "EXTF_batch.csv", "preset": "datev", "base_dir": tmp_path}) as connector:
        (page,) = connector.read(StreamRequest("batch", key="content"), None)
    assert json.loads(page.rows[0].payload)["Buchungstext"] == "Müller Größe"
