"""What is particular to Dolibarr; what holds for all stands in its cassette."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError, NotInstalledError, SourceDataError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = {"url": "https://erp.acme.test", "api_key": "made-up-secret-key"}


def opened(answer: Any) -> RestConnector:
    made: Any = connector_class("dolibarr")
    transport = httpx.MockTransport(answer)
    found: RestConnector = made("erp", SETTINGS, transport=transport, pause=lambda _: None, now=lambda: NOW)
    return found


def wrong(status: int, words: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": status, "message": words}})


def test_an_empty_list_is_404_and_a_module_that_is_off_is_an_error() -> None:
    with opened(lambda _request: wrong(404, "Not Found: No contract found")) as connector:
        (page,) = connector.read(StreamRequest("contracts"), None)
        assert not page.rows and page.snapshot is not None and page.snapshot.is_complete
    with opened(lambda _request: wrong(404, "Not Found")) as connector:
        assert connector.absent(["thirdparties", "contracts"]) == ["contracts"]
        with pytest.raises(NotInstalledError, match="Not Found"):
            list(connector.read(StreamRequest("contracts"), None))


def test_changes_are_asked_for_in_the_time_of_the_database_behind_the_last_id() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["sqlfilters"])
        found = [{"id": "7", "name": "A", "date_modification": 1772445600}] if "rowid:>:0)" in asked[-1] else None
        return httpx.Response(200, json=found) if found else wrong(404, "Not Found: No thirdparties found")

    request = StreamRequest("thirdparties", timezone="Europe/Paris")
    with opened(answer) as connector:
        first = list(connector.read(request, None))
        list(connector.read(request, first[-1].state))
    assert asked[:2] == ["(t.rowid:>:0)", "(t.rowid:>:7)"]
    assert asked[2] == "(t.rowid:>:0) and (t.tms:>=:'2026-03-02 10:55:00')"


def test_payments_are_asked_for_invoice_by_invoice_and_again_for_those_that_changed() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.removeprefix("/api/index.php/"))
        if paths[-1] == "invoices":
            ids = ["2"] if "tms" in request.url.params["sqlfilters"] else ["1", "2"]
            found = [{"id": one, "socid": "3", "date_modification": 1772445600} for one in ids]
            return httpx.Response(200, json=found if "rowid:>:0)" in request.url.params["sqlfilters"] else [])
        return httpx.Response(200, json=[{"ref": "PAY1", "amount": "5.00", "date": "2026-03-01 00:00:00"}])

    with opened(answer) as connector:
        first = list(connector.read(StreamRequest("payments"), None))
        assert [row.key for page in first for row in page.rows] == ["1|PAY1", "2|PAY1"]
        paths.clear()
        second = list(connector.read(StreamRequest("payments"), first[-1].state))
    assert [row.key for page in second for row in page.rows] == ["2|PAY1"]
    assert "invoices/1/payments" not in paths


def test_a_mistake_in_the_filter_is_told_and_a_missing_right_is_no_empty_list() -> None:
    words = "Error when validating parameter sqlfilters"
    with opened(lambda _request: wrong(503, words)) as connector, pytest.raises(SourceDataError, match=words):
        list(connector.read(StreamRequest("orders"), None))
    with opened(lambda _request: wrong(403, "Forbidden")) as connector, pytest.raises(CredentialsError):
        list(connector.read(StreamRequest("orders"), None))
