"""What is particular to Salesforce; what holds for all stands in its cassette."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.cassette import Replay, load_cassette
from connectors.errors import ComeBackLater
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

CASSETTE = load_cassette(Path(__file__).with_name("salesforce.cassette.yaml"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def opened(transport: httpx.BaseTransport, **settings: str) -> RestConnector:
    made: Any = connector_class("salesforce")
    given = settings or CASSETTE.settings
    found: RestConnector = made("crm", given, transport=transport, pause=lambda _: None, now=lambda: NOW)
    return found


def test_a_checkpoint_whose_query_has_expired_begins_the_pass_anew() -> None:
    with opened(Replay(CASSETTE.exchanges)) as connector:
        first = next(iter(connector.read(StreamRequest("accounts"), None)))
    is_expired = True

    def change(_number: int, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        nonlocal is_expired
        if is_expired and "/query/" in request.url.path:
            is_expired = False
            return httpx.Response(
                400, json=[{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
            )
        return answer

    with opened(Replay(CASSETTE.exchanges, change)) as connector:
        keys = [row.key for page in connector.read(StreamRequest("accounts"), first.state) for row in page.rows]
    assert keys == list(CASSETTE.expect["accounts"].keys)


def test_a_signed_assertion_is_exchanged_for_a_token_and_custom_fields_are_asked_for() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "made-up-token"})
        return httpx.Response(200, json={"totalSize": 0, "done": True, "records": []})

    settings = {"domain": "acme.my.salesforce.test", "client_id": "k", "private_key": pem, "username": "hub@acme.test"}
    settings |= {"contact_fields": "Level__c", "person_accounts": "true"}
    with opened(httpx.MockTransport(answer), **settings) as connector:
        list(connector.read(StreamRequest("contacts"), None))
    assert b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" in seen[0].content
    assert seen[1].headers["authorization"] == "Bearer made-up-token"
    assert seen[1].url.params["q"] == (
        "SELECT FIELDS(STANDARD), Level__c FROM Contact "
        "WHERE SystemModstamp < 2026-03-01T12:00:00Z AND IsPersonAccount = false"
    )


def test_a_spent_day_of_requests_checkpoints_and_comes_back_later() -> None:
    spent = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]

    def change(_number: int, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(403, json=spent) if "/query" in request.url.path else answer

    with opened(Replay(CASSETTE.exchanges, change)) as connector, pytest.raises(ComeBackLater):
        list(connector.read(StreamRequest("accounts"), None))
