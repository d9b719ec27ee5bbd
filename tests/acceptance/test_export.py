"""Exports: typed, exact, safe in a spreadsheet, and on from the last one without losing or repeating a row."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from getpass import getuser
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.errors import HubBusy, NothingFound, UsageError
from onefold.export.excel import Sheet, write_sheets, write_workbook
from onefold.export.formats import write_csv_for_excel
from onefold.export.parts import State, opened_state, save
from onefold.steps.export import ExportOptions, export
from tests.acceptance.conftest import fill
from tests.support.cli import CHECKOUT, onefold
from tests.support.hub import Hub
from warehouse.conditions import ConditionError
from warehouse.connect import connect
from warehouse.contract import describe
from warehouse.export import RoleRefused, snapshot, tables
from warehouse.roles import ensure_roles, grant_served

NASTY = '=HYPERLINK("http://evil.example","x")\nsecond "line"; a, b\\n'


@pytest.fixture
def nasty_hub(hub: Hub) -> Hub:
    """A hub whose texts hold what files and spreadsheets stumble over."""
    fill(hub)
    hub.registers["erp_customers"].append({"code": "C4", "kind": "company", "name": NASTY, "inn": "0411000155"})
    hub.registers["erp_orders"].append({"no": "+7-SUM(A1)", "customer": "C4", "date": "2026-02-07", "total": "-12.345"})
    for name in hub.registers:
        hub.write(name)
    hub.run()
    with connect(hub.database_url, application_name="test") as conn:
        conn.execute("UPDATE core.interaction SET summary = %s WHERE document_number = 'SO-1'", [NASTY])
    return hub


def exported(hub: Hub, folder: Path, *views: str, **options: Any) -> Any:
    with hub.context() as context:
        return export(context, views, folder, ExportOptions(**options))


def test_parquet_has_the_types_of_the_views_and_every_value(nasty_hub: Hub, tmp_path: Path) -> None:
    report = exported(nasty_hub, tmp_path / "out", "dim_party", "fct_interaction", "client_field_lineage")
    party = pq.read_table(tmp_path / "out/dim_party.parquet")
    assert party.schema.field("client_id").type == pa.string()
    assert party.schema.field("emails").type == pa.list_(pa.string())
    assert party.schema.field("birth_date").type == pa.date32()
    assert party.schema.field("valid_from").type == pa.timestamp("us", "UTC")
    facts = pq.read_table(tmp_path / "out/fct_interaction.parquet")
    assert pa.types.is_decimal128(facts.schema.field("amount").type)
    rows = nasty_hub.query(
        "SELECT client_id::text, display_name, birth_date, emails, valid_from, inn, is_deleted FROM onefold_v1.dim_party"
    )
    names = ["client_id", "display_name", "birth_date", "emails", "valid_from", "inn", "is_deleted"]
    found = [tuple(row[name] for name in names) for row in party.to_pylist()]
    assert sorted(found, key=str) == sorted(rows, key=str)
    summaries = {row["document_number"]: row["summary"] for row in facts.to_pylist()}
    assert summaries["SO-1"] == NASTY
    amounts = {row["document_number"]: row["amount"] for row in facts.to_pylist() if row["document_number"]}
    assert amounts["+7-SUM(A1)"] == Decimal("-12.345") and amounts["SO-1"] == Decimal("1500.50")
    assert [one.rows for one in report.views][:2] == [party.num_rows, facts.num_rows]
    assert [file.name for file in (tmp_path / "out").iterdir() if file.name.startswith(".")] == []


def test_csv_is_read_back_as_it_was(nasty_hub: Hub, tmp_path: Path) -> None:
    done = onefold(
        "export", "dim_party", "--to", tmp_path / "out", "--format", "csv", "--json",
        environ={"ONEFOLD_DATABASE_URL": nasty_hub.database_url, "ONEFOLD_CONFIG": str(nasty_hub.folder / "config")},
    )  # fmt: skip
    assert done.code == 0, done.err
    data = (tmp_path / "out/dim_party.csv").read_bytes()
    assert data.startswith(b"client_id,") and data.endswith(b"\r\n") and not data.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "out/dim_party.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    stored = nasty_hub.query("SELECT client_id::text, display_name, is_deleted, emails FROM onefold_v1.dim_party")
    assert len(rows) == len(stored) == done.json["views"][0]["rows"]
    by_id = {row["client_id"]: row for row in rows}
    for client_id, name, is_deleted, emails in stored:
        row = by_id[client_id]
        assert (row["display_name"], row["is_deleted"]) == (name, str(is_deleted).lower())
        assert json.loads(row["emails"] or "null") == emails
    exported(nasty_hub, tmp_path / "out", "fct_interaction", format="csv")
    with (tmp_path / "out/fct_interaction.csv").open(newline="", encoding="utf-8") as file:
        summaries = {row["document_number"]: row["summary"] for row in csv.DictReader(file, strict=True)}
    assert summaries["SO-1"] == NASTY


def test_a_workbook_has_types_and_no_formula(nasty_hub: Hub, tmp_path: Path) -> None:
    exported(nasty_hub, tmp_path, "dim_party", "fct_interaction", format="xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "dim_party.xlsx")["dim_party"]
    heads = [cell.value for cell in sheet[1]]
    cells = {
        head: [row[at] for row in sheet.iter_rows(min_row=2)] for at, head in enumerate(heads) if isinstance(head, str)
    }
    assert not {cell.data_type for column in cells.values() for cell in column} & {"f", "e"}
    (evil,) = [cell for cell in cells["display_name"] if str(cell.value).startswith("=")]
    assert evil.data_type in ("s", "inlineStr") and evil.quotePrefix
    assert {cell.value for cell in cells["inn"]} >= {"7707083893", "0411000155"}
    assert {cell.value for cell in cells["phone"]} >= {"+79165550101"}
    assert any(isinstance(cell.value, datetime) for cell in cells["birth_date"])
    assert all(isinstance(cell.value, bool) for cell in cells["is_deleted"])
    facts = openpyxl.load_workbook(tmp_path / "fct_interaction.xlsx").active
    assert facts is not None
    rows = list(facts.iter_rows(values_only=True))
    record, amount, number = (rows[0].index(name) for name in ("record_id", "amount", "document_number"))
    assert all(isinstance(row[record], str) for row in rows[1:]), "64 bits do not fit into a cell's number"
    assert {row[number]: row[amount] for row in rows[1:]}["+7-SUM(A1)"] == -12.345


def test_cells_of_a_workbook_are_exact_or_text(tmp_path: Path) -> None:
    amount = Decimal("99999999999999.99")  # as a float it would come back as ...99.98
    moment, day = datetime.fromisoformat("2026-02-02 13:45:07"), datetime.fromisoformat("1900-03-01")
    rows = [
        (amount, date(1899, 12, 31), datetime.fromisoformat("1812-09-07 05:30:00"), "=1+1", None),
        (Decimal("-0.010000"), day.date(), moment, "00123", True),
        (Decimal("NaN"), None, None, "#N/A", 0.5),
    ]
    write_sheets(tmp_path / "w.xlsx", (Sheet("a", ("n", "day", "at", "text", "any"), rows), Sheet("b", ("x",), ())))
    with zipfile.ZipFile(tmp_path / "w.xlsx") as parts:
        assert f"<v>{amount}</v>" in parts.read("xl/worksheets/sheet1.xml").decode()
    assert [one.name for one in tmp_path.iterdir()] == ["w.xlsx"], "rows that waited beside it are gone"
    book = openpyxl.load_workbook(tmp_path / "w.xlsx")
    assert [sheet.max_row for sheet in book] == [4, 1]
    _, *told = book["a"].iter_rows(values_only=True)
    assert told[0][1:] == ("1899-12-31", "1812-09-07 05:30:00", "=1+1", None), "Excel knows no day before 1900"
    assert told[1] == (-0.01, day, moment, "00123", True)
    assert told[2] == ("NaN", None, None, "#N/A", 0.5)
    assert {cell.data_type for row in book["a"].iter_rows() for cell in row} <= {"s", "n", "d", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "<r>a & b</r>",
        '<r><t>a</t></r></is></c><c r="B2"><f>1+1</f></c><c r="C2" t="inlineStr"><is><r><t>z</t></r>',
        "<r></r>",
        "\U0001f642" * 20_000,
    ],
    ids=["rich text", "a formula", "nothing", "two for one"],
)
def test_no_text_of_a_client_becomes_a_part_of_the_workbook(tmp_path: Path, text: str) -> None:
    write_sheets(tmp_path / "w.xlsx", (Sheet("a", ("text", "next"), [(text, "safe")]),))
    book = openpyxl.load_workbook(tmp_path / "w.xlsx")
    _, told = book["a"].iter_rows(values_only=True)
    assert told in ((text, "safe"), (text[:16_383], "safe"))
    assert {cell.data_type for row in book["a"].iter_rows() for cell in row} == {"s"}


def test_a_workbook_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "w.xlsx").mkdir()
    with pytest.raises(IsADirectoryError):
        write_sheets(tmp_path / "w.xlsx", (Sheet("a", ("x",), [(1,)]),))


def test_csv_for_a_russian_excel(nasty_hub: Hub, tmp_path: Path) -> None:
    exported(nasty_hub, tmp_path, "fct_interaction", "dim_party", format="csv", excel_ru=True)
    data = (tmp_path / "fct_interaction.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfrecord_id;")
    with (tmp_path / "fct_interaction.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row["document_number"]: row for row in csv.DictReader(file, delimiter=";", strict=True)}
    assert rows["SO-1"]["amount"] == "1500,50" and rows["SO-1"]["occurred_on"] == "02.02.2026"
    assert rows["SO-1"]["is_deleted"] == "ЛОЖЬ"
    assert rows["'+7-SUM(A1)"]["amount"] == "-12,345", "a number may be negative, a text may not calculate"
    with (tmp_path / "dim_party.csv").open(newline="", encoding="utf-8-sig") as file:
        parties = list(csv.DictReader(file, delimiter=";", strict=True))
    values = [value for row in parties for value in row.values()]
    assert [value for value in values if value.startswith(("=", "+", "@", "\t", "\r"))] == []
    assert "'0411000155" in values and "'+79165550101" in values


def test_more_rows_than_a_sheet_holds_go_on_further_sheets_and_files(nasty_hub: Hub, tmp_path: Path) -> None:
    with nasty_hub.context() as context, context.connection() as conn:
        view = describe(conn).view("dim_party")
        assert view is not None and view.rows > 3
        made = write_workbook(view, tables(conn, view, None), tmp_path / "w.xlsx", rows_of_a_sheet=3)
        assert made.sheets == -(-view.rows // 2) and made.rows == view.rows
        book = openpyxl.load_workbook(tmp_path / "w.xlsx")
        assert [sheet.max_row <= 3 for sheet in book] == [True] * made.sheets
        assert sum(sheet.max_row - 1 for sheet in book) == view.rows
        (tmp_path / "p-9.csv").touch()
        rows, files = write_csv_for_excel(conn, view, None, tmp_path / "p.csv", advance=lambda _n: None, limit=3)
    assert rows == view.rows and len(files) == made.sheets
    lines = []
    for file in files:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            head, *rest = csv.reader(opened, delimiter=";")
        assert head[0] == "client_id" and 1 <= len(rest) <= 2
        lines += rest
    assert len({line[0] for line in lines}) == view.rows


def test_what_excel_cannot_hold_is_cut_and_counted(nasty_hub: Hub, tmp_path: Path) -> None:
    with nasty_hub.context() as context, context.connection() as conn:
        view = describe(conn).view("dim_interaction_type")
        assert view is not None
        (piece,) = tables(conn, view, None)
        at = piece.schema.get_field_index("label_en")
        piece = piece.set_column(at, piece.schema.field(at), [["bell \x07 " + "x" * 40_000] * piece.num_rows])
        made = write_workbook(view, iter([piece]), tmp_path / "w.xlsx")
    assert made.cut == piece.num_rows
    value = openpyxl.load_workbook(tmp_path / "w.xlsx").active.cell(2, at + 1).value
    assert len(value) == 32_767 and value.startswith("bell \ufffd")


def replay(folder: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What a reader of the parts has: rows replaced by key, part by part."""
    state = json.loads((folder / "state.json").read_text())
    assert sorted(state["parts"]) == state["parts"]
    assert {f"{folder.name}-" + part.split("-", 1)[1] for part in state["parts"]} == {
        p.name for p in folder.glob("*.parquet")
    }
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    versions: list[tuple[Any, ...]] = []
    for part in state["parts"]:
        for row in pq.read_table(folder / part).to_pylist():
            key = tuple(row[name] for name in state["replace_by"])
            rows[key] = row
            versions.append((key, row["changed_seq"]))
    assert len(set(versions)) == len(versions), "no version of a row stands in two parts"
    return rows


