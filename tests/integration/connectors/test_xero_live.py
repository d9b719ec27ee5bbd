"""Xero's connector against localstack-xero, an emulator made by others, on the loopback interface."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.page import StreamRequest
from connectors.registry import connector_class
from tests.support.xero import xero

pytestmark = pytest.mark.live


def test_contacts_of_several_pages_invoices_and_a_deleted_payment_are_read(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    kind: Any = connector_class("xero")
    with xero(tmp_path_factory.mktemp("xero")) as system:
        made = system.create("Contacts", *({"Name": f"Firm {n}"} for n in range(250)))
        invoice = {"Contact": {"ContactID": made[7]["ContactID"]}, "Type": "ACCREC", "Date": "2026-01-20"}
        (bill,) = system.create("Invoices", {**invoice, "LineItems": [{"Description": "Chair", "LineAmount": 100}]})
        paid = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 40, "Date": "2026-01-21"}
        answers = [system.create("Payments", paid)[0] for _ in range(2)]
        system.post(f"Payments/{answers[0]['PaymentID']}", {"Status": "DELETED"})
        settings = {"tenant": system.tenant, "client_id": "any", "client_secret": "made-up", "address": system.url}
        settings["token_url"] = f"{system.url}/connect/token"
        with kind("books", settings, pause=lambda _: None) as connector:
            contacts = list(connector.read(StreamRequest("contacts"), None))
            invoices = list(connector.read(StreamRequest("invoices"), None))
            payments = list(connector.read(StreamRequest("payments"), None))
    assert [len(page.rows) for page in contacts] == [100, 100, 50]
    assert {row.key for page in contacts for row in page.rows} == {one["ContactID"] for one in made}
    assert all(row.updated_at is not None for page in contacts for row in page.rows)
    found = json.loads(invoices[0].rows[0].payload)
    assert (found["Contact"]["ContactID"], found["Total"]) == (made[7]["ContactID"], 100.0)
    assert [row.key for page in payments for row in page.rows] == [answers[1]["PaymentID"]]
    assert [key for page in payments for key in page.tombstones] == [answers[0]["PaymentID"]]
