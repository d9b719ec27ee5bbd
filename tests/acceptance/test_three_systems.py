"""Three systems made by others, filled through their own APIs, end as one view of each client.

SAP CAP is the sales department's, Tryton 8 logistics', and an emulator of Xero accounting's, which a Singer tap from
PyPI reads. Everything goes by `onefold source add` and `onefold run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cap_service import USER, CapService, cap_service
from tests.support.desk import Desk, empty_desk
from tests.support.tryton import DATABASE, PASSWORD, Tryton
from tests.support.xero import Xero, xero

pytestmark = [pytest.mark.live, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Party:
    """A client as each system is told of it; the systems spell names in their own ways."""

    name: str
    email: str
    phone: str
    vat: str | None = None
    given: str | None = None
    family: str | None = None


PUMPS = Party("Alpha Pumpen GmbH", "info@alpha-pumpen.example", "+49 30 901820510", vat="DE136695976")
MILL = Party("Beta Mühlenbau AG", "kontakt@beta-muehlen.example", "+49 40 901820530", vat="DE129123006")
ADA = Party("Ada Winter", "ada.winter@post.example", "+49 30 901820540", given="Ada", family="Winter")
ADAM = Party("Adam Winter", "adam@winter-post.example", "+49 89 901820550", given="Adam", family="Winter")
"""Nearly her name, and somebody else."""


@dataclass(frozen=True)
class Systems:
    """The three, running, and the key of every party in each that knows it."""

    cap: CapService
    tryton: Tryton
    xero: Xero
    keys: dict[str, dict[str, str]]

    def name(self, system: str, party: Party) -> str:
        """The record as Onefold names it."""
        stream = {"sales": "BusinessPartners", "logistics": "parties", "accounting": "contacts"}[system]
        return f"{system}:{stream}:{self.keys[system][party.name]}"

    def names(self, party: Party) -> set[str]:
        """The party's records in every system that knows it."""
        return {self.name(system, party) for system in self.keys if party.name in self.keys[system]}


def in_sales(cap: CapService, party: Party) -> str:
    """The key of a business partner with its order."""
    who = {"kind": "1", "firstName": party.given, "lastName": party.family} if party.given else {"kind": "2"}
    partner = {
        **who,
        "name": party.name,
        "email": party.email,
        "phone": party.phone,
        "vat": party.vat,
        "city": "Berlin",
    }
    return str(cap.create("BusinessPartners", partner)["ID"])


def order(cap: CapService, key: str, number: str, day: str) -> None:
    """What the party ordered."""
    total = {"total": 1190.5, "currency": "EUR"}
    cap.create("SalesOrders", {"number": number, "partner_ID": key, "orderedOn": day, **total})


def in_accounting(books: Xero, party: Party) -> str:
    """The key of a contact; Xero takes a tax number only of a contact that is there."""
    names = {"Name": party.name, "FirstName": party.given or "", "LastName": party.family or ""}
    (made,) = books.create(
        "Contacts", {**names, "EmailAddress": party.email, "AccountNumber": "P" if party.given else ""}
    )
    if party.vat:
        books.post(f"Contacts/{made['ContactID']}", {"Contacts": [{"TaxNumber": party.vat}]})
    return str(made["ContactID"])


def bill(books: Xero, key: str, number: str, day: str) -> None:
    """What the party was billed."""
    line = {"Description": "Pump", "LineAmount": 1190.5}
    invoice = {
        "Type": "ACCREC",
        "Contact": {"ContactID": key},
        "Date": day,
        "Status": "AUTHORISED",
        "CurrencyCode": "EUR",
    }
    books.create("Invoices", {**invoice, "InvoiceNumber": number, "LineItems": [line]})


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with (
        cap_service(folder("cap"), {}) as cap,
        Tryton(folder("tryton")) as tryton,
        xero(folder("xero")) as books,
    ):
        tryton.found_company()
        keys: dict[str, dict[str, str]] = {"sales": {}, "logistics": {}, "accounting": {}}
        for party in (PUMPS, MILL, ADA, ADAM):
            keys["sales"][party.name] = in_sales(cap, party)
        for party in (PUMPS, MILL, ADA):
            keys["logistics"][party.name] = str(tryton.party(party.name, party.email, party.phone, party.vat))
        for party in (PUMPS, ADA):
            keys["accounting"][party.name] = in_accounting(books, party)
        for number, party in enumerate((PUMPS, ADA, ADAM), start=1):
            order(cap, keys["sales"][party.name], f"SO-{number}", "2026-02-02")
        for party in (PUMPS, MILL, ADA):
            tryton.delivery(int(keys["logistics"][party.name]), "1190.50")
        for number, party in enumerate((PUMPS, ADA), start=1):
            bill(books, keys["accounting"][party.name], f"INV-{number}", "2026-02-20")
        yield Systems(cap, tryton, books, keys)


def sales(cap: CapService) -> dict[str, Any]:
    """The sales department's source."""
    read = {"key": "ID", "modified": "modifiedAt", "deletes": {"kind": "sweep", "every": "1s"}}
    partners = {
        "as": {"when": "kind", "1": "person", "2": "organisation"},
        "options": read,
        "fields": {
            "legal_name": "name", "given_name": "firstName", "family_name": "lastName", "email": "email",
            "phone": "phone", "vat": "vat", "city": "city",
        },
    }  # fmt: skip
    orders = {
        "as": "interaction", "type": "sales_order", "options": read,
        "party": {"stream": "BusinessPartners", "key": "partner_ID"},
        "occurred_at": "orderedOn", "amount": {"value": "total", "currency": "currency"}, "document_number": "number",
    }  # fmt: skip
    settings = {"url": cap.v4, "username": USER[0], "password": USER[1]}
    return source("sales", "odata_v4", settings, {"BusinessPartners": partners, "SalesOrders": orders})


