"""What is particular to MoySklad; what holds for all stands in its cassette."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import ComeBackLater, SourceConfigurationError, SourceDataError
from connectors.page import StreamRequest
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def opened(answer: Any, pauses: list[float] | None = None, **settings: str) -> RestConnector:
    made: Any = connector_class("moysklad")
    pause = (pauses if pauses is not None else []).append
    given = settings or {"token": "made-up-token"}
    found: RestConnector = made("erp", given, transport=httpx.MockTransport(answer), pause=pause, now=lambda: NOW)
    return found


def rows(*found: dict[str, Any]) -> dict[str, Any]:
    return {"meta": {"size": len(found), "limit": 1000, "offset": 0}, "rows": list(found)}


def test_gzip_and_nothing_else_is_asked_for_and_unpacked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["accept-encoding"] != "gzip":
            return httpx.Response(415)
        packed = gzip.compress(json.dumps(rows({"id": "c1", "updated": "2026-02-01 12:00:00.000"})).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return httpx.Response(200, content=packed, headers=headers)

    with opened(answer, username="admin@acme", password="made-up") as connector:
        connector.check()
        (page,) = connector.read(StreamRequest("counterparties"), None)
    assert [row.key for row in page.rows] == ["c1"]
    assert page.rows[0].updated_at == datetime(2026, 2, 1, 9, tzinfo=UTC)  # its times are Moscow's


def test_the_wait_is_told_in_milliseconds() -> None:
    answers = [
        httpx.Response(429, headers={"X-Lognex-Retry-After": "1500"}, json={"errors": [{"code": 1049}]}),
        httpx.Response(200, json=rows({"id": "c1"})),
        httpx.Response(429, headers={"X-Lognex-Retry-After": "900000"}, json={"errors": [{"code": 1049}]}),
    ]
    pauses: list[float] = []
    with opened(lambda _request: answers.pop(0), pauses) as connector:
        list(connector.read(StreamRequest("counterparties"), None))
        assert 1.5 in pauses
        with pytest.raises(ComeBackLater):
            connector.check()


def test_a_spent_budget_is_waited_out_before_the_refusal() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-Lognex-Reset": "2000"}
    pauses: list[float] = []
    with opened(lambda _request: httpx.Response(200, json=rows(), headers=headers), pauses) as connector:
        connector.check()
        connector.check()
    assert any(1.5 < seconds <= 2.0 for seconds in pauses)


def test_changed_documents_are_asked_for_in_moscow_time_and_deleted_ones_in_the_bin() -> None:
    filters: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        filters.append(request.url.params.get("filter"))
        return httpx.Response(200, json=rows({"id": f"o{len(filters)}", "updated": "2026-03-02 14:00:00.000"}))

    with opened(answer) as connector:
        first = list(connector.read(StreamRequest("orders"), None))
        second = list(connector.read(StreamRequest("orders"), first[-1].state))
    assert filters == [None, "updated>=2026-03-02 13:55:00", "isDeleted=true;deleted>=2026-03-02 13:55:00"]
    assert [key for page in second for key in page.tombstones] == ["o3"]


def test_a_mistake_in_the_question_is_told_in_the_systems_words() -> None:
    wrong = {"errors": [{"error": "Ошибка формата: неизвестное поле фильтрации", "code": 1014}]}
    connector = opened(lambda _request: httpx.Response(400, json=wrong))
    with connector, pytest.raises(SourceDataError, match="неизвестное поле фильтрации"):
        list(connector.read(StreamRequest("orders"), None))
    with (
        opened(lambda _request: httpx.Response(415)) as connector,
        pytest.raises(SourceConfigurationError, match="415"),
    ):
        connector.check()
