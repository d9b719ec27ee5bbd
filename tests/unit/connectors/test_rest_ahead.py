"""The next page is on its way while this one's rows are made, and never more than that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError
from connectors.page import StreamRequest
from connectors.rest.connector import RestConnector

STREAM: dict[str, Any] = {"path": "c", "records": "items", "key": "id", "paging": {"kind": "page", "pages": "pages"}}


def source(handler: Callable[[int], Any], **manifest: Any) -> RestConnector:
    """A source whose pages `handler` gives."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=handler(int(request.url.params["page"])))

    settings = {"manifest": {"base_url": "https://crm.test/", "streams": {"c": STREAM}, **manifest}}
    return RestConnector("crm", settings, transport=httpx.MockTransport(answer))


def ids_of(connector: RestConnector) -> list[str]:
    with connector:
        return [row.key for page in connector.read(StreamRequest("c"), None) for row in page.rows]


def test_answers_come_one_after_the_other_in_order_and_each_page_once() -> None:
    asked: list[int] = []
    under_way = threading.Semaphore(1)

    def page(number: int) -> Any:
        assert under_way.acquire(blocking=False), "two requests at once"
        asked.append(number)
        time.sleep(0.01)
        under_way.release()
        return {"items": [{"id": number}], "pages": 6}

    assert ids_of(source(page)) == ["1", "2", "3", "4", "5", "6"]
    assert asked == [1, 2, 3, 4, 5, 6]


def test_a_slow_answer_and_slow_rows_take_the_longer_of_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.rest.reading import Pass

    made = Pass._made

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.1)
        return made(*arguments)

    monkeypatch.setattr(Pass, "_made", slowly)

    def page(number: int) -> Any:
        time.sleep(0.1)
        return {"items": [{"id": number}], "pages": 8}

    started = time.monotonic()
    assert len(ids_of(source(page))) == 8
    assert time.monotonic() - started < 8 * 0.2 - 0.2


def test_an_error_of_the_next_page_comes_after_this_one() -> None:
    def page(number: int) -> Any:
        return {"items": [{"id": number}], "pages": 5} if number < 3 else {"error": "no right"}

    seen: list[str] = []
    with source(page, errors=[{"path": "error", "then": "credentials"}]) as connector:
        pages = connector.read(StreamRequest("c"), None)
        for _ in range(2):
            seen += [row.key for row in next(pages).rows]
        with pytest.raises(CredentialsError):
            next(pages)
    assert seen == ["1", "2"]


def test_who_stops_reading_leaves_nothing_running() -> None:
    with source(lambda number: {"items": [{"id": number}], "pages": 9}) as connector:
        pages = connector.read(StreamRequest("c"), None)
        next(pages)
        pages.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("onefold-")]


def test_a_window_that_may_be_halved_is_not_asked_ahead() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        first = (int(request.url.params["page"]) - 1) * 2
        return httpx.Response(
            200, json={"items": [{"id": number, "at": "2026-01-01"} for number in (first, first + 1)]}
        )

    changes = {"param": "from", "until_param": "to", "window": "365d", "cap": 2, "start": "2026-01-01", "lookback": 0}
    stream = {**STREAM, "paging": {"kind": "page", "end": ["empty"]}, "updated_at": "at", "changes": changes}
    settings = {"manifest": {"base_url": "https://crm.test/", "streams": {"c": stream}}}
    with RestConnector("crm", settings, transport=httpx.MockTransport(answer)) as connector:
        next(iter(connector.read(StreamRequest("c"), None)))
        time.sleep(0.05)
    assert all(one["page"] == "1" for one in asked)
