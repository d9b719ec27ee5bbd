"""The HTTP engine against a real server: cut-off bodies, silence, packing, keep-alive, closing."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import CredentialsError, RetriableError, SourceConfigurationError, SourceDataError
from connectors.page import Page, StreamRequest
from connectors.registry import open_connector

PEOPLE = [{"id": number, "name": f"Person {number}"} for number in range(100)]
FAST = {"attempts": 3, "backoff": 0.02, "timeout": 0.5}


def settings(url: str, **manifest: Any) -> dict[str, Any]:
    stream = {"path": "contacts", "records": "items", "key": "id", "paging": {"kind": "offset", "limit": 10}}
    return {"manifest": {"base_url": url, "limits": FAST, "streams": {"contacts": stream}, **manifest}}


def read(url: str, state: Any = None, **manifest: Any) -> list[Page]:
    with open_connector("rest", "crm", settings(url, **manifest)) as connector:
        return list(connector.read(StreamRequest("contacts"), state))


def land(connector: Any, landed: list[Page]) -> None:
    for page in connector.read(StreamRequest("contacts"), None):
        landed.append(page)


def page_of(handler: BaseHTTPRequestHandler) -> bytes:
    offset = int(parse_qs(urlsplit(handler.path).query).get("offset", ["0"])[0])
    return json.dumps({"items": PEOPLE[offset : offset + 10]}).encode()


def test_a_register_comes_in_whole_through_failures(source_server: Any, answer: Callable[..., None]) -> None:
    counts: dict[str, int] = {}

    def bad(handler: BaseHTTPRequestHandler) -> None:
        count = counts[handler.path] = counts.get(handler.path, 0) + 1
        body = page_of(handler)
        if "offset=20" in handler.path and count == 1:
            answer(handler, b"{}", 429, Retry_After="0")
        elif "offset=30" in handler.path and count == 1:
            answer(handler, b"oops", 500)
        elif "offset=40" in handler.path and count == 1:
            # Promises more than it sends.
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:50])
            handler.close_connection = True
        elif "offset=50" in handler.path and count == 1:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"5\r\n" + body[:5] + b"\r\n")
            handler.close_connection = True
        elif "offset=60" in handler.path and count == 1:
            # No length at all: only the JSON shows that it is cut off.
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(body[:60])
            handler.close_connection = True
        elif "offset=70" in handler.path and count == 1:
            time.sleep(1)
        elif "offset=80" in handler.path and count == 1:
            answer(handler, b"this is not gzip", Content_Encoding="gzip")
        elif "offset=90" in handler.path:
            answer(handler, gzip.compress(body), Content_Encoding="gzip")
        else:
            answer(handler, body)

    with source_server(bad) as url:
        pages = read(url)
    assert [row.key for page in pages for row in page.rows] == [str(number) for number in range(100)]
    assert all(counts[f"/contacts?limit=10&offset={offset}"] == 2 for offset in (20, 30, 40, 50, 60, 70, 80))


def test_a_run_that_fails_in_the_middle_goes_on_there(source_server: Any, answer: Callable[..., None]) -> None:
    is_broken = True

    def flaky(handler: BaseHTTPRequestHandler) -> None:
        if "offset=50" in handler.path and is_broken:
            answer(handler, b"", 503)
        else:
            answer(handler, page_of(handler))

    landed: list[Page] = []
    with source_server(flaky) as url:
        with (
            pytest.raises(RetriableError, match="status 503"),
            open_connector("rest", "crm", settings(url)) as connector,
        ):
            land(connector, landed)
        is_broken = False
        rest = read(url, landed[-1].state)
    assert [row.key for page in [*landed, *rest] for row in page.rows] == [str(number) for number in range(100)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialsError),
        (403, CredentialsError),
        (404, SourceConfigurationError),
        (429, RetriableError),
        (500, RetriableError),
    ],
)
def test_a_status_says_what_to_do(
    source_server: Any, answer: Callable[..., None], status: int, kind: type[Exception]
) -> None:
    with source_server(lambda handler: answer(handler, b"{}", status)) as url:
        with pytest.raises(kind, match="crm:contacts"):
            read(url)
        with open_connector("rest", "crm", settings(url)) as connector, pytest.raises(kind):
            connector.check()


def test_nobody_at_the_address_and_silence_are_told(source_server: Any, answer: Callable[..., None]) -> None:
    with pytest.raises(RetriableError, match=r"nothing listens at 127\.0\.0\.1"):
        read("http://127.0.0.1:9")
    with pytest.raises(RetriableError, match=r"there is no host nobody\.invalid"):
        read("http://nobody.invalid/secret-path")
    stop = threading.Event()
    with source_server(lambda _handler: stop.wait(10) and None) as url:
        with pytest.raises(RetriableError, match="did not answer in time"):
            read(url, limits={**FAST, "attempts": 1, "timeout": 0.2})
        stop.set()


def test_plain_http_behind_https_is_a_configuration_error(source_server: Any, answer: Callable[..., None]) -> None:
    with (
        source_server(lambda handler: answer(handler, b"[]")) as url,
        pytest.raises((SourceConfigurationError, RetriableError), match="crm:contacts"),
    ):
        read(url.replace("http://", "https://"))
    assert ssl.OPENSSL_VERSION


def test_a_body_that_unpacks_to_too_much_is_stopped(source_server: Any, answer: Callable[..., None]) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with (
        source_server(lambda handler: answer(handler, bomb, Content_Encoding="gzip")) as url,
        pytest.raises(SourceDataError, match="longer than"),
    ):
        read(url, limits={**FAST, "max_body": 1_000_000})


def test_a_login_page_is_named(source_server: Any, answer: Callable[..., None]) -> None:
    with (
        source_server(lambda handler: answer(handler, b"<html>Log in</html>", Content_Type="text/html")) as url,
        pytest.raises(SourceDataError, match="HTML"),
    ):
        read(url)


def test_leaving_early_closes_everything(source_server: Any, answer: Callable[..., None]) -> None:
    with (
        source_server(lambda handler: answer(handler, page_of(handler))) as url,
        open_connector("rest", "crm", settings(url)) as connector,
    ):
        pages = iter(connector.read(StreamRequest("contacts"), None))
        next(pages)
        pages.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "onefold-prefetch"]


def test_a_budget_holds_against_a_real_clock(source_server: Any, answer: Callable[..., None]) -> None:
    times: list[float] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        answer(handler, page_of(handler))

    with source_server(note) as url:
        read(url, limits={**FAST, "rate": 20})
    assert len(times) == 11
    assert times[-1] - times[0] >= 10 / 20 - 0.03
