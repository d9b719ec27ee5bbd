"""What clients and dealings come of Bitrix24, amoCRM and MoySklad with the mapping that they ship."""

from __future__ import annotations

import json
from typing import Any

from onefold.mapping import Mapped
from tests.unit.onefold.mapping.conftest import values
from tests.unit.onefold.steps.conftest import Mapping
from warehouse.keys import record_id


def party(mapped: Mapped) -> list[Any]:
    return [one["party_record_id"] for one in mapped.interactions.to_pylist()]


def test_bitrix24_gives_phones_of_the_list_and_tax_numbers_of_the_requisites(mapped: Mapping) -> None:
    contact = values(mapped("bitrix24", "contacts"))
    assert contact["phone"] == ["+7 495 000-00-11"]
    assert contact["email"] == ["anna@romashka.test"]
    assert contact["middle_name"] == ["Ильинична"]
    company = values(mapped("bitrix24", "companies"))
    assert (company["inn"], company["kpp"]) == (["7707083893"], ["770701001"])
    assert company["legal_name"] == ['ООО "Ромашка"']


def test_bitrix24_deals_belong_to_the_company_or_to_the_contact_and_have_lines(mapped: Mapping) -> None:
    deals = mapped("bitrix24", "deals")
    assert party(deals) == [record_id("it", "companies", "21"), record_id("it", "contacts", "12")]
    assert [one["item_name"] for one in deals.lines.to_pylist()] == ["Ромашка садовая", "Лейка"]
    activities = mapped("bitrix24", "activities")
    ways = [(one["type"], one["direction"]) for one in activities.interactions.to_pylist()]
    assert ways == [("call", "outbound"), ("email", "inbound")]
    assert party(activities) == [record_id("it", "contacts", "11")] * 2


def test_amocrm_gives_fields_by_their_code_and_legal_entities(mapped: Mapping) -> None:
    contact = values(mapped("amocrm", "contacts"))
    assert (contact["phone"], contact["email"]) == (["+74950000101"], ["anna@romashka.test"])
    company = values(mapped("amocrm", "companies"))
    assert (company["inn"], company["kpp"], company["ogrn"]) == (["7707083893"], ["770701001"], ["1027700132195"])
    leads = mapped("amocrm", "leads")
    assert party(leads) == [record_id("it", "companies", "201"), record_id("it", "contacts", "102")]
    assert json.loads(leads.interactions.to_pylist()[1]["detail"])["reason_lost"] == "Дорого"


def test_moysklad_gives_roubles_promises_and_the_order_of_an_invoice(mapped: Mapping) -> None:
    orders = mapped("moysklad", "orders")
    first = orders.interactions.to_pylist()[0]
    assert (float(first["amount"]), first["currency"]) == (100500.0, "RUB")
    assert party(orders)[0] == record_id("it", "counterparties", "c1")
    (line,) = orders.lines.to_pylist()
    assert (line["item_code"], float(line["unit_price"])) == ("R-5", 100.5)
    assert [one["kind"] for one in orders.promises.to_pylist()] == ["delivery_date"]
    (invoice,) = mapped("moysklad", "invoices").interactions.to_pylist()
    assert invoice["parent_record_id"] == record_id("it", "orders", "o1")
