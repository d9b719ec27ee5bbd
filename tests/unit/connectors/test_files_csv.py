"""CSV files as companies keep them."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical import decode
from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files.connector import FilesConnector
from connectors.files.detect import detect_encoding
from connectors.page import Page, StreamRequest

RUSSIAN = (
    "ИНН;Наименование;Телефон\r\n7707083893;ООО «Ромашка»;+7 495 123-45-67\r\n500100732259;Иванов Иван Петрович;\r\n"
)
GERMAN = "Nr;Name;Ort\r\n1;Müller & Söhne GmbH;Köln\r\n2;Bäckerei Weiß;Düsseldorf\r\n3;Jürgen Groß;Nürnberg\r\n"


def write(folder: Path, data: str | bytes, name: str = "clients.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return path


def read(path: Path, key: Any = None, **options: Any) -> list[Page]:
    with FilesConnector("acc", {"path": str(path)}) as connector:
        return list(connector.read(StreamRequest("clients", key=key, options=options), None))


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [decode(row.payload) for page in pages for row in page.rows]


def rejects(pages: list[Page]) -> list[tuple[str, str]]:
    return [(item.reason, item.place) for page in pages for item in page.rejects]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "cp866", "koi8-r"])
def test_the_encoding_of_russian_files_is_found(tmp_path: Path, encoding: str) -> None:
    text = RUSSIAN.replace("«", '"').replace("»", '"')
    pages = read(write(tmp_path, text, encoding=encoding), key="ИНН")
    assert records(pages)[0] == {
        "ИНН": "7707083893",
        "Наименование": 'ООО "Ромашка"',
        "Телефон": "+7 495 123-45-67",
    }
    assert rejects(pages) == []


def test_the_encoding_of_german_files_is_found(tmp_path: Path) -> None:
    pages = read(write(tmp_path, GERMAN, encoding="cp1252"), key="Nr")
    assert [record["Name"] for record in records(pages)] == [
        "Müller & Söhne GmbH",
        "Bäckerei Weiß",
        "Jürgen Groß",
    ]


def test_letters_that_come_late_decide_the_encoding(tmp_path: Path) -> None:
    ascii_rows = "".join(f"{number};plain\n" for number in range(60_000))
    path = write(tmp_path, ("id;name\n" + ascii_rows + "x;Общество с ограниченной ответственностью\n").encode("cp1251"))
    assert detect_encoding(path) == "cp1251"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_beside_decimal_commas(tmp_path: Path, delimiter: str) -> None:
    with (tmp_path / "clients.csv").open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerows(
            [
                ["id", "sum", "name"],
                ["1", "1 500,50", "a, b; c"],
                ["2", "3,00", 'say "hi"'],
                ["3", "4", "two\nlines"],
            ]
        )
    assert records(read(tmp_path / "clients.csv", key="id")) == [
        {"id": "1", "sum": "1 500,50", "name": "a, b; c"},
        {"id": "2", "sum": "3,00", "name": 'say "hi"'},
        {"id": "3", "sum": "4", "name": "two\nlines"},
    ]


def test_a_title_above_the_table_is_no_header(tmp_path: Path) -> None:
    path = write(tmp_path, "Выгрузка контрагентов\n\nid;name\n1;a\n2;b\n")
    assert records(read(path, key="id")) == [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]


def test_columns_without_headers_are_numbered(tmp_path: Path) -> None:
    pages = read(write(tmp_path, "1;a\n2;b\n"), key="column_1", header_row=0)
    assert records(pages) == [{"column_1": "1", "column_2": "a"}, {"column_1": "2", "column_2": "b"}]


def test_empty_and_repeated_headers_get_names_of_their_own(tmp_path: Path) -> None:
    pages = read(write(tmp_path, "id;Phone;;Phone\n1;a;b;c\n"), key="id")
    assert records(pages) == [{"id": "1", "Phone": "a", "column_3": "b", "Phone_2": "c"}]


def test_malformed_rows_are_kept_with_line_and_bytes_and_neighbours_are_read(tmp_path: Path) -> None:
    text = "id;name;city\n1;a;x\n2;b\n3;c;z;extra\n\n4;d;w;;\n5;e;v\n"
    pages = read(write(tmp_path, text), key="id")
    assert [record["id"] for record in records(pages)] == ["1", "4", "5"]
    assert rejects(pages) == [("malformed-row", "clients.csv:3"), ("malformed-row", "clients.csv:4")]
    assert [item.payload for item in pages[0].rejects] == [b"2;b\n", b"3;c;z;extra\n"]


def test_an_unclosed_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    lines = "".join(f"{number};name {number};city\n" for number in range(3, 3000))
    path = write(tmp_path, 'id;name;city\n1;"open;x\n2;"Ромашка" ООО;y\n' + lines + '3000;"cut off')
    pages = read(path, key="id")
    found = {record["id"]: record["name"] for record in records(pages)}
    assert len(found) == 2999
    assert (found["1"], found["2"], found["2999"]) == ('"open', '"Ромашка" ООО', "name 2999")
    assert rejects(pages) == [("malformed-row", "clients.csv:3001")]


def test_undecodable_bytes_cost_one_row_and_keep_their_bytes(tmp_path: Path) -> None:
    good = "id;name\n1;Анна\n".encode() + b"2;\xff\xfe!\n" + "3;Борис\n".encode()
    pages = read(write(tmp_path, good), key="id")
    assert [record["id"] for record in records(pages)] == ["1", "3"]
    assert rejects(pages) == [("bad-encoding", "clients.csv:3")]
    assert pages[0].rejects[0].payload == b"2;\xff\xfe!"


def test_nul_bytes_and_long_texts_harm_nobody(tmp_path: Path) -> None:
    text = "id;name\n1;a\x00b\n2;" + "я" * 5_000_000 + "\n3;c\n"
    pages = read(write(tmp_path, text), key="id")
    assert [row.key for page in pages for row in page.rows] == ["2", "3"]
    assert rejects(pages) == [("not-storable", "clients.csv:2")]


def test_rows_without_a_key_are_told_by_line(tmp_path: Path) -> None:
    pages = read(write(tmp_path, "id;name\n1;a\n;b\n3;c\n"), key="id")
    assert rejects(pages) == [("missing-key", "clients.csv:3")]


def test_a_missing_key_column_stops_before_everything_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SourceDataError, match=r"'id'.*clients\.csv.*code, name"):
        read(write(tmp_path, "code;name\n1;a\n"), key="id")


def test_a_lone_column_and_an_empty_file_are_read(tmp_path: Path) -> None:
    assert records(read(write(tmp_path, "email\na@x.org\nb@x.org\n"))) == [
        {"email": "a@x.org"},
        {"email": "b@x.org"},
    ]
    assert records(read(write(tmp_path, "", name="empty.csv"))) == []


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceConfigurationError, match="cp9999"):
        read(write(tmp_path, "a;b\n1;2\n"), encoding="cp9999")


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "clients.csv.gz"
    path.write_bytes(gzip.compress(RUSSIAN.encode("cp1251")))
    assert len(records(read(path, key="ИНН"))) == 2


def test_places_count_physical_lines(tmp_path: Path) -> None:
    pages = read(write(tmp_path, 'id;note\n1;"two\nlines"\n2\n'), key="id")
    assert rejects(pages) == [("malformed-row", "clients.csv:4")]


def test_a_packed_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{number};имя {number}\n" for number in range(200_000)).encode())
    for name, data in {"a.csv.gz": whole[: len(whole) // 2], "b.csv.gz": whole[:40], "c.csv.zip": b"PK no"}.items():
        (tmp_path / name).write_bytes(data)
        with (
            FilesConnector("acc", {"path": name, "base_dir": tmp_path, "header_row": 0}) as connector,
            pytest.raises(SourceDataError, match=rf"acc:clients.*(damaged|zip).*{name}"),
        ):
            list(connector.read(StreamRequest("clients", key="content"), None))
