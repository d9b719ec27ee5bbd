"""What is particular to Xero; what holds for all stands in its cassette."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.cassette import Replay, load_cassette
from connectors.errors import ComeBackLater
from connectors.page import StreamRequest
from connectors.registry import connector_class

CASSETTE = load_cassette(Path(__file__).with_name("xero.cassette.yaml"))


def test_a_spent_day_keeps_the_first_page_and_comes_back_hours_later() -> None:
    def change(_number: int, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.params.get("page") == "2":
            return httpx.Response(429, headers={"Retry-After": "66975", "X-Rate-Limit-Problem": "day"})
        return answer

    def opened(transport: httpx.BaseTransport) -> Any:
        made: Any = connector_class("xero")
        return made("books", CASSETTE.settings, transport=transport, pause=lambda _: None, now=lambda: CASSETTE.now)

    pages = []
    with opened(Replay(CASSETTE.exchanges, change)) as connector, pytest.raises(ComeBackLater) as later:
        pages.extend(connector.read(StreamRequest("contacts"), None))
    wait = later.value.retry_at - datetime.now(UTC)
    assert timedelta(hours=18) < wait < timedelta(hours=19)