def accounting(books: Xero) -> dict[str, Any]:
    """Accounting's source, by tap-rest-api-msdk, which flattens what it reads."""

    def stream(name: str, kind: str, key: str) -> dict[str, Any]:
        return {"name": name, "path": f"/{kind}", "primary_keys": [key], "records_path": f"$.{kind}[*]"}

    config = {
        "api_url": books.api,
        "headers": books.headers,
        "streams": [stream("contacts", "Contacts", "ContactID"), stream("invoices", "Invoices", "InvoiceID")],
    }
    contacts = {
        "as": {"when": "AccountNumber", "P": "person", "else": "organisation"},
        "fields": {
            "legal_name": "Name", "given_name": "FirstName", "family_name": "LastName", "email": "EmailAddress",
            "vat": "TaxNumber",
        },
    }  # fmt: skip
    invoices = {
        "as": "interaction", "type": "invoice", "party": {"stream": "contacts", "key": "Contact_ContactID"},
        "occurred_at": "DateString", "amount": {"value": "Total", "currency": "CurrencyCode"},
        "document_number": "InvoiceNumber",
    }  # fmt: skip
    settings = {"config": config, "pins": ["setuptools<80"]}
    return source("accounting", "singer:tap-rest-api-msdk", settings, {"contacts": contacts, "invoices": invoices})


def source(name: str, connector: str, settings: Any, streams: Any) -> dict[str, Any]:
    """A source's file."""
    defaults = {"country": "DE", "currency": "EUR", "timezone": "UTC", "language": "de"}
    head = {"source": name, "department": name, "connector": connector, "trust": 50, "schedule": "0 * * * *"}
    return {**head, "settings": settings, "defaults": defaults, "streams": streams}


@pytest.fixture(scope="module")
def desk(systems: Systems, server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    from tests.support import database as databases

    with databases.database(server_url, template) as url:
        made = empty_desk(tmp_path_factory.mktemp("desk"), url)
        made.configure("sales", sales(systems.cap))
        made.configure("accounting", accounting(systems.xero))
        given = {"url": systems.tryton.url, "database": DATABASE, "username": "admin", "password": PASSWORD}
        words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        made.run("source", "add", "logistics", "--connector", "tryton", *words)
        ready = made.configuration("logistics")
        # Tryton does not say who is a person; here, who has no VAT number.
        ready["streams"]["parties"]["as"] = {
            "when": "'identifiers.'[0].type",
            "eu_vat": "organisation",
            "else": "person",
        }
        made.configure("logistics", ready)
        yield made


def told(desk: Desk, record: str) -> tuple[set[str], set[tuple[str, str, str]]]:
    """A record's client: the records of it, and (source, type, department) of everything on its timeline."""
    view = desk.run("client", record)
    timeline = {(one["source"], one["type"], one["department"]) for one in view["interactions"]}
    return {one["name"] for one in view["records"] if not one.get("is_deleted")}, timeline


ORDERED = ("sales", "sales_order", "sales")
SENT = {("logistics", "delivery", "logistics"), ("logistics", "sales_order", "sales")}
BILLED = ("accounting", "invoice", "accounting")


def test_the_same_clients_of_three_systems_are_one_with_the_timeline_of_every_department(
    systems: Systems, desk: Desk
) -> None:
    report = desk.run("run")
    assert all(stream["status"] == "done" for one in report["syncs"] for stream in one["streams"]), report
    assert told(desk, systems.name("accounting", PUMPS)) == (systems.names(PUMPS), {ORDERED, *SENT, BILLED})
    assert told(desk, systems.name("logistics", ADA)) == (systems.names(ADA), {ORDERED, *SENT, BILLED})
    assert told(desk, systems.name("sales", MILL)) == (systems.names(MILL), SENT)
    assert told(desk, systems.name("sales", ADAM)) == (systems.names(ADAM), {ORDERED})


def test_what_happens_next_joins_the_timeline_and_who_leaves_one_system_stays_known_by_the_others(
    systems: Systems, desk: Desk
) -> None:
    desk.run("run")
    before = desk.run("client", systems.name("accounting", ADA))["client_id"]
    bill(systems.xero, systems.keys["accounting"][ADA.name], "INV-9", "2026-03-01")
    systems.cap.delete("BusinessPartners", systems.keys["sales"][ADA.name])
    desk.run("run")
    view = desk.run("client", systems.name("accounting", ADA))
    assert view["client_id"] == before
    assert "INV-9" in {one["document_number"] for one in view["interactions"]}
    records, _ = told(desk, systems.name("accounting", ADA))
    assert records == systems.names(ADA) - {systems.name("sales", ADA)}


def test_a_run_without_news_changes_nothing(systems: Systems, desk: Desk) -> None:
    from warehouse.connect import connect
    from warehouse.dump import row_versions

    desk.run("run")
    with connect(desk.url, application_name="test") as conn:
        before = row_versions(conn)
        desk.run("run")
        assert row_versions(conn) == before
