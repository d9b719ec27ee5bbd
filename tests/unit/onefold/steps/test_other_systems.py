"""What clients and dealings come of SAP Business One, ERPNext, Dolibarr, QuickBooks and HubSpot by their own mapping."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from onefold.mapping import Mapped
from tests.unit.onefold.steps.conftest import Mapping
from warehouse.keys import record_id


def facts(mapped: Mapped) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mapped.interactions.to_pylist()
    return found


def money(fact: dict[str, Any]) -> tuple[float, str]:
    return float(fact["amount"]), fact["currency"]


def test_a_payment_in_sap_is_cash_transfer_checks_and_cards_together(mapped: Mapping) -> None:
    (payment,) = facts(mapped("sap_business_one", "payments"))
    assert money(payment) == (119.0, "EUR")
    assert payment["parent_record_id"] == record_id("it", "invoices", "9")


def test_an_order_of_sap_in_a_foreign_currency_has_that_currencys_total(mapped: Mapping) -> None:
    own, foreign = facts(mapped("sap_business_one", "orders"))
    assert (money(own), money(foreign)) == ((119.0, "EUR"), (130.5, "USD"))


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/New_York"])
def test_a_day_of_sap_stays_that_day_in_every_time_zone(mapped: Mapping, timezone: str) -> None:
    deliveries = mapped("sap_business_one", "deliveries", timezone)
    (delivery,) = facts(deliveries)
    assert (delivery["occurred_on"], delivery["time_zone"]) == (date(2026, 2, 20), timezone)
    assert delivery["parent_record_id"] == record_id("it", "orders", "5")
    (promise,) = deliveries.promises.to_pylist()
    assert (promise["due_on"], promise["actual_on"]) == (date(2026, 3, 5), date(2026, 2, 20))


def test_an_order_of_erpnext_has_its_lines_and_a_return_reverses_its_invoice(mapped: Mapping) -> None:
    orders = mapped("erpnext", "sales_orders")
    assert [(one["item_code"], float(one["amount"])) for one in orders.lines.to_pylist()] == [("B-100", 100.0)]
    sold, returned = facts(mapped("erpnext", "sales_invoices"))
    assert (sold["type"], returned["type"]) == ("invoice", "credit_note")
    assert returned["reverses_record_id"] == record_id("it", "sales_invoices", "ACC-SINV-2026-00001")
    (link,) = mapped("erpnext", "contact_links").relationships.to_pylist()
    assert link["to_record_id"] == record_id("it", "customers", "Alfa Handels GmbH")


def test_deals_and_quotations_of_erpnext_with_leads_belong_to_the_lead(mapped: Mapping) -> None:
    lead = record_id("it", "leads", "CRM-LEAD-2026-00001")
    for stream, other in (("opportunities", "lead_opportunities"), ("quotations", "lead_quotations")):
        (with_customer,), (with_lead,) = facts(mapped("erpnext", stream)), facts(mapped("erpnext", other))
        assert with_customer["party_record_id"] == record_id("it", "customers", "Alfa Handels GmbH")
        assert (with_lead["party_record_id"], with_lead["type"]) == (lead, with_customer["type"])


def test_payments_of_dolibarr_belong_to_their_invoice_and_client(mapped: Mapping) -> None:
    payments = facts(mapped("dolibarr", "payments"))
    assert [float(one["amount"]) for one in payments] == [70.0, 50.0]
    assert {one["parent_record_id"] for one in payments} == {record_id("it", "invoices", "11")}
    assert {one["party_record_id"] for one in payments} == {record_id("it", "thirdparties", "3")}
    assert [one["type"] for one in facts(mapped("dolibarr", "events"))] == ["call"]


def test_an_invoice_of_quickbooks_has_lines_and_a_day_and_its_payment_names_it(mapped: Mapping) -> None:
    invoices = mapped("quickbooks", "invoices")
    (line,) = invoices.lines.to_pylist()
    assert (line["item_code"], float(line["quantity"]), float(line["unit_price"])) == ("5", 2.0, 60.25)
    assert invoices.promises.to_pylist()[0]["due_on"] == date(2026, 2, 19)
    (payment,) = facts(mapped("quickbooks", "payments"))
    assert payment["parent_record_id"] == record_id("it", "invoices", "11")


def test_a_draft_of_hubspot_is_no_invoice(mapped: Mapping) -> None:
    invoices = mapped("hubspot", "invoices")
    assert [one["document_number"] for one in facts(invoices)] == ["INV-1"] and len(invoices.left_out) == 1
    assert invoices.promises.to_pylist()[0]["due_on"] == date(2026, 2, 20)
