"""`onefold try`: a few files in, what stands in them out; the page, the workbook, and the configuration it used."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from python_calamine import CalamineWorkbook

from onefold.demo import generate
from onefold.trying import kernel
from tests.support.cli import Done, onefold, onefold_process

PEOPLE = [
    ("1", "Иванов Пётр Сергеевич", "8 916 555-01-01", "p.ivanov@example.ru", "12.03.1980"),
    ("2", "Пётр Иванов", "+7 (916) 555-01-01", "", "1980-03-12"),
    ("3", "Керн Анна", "8 903 555-02-02", "kern@example.ru", "11.02.1990"),
    ("4", "Сидорова Мария", "", "sidorova@example.ru", ""),
]
HEADS = ("Код", "ФИО", "Телефон", "E-mail", "Дата рождения")


def sheet(path: Path, heads: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    """A CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=";").writerows([heads, *rows])
    return path


def tried(folder: Path, *words: str | Path) -> Done:
    """The command, its page in the folder."""
    return onefold("--quiet", "try", *words, "--report", folder / "report.html")


def found(folder: Path, *words: str | Path) -> Any:
    """The document of a trial that went well."""
    done = tried(folder, *words, "--json")
    assert done.code == 0, done.said
    return done.json


@pytest.fixture
def two_files(tmp_path: Path) -> tuple[Path, Path]:
    """A register in an old code page, and an export in English of some of the same people."""
    one = sheet(tmp_path / "клиенты.csv", HEADS, PEOPLE, "cp1251")
    rows = [
        ("A", "Anna", "Kern", "kern@example.ru", "+79035550202"),
        ("B", "Maria", "Sidorova", "sidorova@example.ru", ""),
        ("C", "John", "Smith", "john@example.org", ""),
    ]
    return one, sheet(tmp_path / "shop.csv", ("id", "First name", "Last name", "Mail", "Mobile"), rows)


def test_duplicates_overlap_and_evidence_of_two_files(two_files: tuple[Path, Path], tmp_path: Path) -> None:
    told = found(tmp_path, *two_files)
    assert (told["rows"], told["clients"], told["duplicates"], told["in_several"]) == (7, 4, 1, 2)
    assert {tuple(names): count for names, count in told["overlap"]} == {
        ("клиенты.csv",): 1, ("shop.csv",): 1, ("клиенты.csv", "shop.csv"): 2,
    }  # fmt: skip
    assert told["shared"] == [[3, 2], [2, 3]]
    columns = {(column["title"], column["column"]): column["becomes"] for column in told["columns"]}
    assert columns["клиенты.csv", "Дата рождения"] == "birth_date"
    assert columns["shop.csv", "Mobile"] == "phone"
    merge = next(one for one in told["merges"] if "Kern" in one["left_name"] + one["right_name"])
    bits = {finding["column"]: finding["bits"] for finding in merge["evidence"]["findings"]}
    assert bits["email"] > 5
    # A sum of bits also holds what is not shown: the kinship that such a pair may have.
    assert merge["evidence"]["total_bits"] >= merge["evidence"]["link_bits"]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Керн Анна" in page
    assert "клиенты.csv row 3" in page


