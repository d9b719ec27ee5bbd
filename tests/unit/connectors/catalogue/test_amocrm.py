"""What is particular to amoCRM; what holds for all stands in its cassette."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector
from connectors.tokens import MemoryTokens

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = {"domain": "acme.amocrm.test", "token": "made-up-long-lived-token"}
INTEGRATION = {
    "domain": "acme.amocrm.test",
    "client_id": "made-up-id",
    "client_secret": "made-up-secret",
    "refresh_token": "refresh-0",
    "redirect_uri": "https://hub.test/back",
}


def opened(answer: Any, settings: dict[str, str]) -> RestConnector:
    made: Any = connector_class("amocrm")
    transport = httpx.MockTransport(answer)
    found: RestConnector = made("crm", settings, transport=transport, pause=lambda _s: None, now=lambda: NOW)
    return found


def test_a_refresh_token_serves_once_and_the_next_process_takes_what_it_gave() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/access_token":
            asked.append(json.loads(request.content))
            number = len(asked)
            made = {"token_type": "Bearer", "expires_in": 86400}
            return httpx.Response(
                200, json={**made, "access_token": f"a-{number}", "refresh_token": f"refresh-{number}"}
            )
        if request.headers["authorization"] != f"Bearer a-{len(asked)}":
            return httpx.Response(401, json={"title": "Unauthorized", "status": 401})
        return httpx.Response(200, json={"id": 1})

    store = MemoryTokens()
    for _process in range(2):
        with opened(answer, INTEGRATION) as connector:
            connector.keep_tokens(store)
            connector.check()
    assert len(asked) == 1
    asked.append(
        {}
    )  # the account revokes the token: a-1 is refused, and the saved refresh token is used, not the first
    with opened(answer, INTEGRATION) as connector:
        connector.keep_tokens(store)
        connector.check()
    assert [one.get("refresh_token") for one in asked] == ["refresh-0", None, "refresh-1"]
    assert asked[0]["redirect_uri"] == "https://hub.test/back"


def test_an_account_that_ignores_the_filter_is_told_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events") or request.url.params["page"] != "1":
            return httpx.Response(204)
        found = [{"id": number, "updated_at": 1769900000 + number * 86400} for number in range(3)]
        return httpx.Response(200, json={"_embedded": {"contacts": found}})

    with opened(answer, TOKEN) as connector, caplog.at_level(logging.WARNING):
        first = list(connector.read(StreamRequest("contacts"), None))
        assert not caplog.records
        second = list(connector.read(StreamRequest("contacts"), first[-1].state))
    assert [row.key for page in second for row in page.rows] == ["0", "1", "2"]
    assert [record.message for record in caplog.records] == [
        "crm:contacts: the source ignores the filter on the time of change; every pass reads everything"
    ]


def test_an_account_that_is_not_paid_for_is_told_in_its_words() -> None:
    unpaid = {"title": "Payment Required", "status": 402, "detail": "Account is blocked for non-payment"}
    connector = opened(lambda _request: httpx.Response(402, json=unpaid), TOKEN)
    with connector, pytest.raises(CredentialsError, match="non-payment"):
        connector.check()
