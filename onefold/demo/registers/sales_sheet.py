"""The sales department's spreadsheet: a title above, a totals row below, no key, telephones as numbers."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from onefold.demo.companies import Organisation, loose_name
from onefold.demo.people import Person, with_initials, write_name
from onefold.demo.society import STORY, TODAY, Society
from onefold.demo.trade import FIRST_DAY

FILE = "sales.xlsx"
SHEET = "Предложения"
COLUMNS = (
    "Дата", "Тип", "Клиент", "Контактное лицо", "Телефон", "E-mail", "ИНН", "Город", "Интерес",
    "Сумма предложения", "Менеджер",
)  # fmt: skip
HEADER_ROW = 4

SheetRow = list[Any]


def sheet_rows(seed: int, society: Society) -> list[tuple[str, SheetRow]]:
    """Entity and cells of every row, in the order in which the managers wrote them."""
    rng = Random(f"{seed}:sales_sheet")
    drafts: list[str] = []
    for entity in society.knows("sales_sheet", "O") + society.knows("sales_sheet", "P"):
        drafts.extend([entity] * (1 + (rng.random() < 0.22) + (entity == STORY)))
    rng.shuffle(drafts)
    days = sorted(rng.randrange((TODAY - FIRST_DAY).days) for _ in drafts)
    rows = []
    for entity, offset in zip(drafts, days, strict=True):
        on = FIRST_DAY + timedelta(days=offset)
        if entity[0] == "O":
            cells = _firm(rng, society, society.organisations[entity])
        else:
            cells = _person(rng, society.persons[entity])
        interest = rng.choice(("насосы", "запчасти", "сервис", "Pumpen", "трубы"))
        manager = rng.choice(("Лапина", "Grün", "Осокин", "лапина"))
        rows.append(
            (
                entity,
                [
                    on,
                    *cells,
                    interest,
                    rng.randint(20, 4000) * 1000,
                    manager,
                ],
            )
        )
    return rows


def write_sheet(folder: Path, rows: list[SheetRow]) -> None:
    """Write `sales.xlsx` with the same bytes for the same rows."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet["A1"] = "Предложения и визиты отдела продаж"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.merge_cells("A1:K1")
    sheet["A2"] = f"выгружено {TODAY:%d.%m.%Y}, правил: Лапина"
    for column, title in enumerate(COLUMNS, 1):
        sheet.cell(HEADER_ROW, column, title).font = Font(bold=True)
    for row in rows:
        sheet.append(row)
    total = HEADER_ROW + len(rows) + 1
    sheet.cell(total, 1, "Итого").font = Font(bold=True)
    sheet.cell(total, COLUMNS.index("Сумма предложения") + 1, sum(row[-2] for row in rows))
    buffer = io.BytesIO()
    book.save(buffer)
    (folder / FILE).write_bytes(_without_clock(buffer.getvalue()))


def read_sheet(folder: Path) -> list[SheetRow]:
    """The rows between header and totals, as cells."""
    from openpyxl import load_workbook

    book = load_workbook(folder / FILE, read_only=True)
    try:
        rows = [list(row) for row in book[SHEET].iter_rows(min_row=HEADER_ROW + 1, values_only=True)]
    finally:
        book.close()
    # A day comes back with a midnight that was never written.
    days = [[cell.date() if isinstance(cell, datetime) else cell for cell in row] for row in rows]
    return [row for row in days if row[0] != "Итого"]


def _without_clock(data: bytes) -> bytes:
    """The workbook without the time of its making, so that a seed always gives the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for item in sorted(old.namelist()):
            content = old.read(item)
            if item == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-12-31T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(item, (2025, 12, 31, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _phone_cell(number: str) -> float | str:
    # Excel takes a number for a number; calls abroad are typed with a space, which keeps them text.
    return float(number.lstrip("+")) if number.startswith("+7") else f"{number[:3]} {number[3:]}"


def _firm(rng: Random, society: Society, firm: Organisation) -> SheetRow:
    people = [society.persons[entity] for entity in society.contacts.get(firm.entity_id, ())]
    person = rng.choice(people) if people and rng.random() < 0.7 else None
    sure = firm.entity_id == STORY
    inn = firm.inn if firm.inn and (sure or rng.random() < 0.3) else None
    email = firm.email if sure or rng.random() < 0.45 else None
    phone = _phone_cell(firm.switchboard) if not email or rng.random() < 0.6 else None
    contact = with_initials(write_name(rng, person, care=0.95, middle=1.0)) if person else None
    return [
        "юр",
        loose_name(rng, firm),
        contact,
        phone,
        email,
        float(inn) if inn else None,
        firm.address.city.name,
    ]


def _person(rng: Random, person: Person) -> SheetRow:
    name = write_name(rng, person, care=0.8, middle=0.5)
    written = with_initials(name) if rng.random() < 0.2 else name.full(family_first=True)
    phone = _phone_cell(person.mobile) if rng.random() < 0.85 else None
    email = person.email if phone is None or rng.random() < 0.3 else None
    return ["физ", None, written, phone, email, None, person.address.city.name]
