"""What `change` does at the sources, and that the truth follows it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from onefold.demo import Changes, World, change, crm_server, generate, load_world
from onefold.demo.change import INVOICE_NO, NEW_CLIENT, NEW_EMAIL, NEW_EVENT, ORDER_NO
from onefold.demo.generate import sheet_keys
from onefold.demo.registers import accounting
from onefold.demo.registers.crm import load_store
from onefold.demo.registers.sales_sheet import read_sheet
from onefold.demo.society import STORY
from onefold.demo.world import read_documents, read_truth

SEED = 7


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("before"), seed=SEED, scale=0.5)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Changes]:
    world = generate(tmp_path_factory.mktemp("after"), seed=SEED, scale=0.5)
    return world, change(world.folder, SEED)


def key(record: str) -> str:
    return record.split(":", 2)[2]


def test_something_is_edited_added_and_deleted_in_every_register(changed: tuple[World, Changes]) -> None:
    _, changes = changed
    assert {one.record.split(":")[0] for one in changes.changes} == {
        "crm", "erp", "accounting", "service_desk", "sales_sheet",
    }  # fmt: skip
    assert all(changes.count(action) for action in ("edited", "added", "deleted"))
    assert all(set(one.what) == {"en", "ru"} for one in changes.changes)


def test_truth_follows_the_changes_and_nothing_else(before: World, changed: tuple[World, Changes]) -> None:
    world, changes = changed
    old, new = read_truth(before.folder), read_truth(world.folder)
    gone = {one.record for one in changes.changes if one.action == "deleted"}
    assert gone <= old.keys() - new.keys()
    assert all(record.startswith("sales_sheet:") for record in old.keys() - new.keys() - gone)
    assert len([record for record in old.keys() - new.keys() if record.startswith("sales_sheet:")]) == 1
    added = new.keys() - old.keys()
    assert {new[record] for record in added} == {STORY, NEW_CLIENT}
    assert [key(r) for r in new if r.startswith("sales_sheet:")] == sorted(sheet_keys(world.folder))
    assert load_world(world.folder) == changes.world


def test_a_new_sale_stands_in_three_registers_with_one_amount(before: World, changed: tuple[World, Changes]) -> None:
    world, changes = changed
    documents = {record for record, event in read_documents(world.folder).items() if event == NEW_EVENT}
    assert {record.split(":")[0] for record in documents} == {"crm", "erp", "accounting"}
    grown = changes.world.planted_turnover["RUB"] - before.planted_turnover["RUB"]
    assert grown == changes.turnover_added["RUB"] == Decimal("12345.67")
    with closing(sqlite3.connect(world.folder / "erp.sqlite")) as connection:
        (total,) = connection.execute("SELECT total FROM orders WHERE order_no = ?", (ORDER_NO,)).fetchone()
    deal = load_store(world.folder)["deals"][-1]
    invoice = next(row for row in accounting.read_table(world.folder, accounting.INVOICES) if row[0] == INVOICE_NO)
    assert (repr(total), repr(deal["amount"]), invoice[3]) == ("12345.67", "12345.67", "12345,67")


def test_two_cards_of_one_person_come_to_share_a_telephone(before: World, changed: tuple[World, Changes]) -> None:
    world, _ = changed

    def cards(folder: Path) -> list[tuple[set[str], set[str]]]:
        contacts = {str(record["id"]): record for record in load_store(folder)["contacts"]}
        return [
            (
                {phone["value"] for phone in contacts[key(record)]["phones"]},
                {email["value"] for email in contacts[key(record)]["emails"]},
            )
            for record in world.plot.apart
        ]

    (phones_a, emails_a), (phones_b, emails_b) = cards(before.folder)
    assert not phones_a & phones_b
    assert not emails_a & emails_b
    (phones_a, _), (phones_b, _) = cards(world.folder)
    assert phones_a == phones_b != set()


def test_deleted_records_are_gone_or_archived(changed: tuple[World, Changes]) -> None:
    world, _ = changed
    truth = read_truth(world.folder)
    with closing(sqlite3.connect(world.folder / "erp.sqlite")) as connection:
        found = connection.execute(
            "SELECT count(*) FROM customers WHERE customer_no = ?", (key(world.plot.closed),)
        ).fetchone()
    assert found == (0,)
    contact = next(
        record for record in load_store(world.folder)["contacts"] if str(record["id"]) == key(world.plot.leaver)
    )
    assert contact["archived"] is True
    assert not {world.plot.closed, world.plot.leaver} & truth.keys()


def test_a_mangled_inn_is_typed_in_anew(changed: tuple[World, Changes]) -> None:
    world, changes = changed
    repair = next(one for one in changes.changes if one.effect == "repair")
    row = next(
        row
        for row in accounting.read_table(world.folder, accounting.COUNTERPARTIES)
        if row[0] == key(world.plot.mended)
    )
    assert "E+11" in repair.old
    assert row[accounting.COUNTERPARTY_COLUMNS.index("ИНН")] == repair.new
    assert len(repair.new) == 12


def test_a_sorted_sheet_keeps_the_keys_of_its_rows(before: World, changed: tuple[World, Changes]) -> None:
    world, _ = changed
    old, new = sheet_keys(before.folder), sheet_keys(world.folder)
    assert len(set(old) - set(new)) == 1
    assert len(new) == len(old) + 1
    assert [k for k in new if k in set(old)] != [k for k in old if k in set(new)]
    assert len(read_sheet(world.folder)) == len(new)


def test_a_served_crm_shows_the_change_at_once(tmp_path: Path) -> None:
    world = generate(tmp_path, seed=SEED, scale=0.1)
    with (
        crm_server(world.folder, "token", error_rate=0.0, lifetime=60) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": "Bearer token"}) as client,
    ):
        since = {"updated_since": "2026-01-01T00:00:00Z"}
        assert client.get("companies", params=since).json()["results"] == []
        change(world.folder, SEED)
        companies = client.get("companies", params=since).json()["results"]
    assert NEW_EMAIL in {company["email"] for company in companies}


def test_a_world_changes_once_and_only_with_its_own_seed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        change(tmp_path, SEED)
    generate(tmp_path, seed=SEED, scale=0.05)
    with pytest.raises(RuntimeError, match="seed 7, not 8"):
        change(tmp_path, 8)
    change(tmp_path, SEED)
    with pytest.raises(RuntimeError, match="changed already"):
        change(tmp_path, SEED)


def test_changes_are_the_same_bytes_for_a_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        generate(tmp_path / name, seed=SEED, scale=0.1)
        change(tmp_path / name, SEED)
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name
