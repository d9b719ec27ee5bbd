"""What is particular to ERPNext; what holds for all stands in its cassette."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError, CredentialsError, SourceDataError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = {"url": "https://erp.acme.test", "api_key": "made-up-key", "api_secret": "made-up-secret"}


def opened(answer: Any, **more: Any) -> RestConnector:
    made: Any = connector_class("erpnext")
    transport = httpx.MockTransport(answer)
    settings = {**SETTINGS, **more}
    found: RestConnector = made("erp", settings, transport=transport, pause=lambda _: None, now=lambda: NOW)
    return found


def test_the_key_and_its_secret_go_together_and_pages_stand_behind_the_last_name() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = [{"name": "B", "modified": "2026-03-02 10:00:00.5"}] if len(asked) == 1 else []
        return httpx.Response(200, json={"data": found})

    request = StreamRequest("sales_orders", timezone="Europe/Berlin")
    with opened(answer) as connector:
        pages = list(connector.read(request, None))
        assert pages[0].rows[0].updated_at == datetime(2026, 3, 2, 9, 0, 0, 500000, tzinfo=UTC)
        list(connector.read(request, pages[-1].state))
    assert asked[0].headers["authorization"] == "token made-up-key:made-up-secret"
    assert asked[0].url.raw_path.startswith(b"/api/resource/Sales%20Order?")
    filters = [json.loads(one.url.params["filters"]) for one in asked]
    assert filters[:3] == [
        [["name", ">", ""]],
        [["name", ">", "B"]],
        [["name", ">", ""], ["modified", ">=", "2026-03-02 09:55:00"]],
    ]
    assert filters[3] == [
        ["deleted_doctype", "=", "Sales Order"], ["restored", "=", 0], ["name", ">", ""],
        ["creation", ">=", "2026-03-02 09:55:00"],
    ]  # fmt: skip


def test_a_document_type_of_ones_own_is_a_stream_and_a_child_table_asks_for_its_parents_right() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": []})

    with opened(answer) as connector:
        list(connector.read(StreamRequest("visits", options={"doctype": "Site Visit", "fields": ["name"]}), None))
        list(connector.read(StreamRequest("sales_order_items"), None))
    assert asked[0].url.path == "/api/resource/Site Visit" and asked[0].url.params["fields"] == '["name"]'
    assert asked[1].url.params["parent"] == "Sales Order"


@pytest.mark.parametrize(
    ("status", "kind", "words", "error"),
    [
        (417, "ValidationError", "Invalid filter", SourceDataError),
        (500, "OperationalError", "Unknown column", SourceDataError),
        (401, "AuthenticationError", "Authentication", CredentialsError),
        (403, "PermissionError", "lack a right", CredentialsError),
    ],
)
def test_errors_are_told_in_the_systems_words(status: int, kind: str, words: str, error: type[ConnectorError]) -> None:
    body = {"exception": f"frappe.exceptions.{kind}: {words}", "exc_type": kind}
    with opened(lambda _request: httpx.Response(status, json=body)) as connector, pytest.raises(error, match=words):
        list(connector.read(StreamRequest("issues"), None))