def whole(hub: Hub, folder: Path, view: str, key: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    exported(hub, folder, view)
    rows = pq.read_table(folder / f"{view}.parquet").to_pylist()
    return {tuple(row[name] for name in key): row for row in rows}


def test_parts_put_together_are_the_view_after_any_changes(ready_hub: Hub, tmp_path: Path) -> None:
    views = ("dim_party", "fct_interaction", "xref_client_record", "bridge_relationship")
    hub, lake = ready_hub, tmp_path / "lake"
    first = exported(hub, lake, *views, "dim_interaction_type", incremental=True)
    again = exported(hub, lake, *views, incremental=True)
    assert all(one.rows for one in first.views) and [one.rows for one in again.views] == [0] * len(views)
    hub.registers["crm_contacts"][1]["phone"] = "+7 903 555-77-77"
    hub.registers["erp_customers"][0]["inn"] = "5003052454"  # C1 moves from one firm to the other
    del hub.registers["erp_orders"][1]
    hub.registers["erp_orders"].append({"no": "SO-9", "customer": "C3", "date": "2026-01-01", "total": "1"})
    for name in hub.registers:
        hub.write(name)
    hub.run()
    changed = exported(hub, lake, *views, "dim_interaction_type", incremental=True)
    assert 0 < changed.views[0].rows < first.views[0].rows + 3 and changed.views[1].rows > 0
    for view, key in zip(views, ("client_id", "record_id", "record_id", "relationship_key"), strict=True):
        assert replay(lake / view) == whole(hub, tmp_path / "whole", view, (key,)), view
    assert any(row["is_deleted"] for row in replay(lake / "fct_interaction").values())
    assert (lake / "dim_interaction_type.parquet").is_file(), "what carries no changes is written whole"
    since = exported(hub, tmp_path / "since", "fct_interaction", since=first.changed_seq, format="csv")
    assert since.views[0].rows == changed.views[1].rows


KILLED = """
import sys
from pathlib import Path
from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps.export import ExportOptions, export
settings = Settings.from_environment({}, dict(home=sys.argv[1], config=sys.argv[2], database_url=sys.argv[3]))
with open_context(settings, environ={}) as context:
    export(context, ["dim_party"], Path(sys.argv[4]), ExportOptions(incremental=True, part_rows=20))
"""


def killed_after(hub: Hub, lake: Path, parts: int) -> bool:
    """Export in a process that is killed when so many more parts are there; False when it ended before."""
    folder = lake / "dim_party"
    wanted = len(list(folder.glob("*.parquet"))) + parts
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            KILLED,
            str(hub.folder / "var"),
            str(hub.folder / "config"),
            hub.database_url,
            str(lake),
        ],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    while process.poll() is None:
        if len(list(folder.glob("*.parquet"))) >= wanted:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.0005)
    return process.wait(30) == -signal.SIGKILL


