"""What is particular to QuickBooks Online; what holds for all stands in its cassette."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.cassette import Replay, load_cassette
from connectors.page import StreamRequest
from connectors.registry import connector_class

CASSETTE = load_cassette(Path(__file__).with_name("quickbooks.cassette.yaml"))


def test_a_mark_that_change_data_capture_no_longer_knows_reads_everything() -> None:
    made: Any = connector_class("quickbooks")

    def opened(replay: Replay, now: datetime) -> Any:
        return made("books", CASSETTE.settings, transport=replay, pause=lambda _: None, now=lambda: now)

    with opened(Replay(CASSETTE.exchanges), CASSETTE.now) as connector:
        state = list(connector.read(StreamRequest("invoices"), None))[-1].state
    state = {**state, "since": "2026-01-20T00:00:00+00:00"}
    replay = Replay(CASSETTE.exchanges)
    with opened(replay, datetime(2026, 3, 1, 12, tzinfo=UTC)) as connector:
        pages = list(connector.read(StreamRequest("invoices"), state))
    assert pages[-1].snapshot is not None and pages[-1].snapshot.is_complete
    assert not any(request.url.path.endswith("/cdc") for request in replay.requests)
