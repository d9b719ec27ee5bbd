"""A real Tryton 8 is started, filled through its own API and read with the shipped manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import CredentialsError
from connectors.page import Change, Page, StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector
from connectors.testing_parts import Ledger
from tests.support.tryton import DATABASE, PASSWORD, Tryton

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    with Tryton(tmp_path_factory.mktemp("tryton")) as running:
        running.found_company()
        yield running


def settings(server: Tryton, password: str = PASSWORD) -> dict[str, str]:
    return {"url": server.url, "database": DATABASE, "username": "admin", "password": password}


def connect(server: Tryton, password: str = PASSWORD) -> RestConnector:
    made: Any = connector_class("tryton")
    found: RestConnector = made("erp", settings(server, password))
    return found


def read(server: Tryton, stream: str, state: Any = None) -> list[Page]:
    with connect(server) as connector:
        return list(connector.read(StreamRequest(stream), state))


def rows(pages: list[Page]) -> dict[str, str]:
    return {row.key: row.payload.decode() for page in pages for row in page.rows}


def test_the_login_is_checked_and_a_wrong_password_told(server: Tryton) -> None:
    with connect(server) as connector:
        assert connector.check().message
        assert connector.volumes(["parties", "sales"]) == {"parties": 1, "sales": 0}
    with connect(server, "another-made-up-one") as connector, pytest.raises(CredentialsError):
        connector.check()


def test_parties_come_once_then_only_what_changed_and_what_is_gone(server: Tryton) -> None:
    alpha = str(server.party("Alpha Handels GmbH", "info@alpha.example", "+49 30 1234567", "DE136695976"))
    beta = str(server.party("Beta GmbH", "info@beta.example", "+49 30 7654321"))
    first = read(server, "parties")
    assert {"1", alpha, beta} <= set(rows(first))
    assert "info@alpha.example" in rows(first)[alpha] and "DE136695976" in rows(first)[alpha]
    assert "Berlin" in rows(first)[alpha]
    gamma = str(server.party("Gamma AG", "info@gamma.example", "+49 30 1111111"))
    way = server.first("party.contact_mechanism", ["party", "=", int(alpha)], ["type", "=", "email"])
    server.write("party.contact_mechanism", way, {"value": "new@alpha.example"})
    server.write("party.party", int(beta), {"active": False})
    second = read(server, "parties", first[-1].state)
    assert gamma in rows(second) and "new@alpha.example" in rows(second)[alpha]
    assert beta in [key for page in second for key in page.tombstones]
    assert Ledger().land(first).land(second).alive >= {"1", alpha, gamma}
    assert beta not in Ledger().land(first).land(second).alive


def test_a_deleted_party_is_missed_by_the_sweep(server: Tryton) -> None:
    gone = str(server.party("Delta GmbH", "info@delta.example", "+49 30 2222222"))
    ledger, first = Ledger(), read(server, "parties")
    assert gone in ledger.land(first).alive
    server.delete("party.party", int(gone))
    assert gone not in ledger.land(read(server, "parties")).alive


def test_a_sweep_that_is_due_asks_for_keys_alone(server: Tryton) -> None:
    gone, stays = (
        str(server.party(f"{name} GmbH", f"{name}@x.example", "+49 30 2222223")) for name in ("Eta", "Theta")
    )
    first = read(server, "parties")
    ledger = Ledger().land(first)
    assert {gone, stays} <= ledger.alive
    server.delete("party.party", int(gone))
    due = {**first[-1].state, "swept_at": "2020-01-01T00:00:00+00:00"}
    swept = read(server, "parties", due)
    assert any(page.snapshot is not None and page.snapshot.shown for page in swept)
    assert stays in ledger.land(swept).alive and gone not in ledger.alive


def test_sales_and_invoices_come_with_their_party_amount_and_lines(server: Tryton) -> None:
    party = server.party("Epsilon GmbH", "info@epsilon.example", "+49 30 3333333")
    sale, invoice = str(server.sale(party, "119.50")), str(server.invoice(party, "20.00"))
    sold = rows(read(server, "sales"))[sale]
    assert f'"party":{party}' in sold and '"decimal":"119.50"' in sold and '"code":"EUR"' in sold
    assert any(f'"sale":{sale}' in line for line in rows(read(server, "sale_lines")).values())
    billed = rows(read(server, "invoices"))[invoice]
    assert f'"party":{party}' in billed and '"decimal":"20.00"' in billed
    assert not rows(read(server, "payments"))
    assert not rows(read(server, "deliveries"))
    server.delivery(party, "75.00")
    (sent,) = rows(read(server, "deliveries")).values()
    assert f'"customer":{party}' in sent and '"state":"waiting"' in sent


def test_a_kill_between_pages_loses_nothing(server: Tryton) -> None:
    whole = read(server, "parties")
    rest = read(server, "parties", whole[0].state)
    assert rows(whole[:1]) | rows(rest) == rows(whole)
    assert not set(rows(whole[:1])) & set(rows(rest))


def test_a_stream_of_ones_own_sees_what_was_deactivated_since(server: Tryton) -> None:
    party = server.party("Zeta GmbH", "info@zeta.example", "+49 30 4444444")
    options = {"model": "party.party", "fields": ["name", "active"], "domain": [["active", "in", [True, False]]]}
    request = StreamRequest("mine", options=options)
    with connect(server) as connector:
        first = list(connector.read(request, None))
    server.write("party.party", party, {"active": False})
    with connect(server) as connector:
        second = list(connector.read(request, first[-1].state))
    assert '"active":1' in rows(first)[str(party)]  # SQLite's word for true
    assert '"active":1' not in rows(second)[str(party)]
    # Tryton hides what is not active from a nested list of conditions that does not name `active`.
    hidden = [["active", "in", [True, False]], ["OR", ["id", "=", party], ["id", "=", -1]]]
    assert server.call("model.party.party.search", hidden, 0, None, None, {}) == []


def test_a_party_is_written_seen_and_comes_back_and_one_that_is_gone_is_refused(server: Tryton) -> None:
    party = str(server.party("Theta GmbH", "info@theta.example", "+49 30 4444444"))
    gone = str(server.party("Eta GmbH", "info@eta.example", "+49 30 5555555"))
    server.delete("party.party", int(gone))
    request = StreamRequest("parties", owned=("name",))  # any text field will do here
    with connect(server) as connector:
        first = list(connector.read(request, None))
        changes = [Change(party, {"name": "hub-4711"}, "1" * 32), Change(gone, {"name": "hub-4712"}, "2" * 32)]
        receipts = [receipt for change in changes for receipt in connector.write(request, [change])]
        assert [(one.key, one.status) for one in receipts] == [(party, "accepted"), (gone, "refused")], receipts
        assert receipts[1].code and "hub-4712" not in (receipts[1].message or "")
        assert connector.look(request, [party, gone], ["name"]) == {party: {"name": "hub-4711"}}
        second = list(connector.read(request, first[-1].state))
        assert connector.writing(request, ["name"]).can_empty  # type: ignore[union-attr]
        (emptied,) = connector.write(request, [Change(party, {"name": None}, "3" * 32)])
        assert emptied.status == "accepted", emptied
        assert connector.look(request, [party], ["name"]) in ({party: {"name": None}}, {party: {"name": ""}})
    assert '"name":"hub-4711"' in rows(second)[party]
