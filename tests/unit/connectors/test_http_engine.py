"""Retries, waits, redirects, bodies and messages of the HTTP engine; the fake sits at the transport."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from connectors.auth import Auth
from connectors.errors import (
    ComeBackLater,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.http import Answer, Call, HttpEngine
from connectors.limits import Limits
from connectors.manifest import ErrorRule

TOKEN = "geheim-token-123"


class Source:
    """Answers one after another, the last one for ever; remembers requests and waits."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def fetch(
        self,
        *,
        limits: dict[str, Any] | None = None,
        auth: Any = None,
        method: str = "GET",
        url: str = "https://crm.test/a",
        **keywords: Any,
    ) -> Answer:
        engine = HttpEngine(
            "crm",
            httpx.URL("https://crm.test"),
            limits=Limits.model_validate(limits or {}),
            auth=TypeAdapter(Auth).validate_python(auth or {"kind": "none"}),
            transport=httpx.MockTransport(self),
            errors=[ErrorRule.model_validate(rule) for rule in keywords.pop("errors", [])],
            headers=keywords.pop("headers", None),
        )
        try:
            return engine.fetch(
                Call(method, httpx.URL(url), "contacts page 3", "contacts", **keywords), self.waits.append
            )
        finally:
            engine.close()


def ok(data: Any = None) -> httpx.Response:
    return httpx.Response(200, json=data if data is not None else {"ok": True})


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("t"),
        httpx.ReadTimeout("t"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("incomplete chunked read"),
        httpx.Response(200, content=b'{"items": [1, 2'),
    ],
    ids=lambda failure: type(failure).__name__ if isinstance(failure, Exception) else str(failure.status_code),
)
def test_what_may_pass_is_tried_again(failure: Any) -> None:
    source = Source(failure, failure, ok())
    assert source.fetch().data == {"ok": True}
    assert len(source.requests) == 3
    assert 0 < source.waits[0] <= 0.5 < source.waits[1] * 2 <= 2


def test_tries_are_bounded_and_the_message_says_what_happened() -> None:
    source = Source(httpx.Response(503))
    with pytest.raises(RetriableError, match=r"crm:contacts: status 503, after 4 attempt\(s\) at contacts page 3"):
        source.fetch(limits={"attempts": 4})
    assert len(source.requests) == 4


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, CredentialsError, "refused"),
        (403, CredentialsError, "right"),
        (404, SourceConfigurationError, "nothing at this address"),
        (400, SourceConfigurationError, "400"),
        (410, SourceConfigurationError, "410"),
        (501, SourceDataError, "501"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(status: int, kind: type[Exception], words: str) -> None:
    source = Source(httpx.Response(status, json={"error": f"bad {TOKEN}"}))
    with pytest.raises(kind, match=words) as caught:
        source.fetch()
    assert len(source.requests) == 1
    assert "contacts page 3" in str(caught.value)


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "signals", "low", "high"),
    [
        ({"Retry-After": "7"}, [], 7, 7),
        ({"Retry-After": http_date(3607), "Date": http_date(3600)}, [], 6, 8),
        ({"X-Lognex-Retry-After": "2500"}, [{"header": "X-Lognex-Retry-After", "unit": "ms"}], 2.5, 2.5),
        (
            {"X-Reset": lambda: str(int(datetime.now(UTC).timestamp()) + 60)},  # of the test's own time
            [{"header": "X-Reset", "unit": "epoch"}],
            1,
            61,
        ),
        ({"Retry-After": "3", "X-Wait": "9"}, [{"header": "X-Wait"}], 9, 9),
        ({}, [{"path": "time.wait"}], 4, 4),
    ],
)
def test_the_sources_own_waiting_time_is_kept(
    headers: dict[str, Any], signals: list[Any], low: float, high: float
) -> None:
    headers = {name: value() if callable(value) else value for name, value in headers.items()}
    source = Source(httpx.Response(429, headers=headers, json={"time": {"wait": 4}} if not headers else {}), ok())
    source.fetch(limits={"signals": signals})
    assert low <= source.waits[0] <= high


def test_a_wait_beyond_the_bound_comes_back_later_instead_of_sleeping() -> None:
    source = Source(httpx.Response(429, headers={"Retry-After": "7200"}))
    with pytest.raises(ComeBackLater, match="7200 s") as caught:
        source.fetch(limits={"max_wait": "2m"})
    assert timedelta(minutes=119) < caught.value.retry_at - datetime.now(UTC) < timedelta(minutes=121)
    assert source.waits == []


def test_the_sum_of_waits_is_bounded() -> None:
    source = Source(httpx.Response(429, headers={"Retry-After": "50"}))
    with pytest.raises(ComeBackLater):
        source.fetch(limits={"max_wait": "2m"})
    assert source.waits == [50, 50]


def test_an_absurd_waiting_time_is_no_crash() -> None:
    with pytest.raises(ComeBackLater):
        Source(httpx.Response(429, headers={"Retry-After": "9" * 30})).fetch()


def test_html_instead_of_json_is_named() -> None:
    page = httpx.Response(200, html="<!DOCTYPE html><title>Log in</title>")
    with pytest.raises(SourceDataError, match=r"HTML or XML page.*text/html.*login"):
        Source(page).fetch()


@pytest.mark.parametrize("body", [b"", b"   "])
def test_an_empty_body_is_not_an_empty_page(body: bytes) -> None:
    with pytest.raises((SourceDataError, RetriableError)):
        Source(httpx.Response(200, content=body)).fetch()


