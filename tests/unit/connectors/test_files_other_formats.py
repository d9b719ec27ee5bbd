"""JSON lines, JSON documents, workbooks and Parquet."""

# ruff: noqa: DTZ001 - cells of a sheet have no time zone

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from connectors.canonical import decode
from connectors.errors import ConnectorError, SourceConfigurationError, SourceDataError
from connectors.files.connector import FilesConnector
from connectors.page import Page, StreamRequest
from connectors.testing_parts import Ledger


def read(path: Path, stream: str = "clients", key: Any = None, **options: Any) -> list[Page]:
    with FilesConnector("acc", {"path": str(path)}) as connector:
        return list(connector.read(StreamRequest(stream, key=key, options=options), None))


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [decode(row.payload) for page in pages for row in page.rows]


def rejects(pages: list[Page]) -> list[tuple[str, str]]:
    return [(item.reason, item.place) for page in pages for item in page.rejects]


def test_bad_json_lines_are_kept_and_their_neighbours_read(tmp_path: Path) -> None:
    path = tmp_path / "clients.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id":1,"x":1.10}\n\n{"id":2,\n{"id":3,"t":"\xff"}\n[1]\n{"id":4,"t":"a\\u0000"}\n{"id":5,"t":"\\ud800"}\n'
        b'{"id":6,"n":NaN}\n{"name":"no key"}\n{"id":7}\n{"id":8'
    )
    pages = read(path, key="id")
    assert [row.key for page in pages for row in page.rows] == ["1", "7"]
    assert pages[0].rows[0].payload == b'{"id":1,"x":1.10}'
    assert sorted(rejects(pages)) == [
        ("bad-encoding", "clients.jsonl:4"),
        ("invalid-json", "clients.jsonl:11"),
        ("invalid-json", "clients.jsonl:3"),
        ("malformed-row", "clients.jsonl:5"),
        ("missing-key", "clients.jsonl:9"),
        ("not-storable", "clients.jsonl:6"),
        ("not-storable", "clients.jsonl:7"),
        ("not-storable", "clients.jsonl:8"),
    ]


def test_json_lines_in_a_code_page_are_read(tmp_path: Path) -> None:
    path = tmp_path / "clients.jsonl"
    path.write_bytes('{"id":1,"имя":"Анна Петровна Сидорова"}\n'.encode("cp1251"))
    assert records(read(path, key="id")) == [{"id": 1, "имя": "Анна Петровна Сидорова"}]


def test_a_list_is_read_piece_by_piece_and_a_cut_costs_one_record(tmp_path: Path) -> None:
    rows = [{"id": number, "text": "я" * 300, "sum": 1.5, "big": 10**30} for number in range(5000)]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    path = tmp_path / "clients.json"
    path.write_text(text, encoding="utf-8")
    assert len(records(read(path, key="id"))) == 5000
    path.write_text(text[:-200], encoding="utf-8")
    pages = read(path, key="id")
    assert len(records(pages)) == 4999
    assert rejects(pages) == [("invalid-json", "clients.json record 5000")]


