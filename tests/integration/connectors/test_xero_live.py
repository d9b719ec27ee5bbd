"""Xero's connector against localstack-xero, an emulator made by others, on the loopback interface."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.page import StreamRequest
from connectors.registry import connector_class
from tests.support.foreign import environment

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    programs = environment("xero", "localstack-xero==0.1.2")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = {**os.environ, "XERO_HOST": "127.0.0.1", "XERO_PORT": str(port)}
    server = subprocess.Popen([programs / "xero-local"], env=where, stderr=subprocess.DEVNULL)
    try:
        url, ends = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/_xero/health", timeout=2).raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < ends, "the emulator does not start"
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def test_contacts_of_several_pages_invoices_and_a_deleted_payment_are_read(address: str) -> None:
    with httpx.Client(base_url=f"{address}/api.xro/2.0", headers={"Authorization": "Bearer any"}) as xero:
        tenant = httpx.get(f"{address}/connections", headers=xero.headers).json()[0]["tenantId"]
        xero.headers["xero-tenant-id"] = tenant
        made = xero.post("/Contacts", json={"Contacts": [{"Name": f"Firm {n}"} for n in range(250)]}).json()["Contacts"]
        invoice: dict[str, Any] = {
            "Contact": {"ContactID": made[7]["ContactID"]},
            "Type": "ACCREC",
            "Date": "2026-01-20",
        }
        invoice |= {"LineItems": [{"Description": "Chair", "LineAmount": 100}]}
        bill = xero.post("/Invoices", json={"Invoices": [invoice]}).json()["Invoices"][0]
        paid = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 40, "Date": "2026-01-21"}
        answers = [xero.post("/Payments", json=paid).json()["Payments"][0] for _ in range(2)]
        xero.post(f"/Payments/{answers[0]['PaymentID']}", json={"Status": "DELETED"}).raise_for_status()
    kind: Any = connector_class("xero")
    settings = {"tenant": tenant, "client_id": "any", "client_secret": "made-up", "address": address}
    settings["token_url"] = f"{address}/connect/token"
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