def test_the_page_stands_alone_and_escapes_whatever_a_file_holds(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    rows = [
        ("1", bad, "x@y.example"),
        ("2", bad, "x@y.example"),
        ("3", '"><img src=http://evil.example/a>', "z@y.example"),
    ]
    heads = ("id", "full name <b>", "e-mail")
    found(tmp_path, sheet(tmp_path / "a <i> & 'b'.csv", heads, rows), sheet(tmp_path / "{{body}}.csv", heads, rows))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"<(script|img|link|iframe|b>|i>|object)\b", page.replace("<b class", "").replace("<b>", ""))
    loads = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]+)""", page.replace("&gt;", ">"))
    assert [one for one in loads if not one.startswith(("#", "http://evil"))] == []
    assert "http://evil" not in re.sub(r"&quot;&gt;&lt;img src=http://evil.example/a", "", page)
    assert "default-src 'none'" in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<h1>") == 1


def test_the_workbook_has_golden_rows_and_a_crosswalk_and_no_formula(tmp_path: Path) -> None:
    rows = [
        ("1", "=HYPERLINK(1)", "x@y.example"),
        ("2", "=HYPERLINK(1)", "x@y.example"),
        ("3", "+cmd|calc", "z@y.example"),
    ]
    told = found(tmp_path, sheet(tmp_path / "a.csv", ("id", "name", "email"), rows), "--out", tmp_path / "m.xlsx")
    assert told["written"]["out"] == str(tmp_path / "m.xlsx")
    book = openpyxl.load_workbook(tmp_path / "m.xlsx")
    assert book.sheetnames == ["clients", "crosswalk"]
    cells = [cell for each in book.worksheets for row in each.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    head, *crosswalk = [[cell.value for cell in row] for row in book["crosswalk"].iter_rows()]
    assert head == ["client_id", "file", "row", "key", "client"]
    assert [line[1:4] for line in crosswalk] == [["a.csv", 1, "1"], ["a.csv", 2, "2"], ["a.csv", 3, "3"]]
    assert len({line[0] for line in crosswalk}) == 2
    assert tried(tmp_path, tmp_path / "a.csv", "--out", tmp_path / "m.csv").code == 2


def test_what_is_found_does_not_depend_on_whether_a_workbook_is_wanted(tmp_path: Path) -> None:
    rows = [
        ("1", "Anna Kern", "anna.kern@x.example", "", "Graz"),
        ("2", "Anna Kern", "anna.kern@x.example", "", "Linz"),
        ("3", "Bob Roe", "bob@y.example", "roe at y", "Wels"),
    ]
    file = sheet(tmp_path / "a.csv", ("id", "name", "email", "email2", "city"), rows)
    alone, with_book = found(tmp_path, file), found(tmp_path, file, "--out", tmp_path / "m.xlsx")
    assert [(one["attribute"], one["clients"]) for one in alone["conflicts"]] == [("city", 1)]
    own = ("seconds", "memory_mib", "written")
    bare, full = ({name: value for name, value in one.items() if name not in own} for one in (alone, with_book))
    assert bare == full


HOSTILE: Mapping[str, tuple[bytes, int]] = {
    "empty.csv": (b"", 4),
    "head_only.csv": (b"id,name,email\n", 4),
    "noise.csv": (bytes(range(256)) * 20, 4),
    "no_workbook.xlsx": (b"PK\x03\x04 no workbook", 4),
    "notes.csv": (b"text\nhello\nworld\n", 4),
    "one_row.csv": (b"name,email\nAnna Kern,a@b.example\n", 0),
    "one_column.csv": (b"email\na@b.example\nc@d.example\na@b.example\n", 0),
    "same_heads.csv": (b"name,name,email\nAnna Kern,x,a@b.example\nBob Roe,y,b@b.example\n", 0),
    "key_repeats.csv": (b"id,name,email\n1,Anna Kern,a@b.example\n1,Bob Roe,b@b.example\n,Eve Ray,e@b.example\n", 0),
    "wrong_width.csv": (b"id,name,email\n1,Anna Kern,a@b.example\n2,Bob\n3,Eve Ray,e@b.example,x,y\n", 0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strange_file_is_read_or_named_never_a_fault(name: str, tmp_path: Path) -> None:
    data, code = HOSTILE[name]
    (tmp_path / name).write_bytes(data)
    done = tried(tmp_path, tmp_path / name)
    assert done.code == code, done.said
    assert "Traceback" not in done.said
    assert "This is a fault" not in done.said
    if code:
        assert name in done.err


def test_a_key_that_repeats_behind_what_was_looked_at_loses_no_row(tmp_path: Path) -> None:
    rows = [(str(at), f"Anna{at} Kern{at}", f"a{at}@b.example") for at in range(1001)]
    path = sheet(tmp_path / "k.csv", ("id", "name", "email"), [*rows, ("7", "Eve Ray", "eve@ray.example")])
    told = found(tmp_path, path)
    assert told["rows"] == 1002
    assert any("told apart by all that they say" in note for note in told["notes"])
    done = tried(tmp_path, path, "--as", "k.csv:id=key")
    assert (done.code, "so it is no key" in done.err) == (2, True)


def test_a_workbook_with_a_title_merged_over_its_head_and_totals(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Лист1"
    page.append(["Клиенты на 1 января"])
    page.merge_cells("A1:D1")
    for row in (["Наименование\nклиента", "ИНН", "Телефон", "Город"], ["ООО Ромашка", 7707083893, "8 495 111 22 33", "Москва"],
                ["Ромашка ООО", "7707083893", None, "Москва"], ["АО Василёк", "7736050003", None, "Тверь"], ["Итого"]):  # fmt: skip
        page.append(row)
    book.create_sheet("пусто").append(["a"])
    book.save(tmp_path / "b.xlsx")
    told = found(tmp_path, tmp_path / "b.xlsx", "--save", tmp_path / "hub")
    assert (told["rows"], told["clients"]) == (3, 2)
    assert [one["title"] for one in told["left_out"]] == ["b.xlsx / пусто"]
    done = onefold("--config", tmp_path / "hub" / "config", "doctor")
    assert done.code == 0, done.said


def test_a_folder_with_bad_files_gives_what_the_good_ones_hold(two_files: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("empty.csv", "no_workbook.xlsx", "notes.csv"):
        (tmp_path / name).write_bytes(HOSTILE[name][0])
    told = found(tmp_path, tmp_path)
    assert [one["title"] for one in told["files"]] == ["shop.csv", "клиенты.csv"]
    assert {one["title"] for one in told["left_out"]} == {"empty.csv", "no_workbook.xlsx", "notes.csv"}


def test_a_database_is_read_and_its_password_stays_out_of_every_file_but_the_environment(
    two_files: tuple[Path, Path], tmp_path: Path, empty_database_url: str
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        conn.execute("create table contacts (id int primary key, first_name text, last_name text, email text)")
        conn.execute("create table stock (sku text, amount int)")
        conn.execute(
            "insert into contacts values (1, 'Anna', 'Kern', 'kern@example.ru'), (2, 'Lev', 'Tolstoy', 'lev@example.org')"
        )
        conn.execute("insert into stock values ('a', 1), ('b', 2)")
    hub = tmp_path / "hub"
    told = found(tmp_path, two_files[0], empty_database_url, "--save", hub)
    assert told["in_several"] == 1
    assert [one["title"].rpartition(" / ")[2] for one in told["left_out"]] == ["stock"]
    written = {path: path.read_text("utf-8") for path in [*hub.rglob("*.yaml"), tmp_path / "report.html"]}
    assert not [path for path, text in written.items() if empty_database_url.partition("://")[2] in text]
    assert (hub / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url", ["postgres://bob:s3kret@127.0.0.1:1", "postgres://bob:s3#kret@127.0.0.1:1/db", "postgres://bob:s3kret@["]
)
def test_a_database_that_is_not_there_is_named_without_its_password(
    two_files: tuple[Path, Path], tmp_path: Path, url: str
) -> None:
    done = onefold("try", two_files[0], url, "--report", tmp_path / "r.html", "--save", tmp_path / "hub")
    written = [path.read_text("utf-8") for path in [tmp_path / "r.html", *tmp_path.rglob("*.yaml")] if path.exists()]
    assert not [text for text in [done.said, *written] if "s3" in text or "kret" in text]


def test_a_table_of_sqlite(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.sqlite")) as conn, conn:
        conn.execute("create table people (code text, full_name text, phone text)")
        conn.executemany(
            "insert into people values (?, ?, ?)",
            [("a", "Anna Kern", "+79035550202"), ("b", "Kern Anna", "+7 903 555 02 02")],
        )
    told = found(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite")
    assert (told["rows"], told["clients"]) == (2, 1)


def test_wrong_words_are_refused_before_anything_is_written(two_files: tuple[Path, Path], tmp_path: Path) -> None:
    one = two_files[0]
    for words in (("--as", "nowhere.csv:a=email"), ("--as", "клиенты.csv:Phone=phone"), ("--as", "клиенты.csv:Код=number"),
                  ("--out", "m.csv")):  # fmt: skip
        done = tried(tmp_path, one, *words)
        assert done.code == 2, done.said
    (tmp_path / "config").mkdir()
    assert tried(tmp_path, one, "--save", tmp_path).code == 2
    assert tried(tmp_path, tmp_path / "nowhere.csv").code == 2
    assert not (tmp_path / "report.html").exists()


def test_what_is_said_overrules_what_was_guessed(tmp_path: Path) -> None:
    rows = [("1", "Anna Kern", "5501"), ("2", "Anna Kern", "5501"), ("3", "Anna Kern", "7702")]
    path = sheet(tmp_path / "a.csv", ("id", "name", "badge"), rows)
    assert found(tmp_path, path)["clients"] == 3
    told = found(tmp_path, path, "--as", "a.csv:badge=national_id")
    assert told["clients"] == 2
    # Without a key, rows that say the same are alike in everything.
    assert (
        found(
            tmp_path, path, "--as", "a.csv:id=ignore", "--as", "a.csv:name=ignore", "--as", "a.csv:badge=national_id"
        )["clients"]
        == 2
    )


def test_several_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path / "world", seed=7, scale=0.1)
    words = [
        tmp_path / "world" / "accounting",
        tmp_path / "world" / "sales.xlsx",
        f"sqlite:///{tmp_path}/world/erp.sqlite",
    ]
    timed = ("seconds", "memory_mib", "written")
    alone = {name: value for name, value in found(tmp_path, *words).items() if name not in timed}
    monkeypatch.setattr(kernel, "BESIDE", 1)
    monkeypatch.setattr(kernel, "PORTION", 37)
    monkeypatch.setattr(kernel, "WORTH_SENDING", 1)
    monkeypatch.setattr(kernel, "threads", lambda: 2)
    beside = {name: value for name, value in found(tmp_path, *words).items() if name not in timed}
    assert alone == beside
    assert len(alone["files"]) == 3
    assert alone["in_several"] > 20


def test_a_process_of_its_own_and_the_saved_configuration_give_what_a_hub_gives(
    tmp_path: Path, database_url: str
) -> None:
    """The page is a promise: `run` and `train --use` on what was saved group the rows in the same way."""
    generate(tmp_path / "world", seed=5, scale=0.25)
    counterparties = next((tmp_path / "world" / "accounting").glob("Контрагенты*"))
    words = [counterparties, tmp_path / "world" / "sales.xlsx", f"sqlite:///{tmp_path}/world/erp.sqlite"]
    hub = tmp_path / "hub"
    done = onefold_process("try", *words, "--save", hub, "--out", "merged.xlsx", cwd=tmp_path)
    assert done.code == 0, done.said
    assert (tmp_path / "onefold-report.html").stat().st_size > 10_000
    assert "clients in several files" in done.out
    place = ("--quiet", "--home", hub / "var", "--config", hub / "config", "--database", database_url)
    for command in (("doctor",), ("run",), ("train", "--use")):
        ran = onefold(*place, *command)
        assert ran.code == 0, ran.said
    with psycopg.connect(database_url) as conn:
        stored = conn.execute("select source_key, client_id::text from onefold_v1.xref_client_record").fetchall()
    head, *rows = CalamineWorkbook.from_path(str(tmp_path / "merged.xlsx")).get_sheet_by_name("crosswalk").to_python()
    titles = {row[head.index("file")] for row in rows}
    assert len(titles) == 3
    with_key = [row for row in rows if row[head.index("key")]]
    mine = groups((str(row[head.index("key")]), str(row[0])) for row in with_key)
    keys = {str(row[head.index("key")]) for row in with_key}
    assert len(mine) > 50
    assert mine == groups(pair for pair in stored if pair[0] in keys)
    assert len({row[0] for row in rows}) == len({client for _, client in stored})


def groups(pairs: Any) -> set[frozenset[str]]:
    """Keys that share a client, whatever its id: the hub gave its ids before it was trained."""
    made: dict[str, set[str]] = {}
    for key, client in pairs:
        made.setdefault(client, set()).add(key)
    return {frozenset(members) for members in made.values()}


def test_the_command_needs_no_database_and_leaves_nothing_but_its_page(
    two_files: tuple[Path, Path], tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    done = onefold("--quiet", "--json", "--home", tmp_path / "var", "try", *two_files, "--report", tmp_path / "r.html")
    assert done.code == 0, done.said
    assert set(tmp_path.iterdir()) - before == {tmp_path / "r.html"}
    assert json.loads(done.out)["memory_mib"] > 50