def test_records_inside_a_document_are_found_by_their_path(tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text('{"data": {"items": [{"id": 1}, {"id": 2}]}}')
    assert len(records(read(path, key="id", records="data.items"))) == 2
    with pytest.raises(SourceDataError, match=r"data\.rows"):
        read(path, key="id", records="data.rows")
    path.write_text("<html>")
    with pytest.raises(SourceDataError, match="not JSON"):
        read(path, key="id")


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    sheet.title = "Clients"
    for row in [
        ["Реестр клиентов"],
        [],
        ["ИНН", "Наименование", "Телефон", "Дата", "Сумма", "Город"],
        [7707083893.0, "ООО Ромашка", 74951234567, dt.datetime(2024, 2, 29), 10.5, "Москва"],
        [500100732259, "Иванов", "+7 900 000-00-00", dt.datetime(2024, 3, 1, 12, 30), 3, None],
        [None, None, None, None, None, None],
        ["007", "Сидоров", None, None, None, None],
        ["Итого", None, None, None, 13.5, None],
    ]:
        sheet.append(row)
    sheet.merge_cells("F4:F5")
    second = book.create_sheet("Orders")
    second.append(["id", "sum"])
    second.append([1, 2.5])
    book.save(tmp_path / "sales.xlsx")
    return tmp_path / "sales.xlsx"


def test_a_sheet_gives_typed_rows_and_sets_totals_aside(workbook: Path) -> None:
    pages = read(workbook, key="ИНН")
    assert [row.key for page in pages for row in page.rows] == ["7707083893", "500100732259", "007"]
    first, second, _ = records(pages)
    assert first["ИНН"] == 7707083893
    assert first["Телефон"] == 74951234567
    assert str(first["Сумма"]) == "10.5"
    assert str(first["Дата"]).startswith("2024-02-29")
    assert second["Дата"] == "2024-03-01T12:30:00"
    assert second["Город"] == "Москва"
    assert rejects(pages) == [("totals-row", "sales.xlsx sheet Clients!A8")]


def test_a_sheet_is_chosen_by_option_or_by_the_streams_name(workbook: Path) -> None:
    assert [row.key for page in read(workbook, stream="orders", key="id") for row in page.rows] == ["1"]
    assert len(records(read(workbook, sheet="Orders", key="id"))) == 1
    with pytest.raises(SourceConfigurationError, match="Clients, Orders"):
        read(workbook, sheet="Nope")
    with FilesConnector("sales", {"path": str(workbook)}) as connector:
        assert [info.name for info in connector.discover()] == ["Clients", "Orders"]


def test_several_sheets_of_one_table_are_read_as_one_and_may_replace_their_periods(tmp_path: Path) -> None:
    def save(months: dict[str, list[int]]) -> None:
        book = Workbook()
        book.active.title = "Notes"
        for month, numbers in months.items():
            sheet = book.create_sheet(month)
            for row in [["Sales"], ["no", "sum"], *([number, 1.5] for number in numbers), ["Total", None]]:
                sheet.append(row)
        book.save(tmp_path / "sales.xlsx")

    def months(state: Any = None) -> list[Page]:
        mode = {"replaces": "period", "column": "$sheet"}
        with FilesConnector(
            "shop", {"path": str(tmp_path / "sales.xlsx"), "sheet": "2026-*", "mode": mode}
        ) as connector:
            request = StreamRequest("sales", key="no", options={"page_size": 2})
            return list(connector.read(request, json.loads(json.dumps(state)) if state else None))

    save({"2026-01": [1, 2, 3], "2026-02": [4], "2026-03": []})
    whole = months()
    assert [(record["no"], record["$sheet"]) for record in records(whole)] == [
        (1, "2026-01"), (2, "2026-01"), (3, "2026-01"), (4, "2026-02"),
    ]  # fmt: skip
    assert rejects(whole) == [
        ("totals-row", f"sales.xlsx sheet 2026-0{m}!A{row}") for m, row in ((1, 6), (2, 4), (3, 3))
    ]
    for count in range(1, len(whole)):
        rest = months(whole[count - 1].state)
        assert records(whole[:count]) + records(rest) == records(whole)
    save({"2026-02": [4, 5]})
    assert Ledger().land(whole).land(months(whole[-1].state)).alive == {"1", "2", "3", "4", "5"}
    save({"2026-02": [5]})
    assert Ledger().land(whole).land(months(whole[-1].state)).alive == {"1", "2", "3", "5"}


def test_a_band_of_titles_above_the_headers_is_passed_over(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    for row in [
        ["Клиент", None, "Контакты", None],
        ["Код", "Имя", "Телефон", "Почта"],
        ["1", "Анна", "2", "a@x.org"],
    ]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert records(read(tmp_path / "a.xlsx", key="Код")) == [
        {"Код": "1", "Имя": "Анна", "Телефон": "2", "Почта": "a@x.org"}
    ]


@pytest.mark.parametrize("name", ["broken.xlsx", "broken.parquet", "broken.xls"])
def test_a_cut_off_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ConnectorError, match=name):
        read(tmp_path / name)


def test_a_key_of_more_digits_than_python_spells_out_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "clients.jsonl"
    path.write_text('{"id": 1%s.0}\n{"id": 2.0}\n' % ("0" * 5000), "utf-8")
    pages = read(path, key="id")
    assert [row.key for page in pages for row in page.rows] == ["2"]
    assert len(rejects(pages)) == 1


def test_parquet_whose_column_names_are_damaged_is_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "clients.parquet"
    pq.write_table(pa.table({"id": ["1"], "name_of": ["a"]}), path)
    path.write_bytes(path.read_bytes().replace(b"name_of", b"na\x80e_of"))
    with pytest.raises(SourceDataError, match="cannot be read as Parquet"):
        read(path, key="id")


def test_a_missing_key_is_told_in_few_words_however_long_the_columns_are_called(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text(f"{'9' * 5000};name\n1;a\n", "utf-8")
    with pytest.raises(SourceDataError) as caught:
        read(path, key="id")
    assert len(str(caught.value)) < 500


def test_parquet_keeps_decimals_dates_and_nested_values(tmp_path: Path) -> None:
    import decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "id": [1, 2, 3],
            "sum": [decimal.Decimal("1.10"), None, decimal.Decimal("3.00")],
            "on": [dt.date(2024, 1, 1), None, None],
            "tags": [["a"], [], None],
            "ratio": [0.5, float("nan"), 2.0],
        }
    )
    pq.write_table(table, tmp_path / "clients.parquet", row_group_size=1)
    pages = read(tmp_path / "clients.parquet", key="id", page_size=2)
    assert pages[0].rows[0].payload == b'{"id":1,"on":"2024-01-01","ratio":0.5,"sum":1.10,"tags":["a"]}'
    assert [row.key for page in pages for row in page.rows] == ["1", "3"]
    assert rejects(pages) == [("not-storable", "clients.parquet row 2")]
    assert pages[0].total_rows == 3
