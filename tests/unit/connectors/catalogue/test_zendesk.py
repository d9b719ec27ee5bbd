"""What is particular to Zendesk; what holds for all stands in its cassette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.cassette import Replay, load_cassette
from connectors.page import StreamRequest
from connectors.registry import connector_class

CASSETTE = load_cassette(Path(__file__).with_name("zendesk.cassette.yaml"))


def test_an_export_goes_on_by_cursor_alone_and_ends_with_the_stream() -> None:
    replay = Replay(CASSETTE.exchanges)
    made: Any = connector_class("zendesk")
    with made("desk", CASSETTE.settings, transport=replay, pause=lambda _: None, now=lambda: CASSETTE.now) as connector:
        pages = list(connector.read(StreamRequest("users"), None))
    asked = [dict(request.url.params) for request in replay.requests]
    assert asked == [{"start_time": "86400", "per_page": "1000"}, {"cursor": "MTc2", "per_page": "1000"}]
    assert replay.requests[0].headers["authorization"].startswith("Basic ")
    assert pages[-1].state["since"] == "2026-02-02T08:00:00+00:00"
