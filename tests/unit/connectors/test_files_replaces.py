"""Files that restate a period: what vanished from it is gone, and nothing outside it is touched."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, SourceConfigurationError, SourceDataError
from connectors.files.connector import FilesConnector
from connectors.page import Page, StreamRequest
from connectors.testing_parts import Ledger, keys_of

BY_NAME = {"replaces": "period", "name": r"sales_(\d{4}-\d{2})"}
BY_MONTH = {"replaces": "period", "column": "day", "by": "month"}


def write(folder: Path, name: str, rows: Mapping[str, str]) -> None:
    (folder / name).write_text("no;day\n" + "".join(f"{no};{day}\n" for no, day in rows.items()))


def read(folder: Path, mode: Any, state: Any = None, key: str = "no", page_size: int = 2) -> list[Page]:
    with FilesConnector("shop", {"path": str(folder / "*.csv"), "mode": mode}) as connector:
        request = StreamRequest("sales", key=key, options={"page_size": page_size})
        return list(connector.read(request, json.loads(json.dumps(state)) if state else None))


def test_a_restated_month_takes_along_what_it_no_longer_says_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "sales_2026-02.csv", {"1": "01.02.2026", "2": "02.02.2026"})
    write(tmp_path, "sales_2026-03.csv", {"3": "01.03.2026", "4": "02.03.2026", "5": "03.03.2026"})
    first = read(tmp_path, BY_NAME)
    ledger = Ledger().land(first)
    assert ledger.alive == {"1", "2", "3", "4", "5"}
    write(tmp_path, "sales_2026-03_again.csv", {"3": "01.03.2026", "6": "04.03.2026"})
    second = read(tmp_path, BY_NAME, first[-1].state)
    assert keys_of(second) == ["3", "6"]
    assert ledger.land(second).alive == {"1", "2", "3", "6"}
    assert read(tmp_path, BY_NAME, second[-1].state) == []


def test_a_file_that_a_later_one_restates_is_not_read_and_not_later_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "sales_2026-03_a.csv", {"1": "01.03.2026"})
    write(tmp_path, "sales_2026-03_b.csv", {"2": "01.03.2026"})
    with caplog.at_level(logging.INFO):
        first = read(tmp_path, BY_NAME)
    assert keys_of(first) == ["2"] and "sales_2026-03_a.csv" in caplog.text
    (tmp_path / "sales_2026-03_b.csv").unlink()
    assert keys_of(read(tmp_path, BY_NAME, first[-1].state)) == []


@pytest.mark.parametrize("mode", [BY_NAME, BY_MONTH])
def test_an_older_file_that_comes_late_does_not_overrule_a_newer(tmp_path: Path, mode: Any) -> None:
    write(tmp_path, "sales_2026-03_b.csv", {"2": "01.03.2026"})
    write(tmp_path, "sales_2026-04.csv", {"9": "01.04.2026"})
    first = read(tmp_path, mode)
    ledger = Ledger().land(first)
    write(tmp_path, "sales_2026-03_a.csv", {"1": "01.03.2026"})
    second = read(tmp_path, mode, first[-1].state)
    assert ledger.land(second).alive == {"2", "9"}


def test_rows_say_themselves_of_which_periods_a_file_is(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", {"1": "31.01.2026", "2": "01.02.2026", "3": "28.02.2026", "4": "2026-03-01"})
    first = read(tmp_path, BY_MONTH)
    ledger = Ledger().land(first)
    write(tmp_path, "b.csv", {"2": "01.02.2026", "5": "2026-03-05", "6": "soon"})
    second = read(tmp_path, BY_MONTH, first[-1].state)
    assert ledger.land(second).alive == {"1", "2", "5"}
    assert [(one.reason, one.place) for page in second for one in page.rejects] == [("no-period", "b.csv:4")]


@pytest.mark.parametrize(
    ("by", "periods"),
    [("day", ["2026-02-03"]), ("month", ["2026-02"]), ("quarter", ["2026-Q1"]), ("year", ["2026"]), ("value", ["03.02.2026"])],
)  # fmt: skip
def test_a_date_lies_in_its_day_month_quarter_or_year(tmp_path: Path, by: str, periods: list[str]) -> None:
    write(tmp_path, "a.csv", {"1": "03.02.2026"})
    (page,) = read(tmp_path, {"replaces": "period", "column": "day", "by": by})
    assert page.snapshot is not None and page.snapshot.scope is not None
    assert list(page.snapshot.scope.values) == periods
    assert json.loads(page.rows[0].payload)["$period"] == periods[0]


@pytest.mark.parametrize("mode", [BY_NAME, BY_MONTH])
@pytest.mark.parametrize("key", ["no", "content"])
def test_a_kill_anywhere_ends_where_an_undisturbed_run_does(tmp_path: Path, mode: Any, key: str) -> None:
    for month in ("01", "02", "03"):
        write(tmp_path, f"sales_2026-{month}.csv", {f"{month}{day}": f"{day}.{month}.2026" for day in range(10, 15)})
    before = read(tmp_path, mode, key=key)
    for month in ("01", "02"):
        write(tmp_path, f"sales_2026-{month}.csv", {f"{month}{day}": f"{day}.{month}.2026" for day in (11, 12, 13, 20)})
    whole = read(tmp_path, mode, before[-1].state, key)
    wanted = Ledger().land(before).land(whole).alive
    assert len(wanted) == 13
    for count in range(1, len(whole)):
        ledger = Ledger().land(before).land(whole[:count])
        rest = read(tmp_path, mode, whole[count - 1].state, key)
        assert ledger.land(rest).alive == wanted, f"killed after page {count}"
        assert rest[-1].state == whole[-1].state


def test_an_empty_restatement_empties_its_period(tmp_path: Path) -> None:
    write(tmp_path, "sales_2026-02.csv", {"1": "01.02.2026"})
    write(tmp_path, "sales_2026-03.csv", {"2": "01.03.2026"})
    first = read(tmp_path, BY_NAME)
    write(tmp_path, "sales_2026-03.csv", {})
    os.utime(tmp_path / "sales_2026-03.csv", (1, 1))
    assert Ledger().land(first).land(read(tmp_path, BY_NAME, first[-1].state)).alive == {"1"}


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ({"replaces": "period"}, ["column", "name"]),
        ({"replaces": "period", "name": "sales"}, ["group"]),
        ({"replaces": "period", "name": "sales_("}, ["regular expression"]),
        ({"replaces": "period", "name": "x_(.)", "column": "day"}, ["not both"]),
        ({"replaces": "period", "by": "month"}, ["column"]),
        ({"replaces": "month"}, ["period"]),
        ({"replaces": "period", "name": r"invoices_(\d+)"}, ["sales_2026-03.csv", "invoices_", "shop:sales"]),
    ],
)
def test_a_mode_that_cannot_work_is_named(tmp_path: Path, mode: Any, words: list[str]) -> None:
    write(tmp_path, "sales_2026-03.csv", {"1": "01.03.2026"})
    with pytest.raises(SourceConfigurationError) as caught:
        read(tmp_path, mode)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_without_its_period_no_batch_of_bookings_replaces_anything(tmp_path: Path) -> None:
    line = '"EXTF";700;21;"Buchungsstapel";13;20260401080000000;;"RE";"";"";29098;55003;20260101;4;;;"Verkauf"\r\n'
    (tmp_path / "EXTF_1.csv").write_bytes((line + "Konto;Belegdatum\r\n10001;0103\r\n").encode("cp1252"))
    settings = {"path": str(tmp_path), "preset": "datev", "mode": {"replaces": "period"}}
    with (
        FilesConnector("datev", settings) as connector,
        pytest.raises(SourceDataError, match=r"EXTF_1\.csv:1.*Datum von"),
    ):
        list(connector.read(StreamRequest("bookings"), None))


def test_the_error_of_one_file_names_source_and_stream(tmp_path: Path) -> None:
    (tmp_path / "EXTF_1.csv").write_bytes(b'"EXTF";900;21;"Buchungsstapel";13;;;;;;1;1;;4;;;\r\nKonto\r\n1\r\n')
    settings = {"path": str(tmp_path), "preset": "datev", "mode": {"replaces": "period"}}
    with FilesConnector("datev", settings) as connector, pytest.raises(ConnectorError) as caught:
        list(connector.read(StreamRequest("bookings"), None))
    assert all(word in str(caught.value) for word in ("datev:bookings", "EXTF_1.csv:1", "900", "700"))