def test_an_endless_body_is_stopped() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 65536
            yield b"x" * 65536

    with pytest.raises(SourceDataError, match=r"longer than.*max_body"):
        Source(lambda _request: httpx.Response(200, stream=_Stream(endless))).fetch(limits={"max_body": 1_000_000})
    assert taken < 2_000_000


class _Stream(httpx.SyncByteStream):
    def __init__(self, chunks: Callable[[], Iterator[bytes]]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()


def test_another_charset_is_believed_and_a_wrong_one_is_an_error() -> None:
    body = '{"имя": "Анна"}'
    answer = httpx.Response(
        200, content=body.encode("cp1251"), headers={"Content-Type": "application/json; charset=windows-1251"}
    )
    assert Source(answer).fetch().data == {"имя": "Анна"}
    assert Source(httpx.Response(200, content=b"\xef\xbb\xbf" + body.encode())).fetch().data == {"имя": "Анна"}
    with pytest.raises(SourceDataError, match="not JSON"):
        Source(httpx.Response(200, content=body.encode("cp1251"))).fetch()


RULES = [
    {"path": "error", "equals": ["QUERY_LIMIT_EXCEEDED"], "then": "retry", "message": "error_description"},
    {"path": "error", "equals": ["expired_token"], "then": "credentials"},
    {"path": "error", "message": "error_description"},
]


def test_an_error_inside_a_200_body_is_an_error() -> None:
    source = Source(ok({"error": "QUERY_LIMIT_EXCEEDED"}), ok({"result": 1}))
    assert source.fetch(errors=RULES).data == {"result": 1}
    with pytest.raises(CredentialsError):
        Source(ok({"error": "expired_token"})).fetch(errors=RULES)
    with pytest.raises(SourceDataError, match=r"reports an error: no such field \*\*\*"):
        Source(ok({"error": "X", "error_description": f"no such field {TOKEN}"})).fetch(
            errors=RULES, auth={"kind": "bearer", "token": TOKEN}
        )


AUTHS: list[tuple[dict[str, Any], Callable[[httpx.Request], str | None]]] = [
    ({"kind": "bearer", "token": TOKEN}, lambda request: request.headers.get("Authorization")),
    (
        {"kind": "bearer", "token": TOKEN, "prefix": "token"},
        lambda request: request.headers.get("Authorization"),
    ),
    (
        {"kind": "key", "in": "header", "name": "DOLAPIKEY", "value": TOKEN},
        lambda request: request.headers.get("DOLAPIKEY"),
    ),
    (
        {"kind": "key", "in": "query", "name": "key", "value": TOKEN},
        lambda request: request.url.params.get("key"),
    ),
]


@pytest.mark.parametrize(("auth", "seen"), AUTHS)
def test_credentials_go_to_the_source_and_follow_no_redirect_to_another_host(
    auth: dict[str, Any], seen: Callable[[httpx.Request], str | None]
) -> None:
    source = Source(httpx.Response(302, headers={"Location": "https://elsewhere.test/x"}), ok())
    source.fetch(auth=auth, headers={"X-Custom": TOKEN})
    assert TOKEN in (seen(source.requests[0]) or "")
    assert source.requests[1].url.host == "elsewhere.test"
    assert TOKEN not in str(source.requests[1].headers.raw) + str(source.requests[1].url)
    same = Source(httpx.Response(307, headers={"Location": "/b"}), ok())
    same.fetch(auth=auth)
    assert TOKEN in (seen(same.requests[1]) or "")
    plain = Source(httpx.Response(301, headers={"Location": "http://crm.test/a"}), ok())
    plain.fetch(auth=auth)
    assert seen(plain.requests[1]) is None


def test_basic_credentials_are_encoded() -> None:
    source = Source(ok())
    source.fetch(auth={"kind": "basic", "username": "ю", "password": "p:w"})
    assert base64.b64decode(source.requests[0].headers["Authorization"].split()[1]).decode() == "ю:p:w"


def test_a_body_is_not_sent_to_another_host_and_redirects_end() -> None:
    with pytest.raises(SourceDataError, match="elsewhere"):
        Source(httpx.Response(307, headers={"Location": "https://elsewhere.test/x"})).fetch(
            method="POST", content=b"{}"
        )
    with pytest.raises(SourceDataError, match="redirects"):
        Source(httpx.Response(302, headers={"Location": "/again"})).fetch()


def test_broken_tls_is_not_tried_again() -> None:
    source = Source(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))
    with pytest.raises(SourceConfigurationError, match="TLS"):
        source.fetch()
    assert len(source.requests) == 1


@pytest.mark.parametrize(
    "failure", [httpx.Response(401), httpx.Response(500), httpx.ReadTimeout(TOKEN), httpx.ConnectError(TOKEN)]
)
def test_no_secret_reaches_a_message_or_a_log(failure: Any, caplog: pytest.LogCaptureFixture) -> None:
    auth = {"kind": "key", "in": "query", "name": "key", "value": TOKEN}
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception) as caught:
        Source(failure).fetch(auth=auth, limits={"attempts": 2}, url=f"https://crm.test/rest/{TOKEN}/list")
    Source(ok()).fetch(auth=auth)
    logged = "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("connectors", "httpx"))
    )
    assert TOKEN not in str(caught.value) + repr(caught.value) + logged
    assert TOKEN not in repr(TypeAdapter(Auth).validate_python(auth))