def test_an_export_that_was_killed_loses_nothing_and_repeats_nothing(hub: Hub, tmp_path: Path) -> None:
    fill(hub)
    for number in range(100, 700):
        hub.registers["crm_contacts"].append(
            {
                "id": str(number),
                "first": "Иван",
                "last": f"Петров{number}",
                "born": "1980-01-01",
                "emails": f"p{number}@example.ru",
            }
        )
    hub.write("crm_contacts")
    hub.run()
    lake, kills = tmp_path / "lake", 0
    for round_ in range(5):
        kills += killed_after(hub, lake, parts=1 + 2 * round_)
        for record in hub.registers["crm_contacts"][10 * round_ : 10 * round_ + 40]:
            record["last"] += "а"
        hub.write("crm_contacts")
        hub.run()
    assert kills >= 3
    exported(hub, lake, "dim_party", incremental=True, part_rows=20)
    assert replay(lake / "dim_party") == whole(hub, tmp_path / "whole", "dim_party", ("client_id",))
    assert [path.name for path in (lake / "dim_party").iterdir() if path.name.endswith(".tmp")] == []


@pytest.fixture
def reader_hub(ready_hub: Hub) -> Iterator[tuple[Hub, str]]:
    with connect(ready_hub.database_url, application_name="test") as conn:
        ensure_roles(conn)
        yield ready_hub, grant_served(conn).names.reader


