"""What is particular to HubSpot; what holds for all stands in its cassette."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.cassette import Replay, load_cassette
from connectors.errors import ComeBackLater
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

CASSETTE = load_cassette(Path(__file__).with_name("hubspot.cassette.yaml"))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def opened(transport: httpx.BaseTransport) -> RestConnector:
    made: Any = connector_class("hubspot")
    found: RestConnector = made("crm", CASSETTE.settings, transport=transport, pause=lambda _: None, now=lambda: NOW)
    return found


def test_associations_are_asked_for_a_page_at_once_and_laid_into_its_records() -> None:
    replay = Replay(CASSETTE.exchanges)
    with opened(replay) as connector:
        rows = [row for page in connector.read(StreamRequest("contacts"), None) for row in page.rows]
    found = {row.key: json.loads(row.payload)["associations"]["companies"] for row in rows}
    assert found == {"101": [201, 202], "102": [], "103": []}
    paths = [request.url.path for request in replay.requests]
    assert paths.count("/crm/v4/associations/contacts/companies/batch/read") == 2


def test_more_than_ten_thousand_results_are_read_by_key_from_the_first_page_of_every_question() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "search" not in request.url.path:
            return httpx.Response(200, json={"status": "COMPLETE", "results": []})
        body = json.loads(request.content)
        asked.append(body)
        after = int(body["filterGroups"][0]["filters"][0]["value"])
        ids = range(after + 1, min(after + 200, 10_400) + 1)
        results = [{"id": str(one), "properties": {"lastmodifieddate": "2026-02-01T00:00:00Z"}} for one in ids]
        return httpx.Response(200, json={"total": 10_400 - after, "results": results})

    with opened(httpx.MockTransport(answer)) as connector:
        keys = [row.key for page in connector.read(StreamRequest("contacts"), None) for row in page.rows]
    assert keys == [str(one) for one in range(1, 10_401)]
    assert not any("after" in body for body in asked)


def test_a_spent_day_checkpoints_and_comes_back_later() -> None:
    spent = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "daily limit"}
    with (
        opened(httpx.MockTransport(lambda _: httpx.Response(429, json=spent))) as connector,
        pytest.raises(ComeBackLater) as later,
    ):
        list(connector.read(StreamRequest("deals"), None))
    assert later.value.retry_at > datetime.now(UTC)
