"""What is particular to Bitrix24; what holds for all stands in its cassette."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.cassette import Replay, load_cassette
from connectors.errors import ComeBackLater, CredentialsError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

CASSETTE = load_cassette(Path(__file__).with_name("bitrix24.cassette.yaml"))
WEBHOOK = {"domain": "acme.bitrix24.test", "webhook": "1/made-up-secret-code"}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def opened(transport: httpx.BaseTransport, settings: Any = None, pauses: list[float] | None = None) -> RestConnector:
    made: Any = connector_class("bitrix24")
    pause = (pauses if pauses is not None else []).append
    found: RestConnector = made("crm", settings or WEBHOOK, transport=transport, pause=pause, now=lambda: NOW)
    return found


def answering(*answers: httpx.Response) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """Answers one after the other, then empty pages."""
    left, seen = list(answers), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return left.pop(0) if left else httpx.Response(200, json={"result": {"items": []}})

    return httpx.MockTransport(answer), seen


def items(*found: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"result": {"items": list(found)}})


def test_a_later_pass_asks_by_key_for_what_changed_without_counting() -> None:
    transport, seen = answering(items({"id": 7, "updatedTime": "2026-03-02T11:00:00+03:00"}))
    state = {"since": "2026-03-01T10:00:00+00:00", "swept_at": "2026-03-02T00:00:00+00:00", "pass": 1}
    with opened(transport) as connector:
        reading = list(connector.read(StreamRequest("contacts"), None))[-1].state["reading"]
        seen.clear()
        pages = list(connector.read(StreamRequest("contacts"), {**state, "reading": reading}))
    asked = [json.loads(request.content) for request in seen]
    assert asked[0]["filter"] == {">id": 0, ">=updatedTime": "2026-03-01T09:55:00+00:00"}
    assert {one["start"] for one in asked} == {-1}
    assert {str(request.url) for request in seen} == {
        "https://acme.bitrix24.test/rest/1/made-up-secret-code/crm.item.list"
    }
    assert all(page.snapshot is None for page in pages)


def test_too_many_requests_are_waited_out_and_a_spent_method_comes_back_later() -> None:
    busy = httpx.Response(503, json={"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"})
    transport, _ = answering(busy, items({"id": 7}))
    pauses: list[float] = []
    with opened(transport, pauses=pauses) as connector:
        assert [row.key for page in connector.read(StreamRequest("contacts"), None) for row in page.rows] == ["7"]
    assert 2.0 in pauses

    until = datetime.now(UTC).timestamp() + 540
    spent = {"error": "OPERATION_TIME_LIMIT", "time": {"operating_reset_at": int(until)}}
    transport, _ = answering(httpx.Response(429, json=spent))
    with opened(transport) as connector, pytest.raises(ComeBackLater) as later:
        list(connector.read(StreamRequest("contacts"), None))
    assert abs(later.value.retry_at.timestamp() - until) < 5


def test_custom_fields_are_listed_by_their_label_also_where_no_record_has_them() -> None:
    with opened(Replay(CASSETTE.exchanges), CASSETTE.settings) as connector:
        contacts = next(info for info in connector.discover() if info.name == "contacts")
    labels = {field.path: (field.label, field.filled) for field in contacts.fields}
    assert labels["UF_CRM_1700000001"] == ("Номер карты лояльности", pytest.approx(1 / 3, abs=0.001))
    assert labels["UF_CRM_1700000002"] == ("Размер обуви", 0.0)
    assert contacts.mapping["url"] == "https://acme.bitrix24.test/crm/contact/details/{key}/"


def test_a_webhook_without_the_right_to_crm_is_told_in_the_systems_words() -> None:
    words = "The request requires higher privileges than provided by the webhook token"
    transport, _ = answering(httpx.Response(403, json={"error": "insufficient_scope", "error_description": words}))
    with opened(transport) as connector, pytest.raises(CredentialsError, match="higher privileges") as refused:
        connector.check()
    assert "made-up-secret-code" not in str(refused.value)


def application(tokens: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """A portal that knows the last token only, and its authorisation server, whose refresh tokens serve once."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "oauth.bitrix24.tech":
            number = len(tokens)
            assert request.method == "GET"
            assert request.url.params["refresh_token"] == f"refresh-{number}"
            tokens.append(f"access-{number + 1}")
            made = {"access_token": tokens[-1], "refresh_token": f"refresh-{number + 1}", "expires_in": 3600}
            return httpx.Response(200, json=made)
        if request.url.params.get("auth") != tokens[-1]:
            return httpx.Response(401, json={"error": "expired_token", "error_description": "expired"})
        return items()

    return answer


def test_an_application_renews_its_token_with_the_refresh_token_that_came_last() -> None:
    tokens: list[str] = []
    settings = {
        "domain": "acme.bitrix24.test",
        "client_id": "app.1",
        "client_secret": "made-up",
        "refresh_token": "refresh-0",
    }
    with opened(httpx.MockTransport(application(tokens)), settings) as connector:
        connector.check()
        tokens.append("access-revoked-by-the-portal")
        tokens.pop(0)
        connector.check()
    assert tokens[-1] == "access-2"