def test_as_reader_sees_what_the_reader_sees(reader_hub: tuple[Hub, str], tmp_path: Path) -> None:
    hub, reader = reader_hub
    assert exported(hub, tmp_path, "dim_party", role="reader").views[0].rows > 0
    with connect(hub.database_url, application_name="test") as conn:
        conn.execute(f'REVOKE SELECT ON onefold_v1.fct_promise FROM "{reader}"')
        with snapshot(conn, "reader"):
            assert conn.execute("SELECT current_user::text, current_setting('transaction_read_only')").fetchone() == (
                reader,
                "on",
            )
        assert conn.execute("SELECT current_user::text").fetchone() != (reader,)
    done = onefold(
        "export", "fct_promise", "--to", tmp_path, "--as", "reader",
        environ={"ONEFOLD_DATABASE_URL": hub.database_url, "ONEFOLD_CONFIG": str(hub.folder / "config")},
    )  # fmt: skip
    assert done.code == 6 and "permission denied" in done.err
    with pytest.raises(RoleRefused, match="nobody_such"):
        exported(hub, tmp_path, "dim_party", role="nobody_such")


def test_only_rows_that_a_condition_holds_for_with_the_readers_rights(
    reader_hub: tuple[Hub, str], tmp_path: Path
) -> None:
    hub, _ = reader_hub

    def names(where: str, form: str = "parquet", **options: Any) -> list[str]:
        exported(hub, tmp_path, "dim_party", where=where, format=form, **options)
        if form == "parquet":
            return sorted(row["display_name"] for row in pq.read_table(tmp_path / "dim_party.parquet").to_pylist())
        if form == "csv":
            with (tmp_path / "dim_party.csv").open(newline="", encoding="utf-8-sig") as file:
                delimiter = ";" if options.get("excel_ru") else ","
                return sorted(row["display_name"] for row in csv.DictReader(file, delimiter=delimiter))
        rows = list(openpyxl.load_workbook(tmp_path / "dim_party.xlsx")["dim_party"].iter_rows(values_only=True))
        return sorted(str(row[rows[0].index("display_name")]) for row in rows[1:])

    found = hub.query("SELECT display_name FROM onefold_v1.dim_party WHERE kind = 'person' AND NOT is_deleted")
    people = sorted(row[0] for row in found)
    assert len(people) == 3
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("parquet", {}), ("csv", {}), ("csv", {"excel_ru": True}), ("xlsx", {}), ("csv", {"role": "reader"}),
    )  # fmt: skip
    for form, options in forms:
        assert names("kind = 'person' and not is_deleted", form, **options) == people
    kern = [one for one in people if "Керн" in one]
    assert names("emails has 'anna.kern@example.ru' and birth_date < '2000-01-01'") == kern
    assert len(names("display_name ilike '%чайк%' or inn = '7707083893'")) == 2
    assert names("display_name = '''; DROP TABLE core.client; --'") == []
    with pytest.raises(UsageError, match="does not fit dim_party"):
        names("birth_date = 'yesterday or so'")
    with pytest.raises(UsageError, match="does not fit dim_party"):
        names("display_name = 5 or display_name has 'x'", "csv")
    with pytest.raises(ConditionError, match="no column summary"):
        exported(hub, tmp_path / "none", "fct_interaction", "dim_party", where="summary is null")
    assert not (tmp_path / "none").exists()
    with pytest.raises(UsageError, match="do not go together"):
        exported(hub, tmp_path, "dim_party", where="kind = 'person'", incremental=True)
    done = onefold(
        "export", "dim_party", "--to", tmp_path, "--where", "kind = 'person'; DROP TABLE core.client",
        environ={"ONEFOLD_DATABASE_URL": hub.database_url, "ONEFOLD_CONFIG": str(hub.folder / "config")},
    )  # fmt: skip
    assert done.code == 2 and "character 16" in done.err
    logged = hub.query("SELECT who, how, scope, row_count, client_id FROM ops.access_log ORDER BY access_id")
    assert logged[0] == (getuser(), "export where", "dim_party", 3, None)
    # One that did not end has no count; what people asked for is not in it.
    assert [row[3] for row in logged if row[3] is None] == [None] * 2
    assert not any("anna" in str(row) for row in logged)


