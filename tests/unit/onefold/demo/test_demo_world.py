"""The generated world: determinism, valid numbers, and a truth that fits its registers."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from collections import Counter, defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import phonenumbers
import pytest
from stdnum.de import vat as vat_de
from stdnum.gb import vat as vat_gb
from stdnum.ru import inn, ogrn

from onefold.demo import World, generate, load_world
from onefold.demo.generate import sheet_keys
from onefold.demo.registers.accounting import (
    COUNTERPARTIES,
    COUNTERPARTY_COLUMNS,
    INVOICE_COLUMNS,
    INVOICES,
    read_table,
)
from onefold.demo.registers.crm import load_store
from onefold.demo.society import REGISTERS, STORY, build_society
from onefold.demo.world import read_documents, read_truth


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("world"), seed=7)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_one_seed_gives_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    generate(tmp_path / "a", seed=3, scale=0.1)
    time.sleep(1.1)  # workbooks would tell the second of their making
    generate(tmp_path / "b", seed=3, scale=0.1)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    generate(tmp_path / "a", seed=3, scale=0.1)
    generate(tmp_path / "b", seed=4, scale=0.1)
    a, b = bytes_of(tmp_path / "a"), bytes_of(tmp_path / "b")
    assert a.keys() == b.keys()
    assert not [name for name in a if a[name] == b[name]]


def test_a_world_comes_back_from_its_folder_as_it_was(world: World) -> None:
    assert load_world(world.folder) == world


def test_about_five_thousand_records_and_nine_thousand_interactions(world: World) -> None:
    assert 4_700 <= sum(world.records.values()) <= 5_700
    assert 8_000 <= sum(world.interactions.values()) <= 10_500


def test_truth_names_every_record_of_a_client_exactly_once(world: World) -> None:
    with world.truth.open(encoding="utf-8", newline="") as file:
        ids = [row["record_id"] for row in csv.DictReader(file)]
    assert len(ids) == len(set(ids))
    store = load_store(world.folder)
    with closing(sqlite3.connect(world.folder / "erp.sqlite")) as connection:
        customers = [f"erp:customers:{key}" for (key,) in connection.execute("SELECT customer_no FROM customers")]
    entries = [
        json.loads(line)
        for path in sorted((world.folder / "service_desk").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    found = [
        *(f"crm:contacts:{record['id']}" for record in store["contacts"]),
        *(f"crm:companies:{record['id']}" for record in store["companies"]),
        *customers,
        *(f"accounting:counterparties:{row[0]}" for row in read_table(world.folder, COUNTERPARTIES)),
        *(f"service_desk:requesters:{entry['id']}" for entry in entries),
        *(f"sales_sheet:offers:{key}" for key in sheet_keys(world.folder)),
    ]
    assert sorted(found) == sorted(ids)
    assert Counter(record.rsplit(":", 1)[0] for record in found) == world.records


def test_every_number_of_an_authority_has_its_check_digits() -> None:
    society = build_society(11, 0.5)
    for firm in society.organisations.values():
        if firm.country == "RU":
            inn.validate(firm.inn)
            ogrn.validate(firm.ogrn)
            assert len(firm.inn) == (12 if firm.form == "ИП" else 10)
            assert all(len(branch.kpp) == 9 and branch.kpp != firm.kpp for branch in firm.branches)
        elif firm.country == "DE":
            vat_de.validate(firm.vat)
        else:
            vat_gb.validate(firm.vat)
    for person in society.persons.values():
        if person.country == "RU":
            inn.validate(person.inn)


def test_telephones_are_valid_however_they_are_written(world: World) -> None:
    for contact in load_store(world.folder)["contacts"]:
        for phone in contact["phones"]:
            number = phonenumbers.parse(phone["value"], "RU")
            assert phonenumbers.is_valid_number(number), phone["value"]


def test_documents_of_one_event_share_their_amount_and_the_turnover_is_planted(world: World) -> None:
    amounts: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    currency: dict[str, str] = {}
    documents = read_documents(world.folder)

    def note(record: str, amount: str, unit: str) -> None:
        if (event := documents.get(record)) is not None:
            amounts[event][record.split(":", maxsplit=1)[0]] = Decimal(amount).quantize(Decimal("0.01"))
            currency[event] = unit

    for deal in load_store(world.folder)["deals"]:
        note(f"crm:deals:{deal['id']}", repr(deal["amount"]), deal["currency"])
    with closing(sqlite3.connect(world.folder / "erp.sqlite")) as connection:
        for number, total, unit in connection.execute("SELECT order_no, total, currency FROM orders"):
            note(f"erp:orders:{number}", repr(total), unit)
        lines = dict(connection.execute("SELECT order_no, round(sum(amount), 2) FROM order_lines GROUP BY 1"))
        totals = dict(connection.execute("SELECT order_no, total FROM orders"))
    for row in read_table(world.folder, INVOICES):
        invoice = dict(zip(INVOICE_COLUMNS, row, strict=True))
        note(f"accounting:invoices:{invoice['Номер']}", invoice["Сумма"].replace(",", "."), invoice["Валюта"])
    assert lines == totals
    assert sum(len(places) for places in amounts.values()) == len(documents)
    assert all(len(set(places.values())) == 1 for places in amounts.values())
    mirrored = [event for event, places in amounts.items() if set(places) == {"crm", "erp", "accounting"}]
    assert len(mirrored) == world.mirrored_orders == round(world.orders * 0.6)
    turnover: Counter[str] = Counter()
    for event, places in amounts.items():
        turnover[currency[event]] += int(next(iter(places.values())) * 100)
    assert {unit: Decimal(cents) / 100 for unit, cents in turnover.items()} == world.planted_turnover


def test_the_storys_client_stands_in_all_five_registers(world: World) -> None:
    truth = read_truth(world.folder)
    assert tuple(world.story.records) == REGISTERS
    for records in world.story.records.values():
        assert records
        assert all(truth[record] == STORY for record in records)
    needed = {"crm:deals", "erp:orders", "erp:deliveries", "accounting:invoices", "accounting:payments"}
    assert needed | {"service_desk:tickets", "service_desk:complaints"} <= world.story.interactions.keys()


def test_accounting_is_cp1251_with_semicolons_and_some_of_it_went_through_excel(world: World) -> None:
    data = (world.folder / "accounting" / COUNTERPARTIES).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(data.decode("cp1251"), newline=""), delimiter=";"))
    assert tuple(rows[0]) == COUNTERPARTY_COLUMNS
    assert any("E+11" in row["ИНН"] for row in rows)
    assert any(len(row["ИНН"]) == 9 for row in rows)
    branches = defaultdict(set)
    for row in rows:
        branches[row["ИНН"]].add(row["КПП"])
    assert any(inn and len(codes - {""}) > 1 for inn, codes in branches.items())


def test_namesakes_share_a_name_and_nothing_that_identifies(world: World) -> None:
    society = build_society(world.seed, world.scale)
    by_name = defaultdict(list)
    for person in society.persons.values():
        by_name[person.given, person.family].append(person)
    groups = [people for people in by_name.values() if len(people) > 1]
    assert world.namesakes > 30
    for people in groups:
        for values in (
            [p.mobile for p in people],
            [p.email for p in people],
            [p.inn for p in people if p.inn],
        ):
            assert len(values) == len(set(values))


def test_suppliers_staff_and_own_firms_stand_among_the_clients(world: World) -> None:
    assert world.roles["supplier"] >= 50
    assert world.roles["staff"] >= 10
    assert world.roles["own"] == 3


def test_a_tenth_of_the_world_is_a_world_too(tmp_path: Path) -> None:
    small = generate(tmp_path, seed=5, scale=0.1)
    assert 450 <= sum(small.records.values()) <= 800
    assert all(small.story.records[register] for register in REGISTERS)
