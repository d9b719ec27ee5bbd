"""What is particular to SAP Business One; what holds for all stands in its cassette."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = {"url": "https://sap.acme.test", "company": "SBODEMO", "username": "hub", "password": "made-up-secret-pw"}


class ServiceLayer:
    """Sessions with cookies, one of which ends early."""

    def __init__(self, status: int = 401) -> None:
        self.logins = 0
        self.status = status
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Login"):
            self.logins += 1
            assert json.loads(request.content) == {
                "CompanyDB": "SBODEMO",
                "UserName": "hub",
                "Password": "made-up-secret-pw",
            }
            cookies = [
                ("Set-Cookie", f"B1SESSION=s{self.logins}; HttpOnly"),
                ("Set-Cookie", "ROUTEID=.node2; path=/b1s"),
            ]
            return httpx.Response(200, json={"SessionId": f"s{self.logins}", "SessionTimeout": 30}, headers=cookies)
        self.asked.append(request)
        assert "ROUTEID=.node2" in request.headers["cookie"]
        if f"B1SESSION=s{self.logins}" not in request.headers["cookie"] or len(self.asked) == 2:
            error = {"code": "301", "message": "Invalid session or session already timeout."}
            return httpx.Response(self.status, json={"error": error})
        orders = [{"DocEntry": 5, "UpdateDate": "2026-03-01T00:00:00Z"}]
        return httpx.Response(200, json={"value": [] if "gt 5" in request.url.params.get("$filter", "") else orders})


def opened(answer: Any) -> RestConnector:
    made: Any = connector_class("sap_business_one")
    transport = httpx.MockTransport(answer)
    found: RestConnector = made("erp", SETTINGS, transport=transport, pause=lambda _: None, now=lambda: NOW)
    return found


@pytest.mark.parametrize("status", [401, 500])
def test_a_session_that_ends_in_mid_read_is_opened_anew_by_its_status_or_by_its_code(status: int) -> None:
    server = ServiceLayer(status)
    with opened(server) as connector:
        pages = list(connector.read(StreamRequest("orders", timezone="Europe/Berlin"), None))
    assert [row.key for page in pages for row in page.rows] == ["5"] and server.logins == 2


def test_changes_are_asked_for_by_the_day_behind_the_last_number() -> None:
    server = ServiceLayer()
    with opened(server) as connector:
        first = list(connector.read(StreamRequest("orders", timezone="Europe/Berlin"), None))
        list(connector.read(StreamRequest("orders", timezone="Europe/Berlin"), first[-1].state))
    filters = [request.url.params.get("$filter") for request in server.asked]
    assert filters[0] is None and filters[2] == "DocEntry gt 5" and filters[3] == "UpdateDate ge '2026-03-01'"
    assert filters[4] == "UpdateDate ge '2026-03-01' and DocEntry gt 5"
    assert {request.headers["prefer"] for request in server.asked} == {"odata.maxpagesize=500"}


def test_the_second_refusal_of_a_new_session_is_told() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Login"):
            return httpx.Response(200, json={"SessionId": "s"})
        return httpx.Response(401, json={"error": {"code": "301", "message": "Invalid session."}})

    with opened(answer) as connector, pytest.raises(CredentialsError, match="also after a new token or login"):
        connector.check()