def test_the_access_log_says_who_took_which_view_when_and_how_many_rows(ready_hub: Hub, tmp_path: Path) -> None:
    with ready_hub.context() as context:
        report = export(context, ["dim_party", "fct_*"], tmp_path, ExportOptions(), "ada")
    logged = ready_hub.query("SELECT who, how, scope, row_count, at IS NOT NULL FROM ops.access_log ORDER BY access_id")
    assert logged == [("ada", "export", one.view, one.rows, True) for one in report.views] and len(logged) > 5


def test_wrong_calls_say_what_to_do(ready_hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="dim_client"):
        exported(ready_hub, tmp_path, "dim_clients")
    with pytest.raises(UsageError, match="--format csv"):
        exported(ready_hub, tmp_path, "dim_client", excel_ru=True)
    with pytest.raises(UsageError, match="cannot be read on"):
        exported(ready_hub, tmp_path, "dim_interaction_type", since=3)
    exported(ready_hub, tmp_path, "dim_client", incremental=True)
    with pytest.raises(UsageError, match="holds parquet"):
        exported(ready_hub, tmp_path, "dim_client", incremental=True, format="csv")
    other = State("dim_client", "parquet", role="reader")
    with pytest.raises(UsageError, match="was read as the hub itself"), opened_state(tmp_path / "dim_client", other):
        pass
    with opened_state(tmp_path / "dim_client", State("dim_client", "parquet")) as found:
        save(tmp_path / "dim_client", replace(found, changed_seq=10**9))
    with pytest.raises(UsageError, match="the hub has come to"):
        exported(ready_hub, tmp_path, "dim_client", incremental=True)
    with opened_state(tmp_path / "dim_client", State("dim_client", "parquet")), pytest.raises(HubBusy):
        exported(ready_hub, tmp_path, "dim_client", incremental=True)
