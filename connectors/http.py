"""The HTTP engine: one request at a time, throttled, retried here and nowhere else, with answers decoded
and bounded.

    HttpEngine(...).fetch(Call("GET", url, place="contacts page 3")) -> Answer

What is tried again: connection and read errors, cut-off answers, 408, 429, 500, 502, 503, 504, and errors
inside an answer that the
manifest calls retriable. A wait that the source asks for is kept if it fits `max_wait`, else ComeBackLater
is raised.
Credentials go to the source's own origin only; an address with its query is never written into a message or
log.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from connectors.auth import NoAuth
from connectors.canonical import TruncatedJsonError, decode
from connectors.errors import (
    ComeBackLater,
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.limits import Limits, Throttle, seconds_asked_for
from connectors.manifest import ErrorRule
from connectors.paths import as_text, compile_path

log = logging.getLogger(__name__)

_RETRIABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_MAX_BACKOFF = 60.0


class _Again(Exception):
    """This attempt failed in a way that may pass."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `place` names it in messages; `ends` are statuses that are answers here, not errors."""

    method: str
    url: httpx.URL
    place: str
    stream: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    weight: float = 1
    ends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded answer; `data` is None for statuses without a body (204, and those in `Call.ends`)."""

    status: int
    headers: httpx.Headers
    url: httpx.URL
    data: Any
    size: int


class _NoAddresses(logging.Filter):
    """httpx logs each request's full address at INFO; a key may stand in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_no_addresses = _NoAddresses()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


class HttpEngine:
    """Requests to one source. Closed by `close`; `transport` and `clock` are given by tests."""

    def __init__(
        self,
        source: str,
        base_url: httpx.URL,
        *,
        auth: NoAuth | None = None,
        limits: Limits | None = None,
        errors: Iterable[ErrorRule] = (),
        headers: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        decoder: Callable[[bytes], Any] = decode,
    ) -> None:
        self.source, self.limits = source, limits or Limits()
        self._own = _origin(base_url)
        self._auth, self._values = auth or NoAuth(), dict(values or {})
        self._headers = dict(headers or {})
        self._rules = [(rule, compile_path(rule.path)) for rule in errors]
        self._clock, self._decoder = clock, decoder
        self._throttle = Throttle(self.limits, clock)
        logging.getLogger("httpx").addFilter(_no_addresses)
        self._client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            timeout=httpx.Timeout(
                self.limits.timeout.total_seconds(), connect=min(20.0, self.limits.timeout.total_seconds())
            ),
            headers={"Accept": "application/json", "User-Agent": "onefold"},
            limits=httpx.Limits(max_connections=self.limits.parallel, max_keepalive_connections=self.limits.parallel),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def is_own(self, url: httpx.URL) -> bool:
        """The address belongs to the source's own origin, where credentials may go."""
        return _origin(url) == self._own

    def fetch(self, call: Call, pause: Callable[[float], None] = time.sleep) -> Answer:
        """The answer to `call`; every wait goes through `pause`. Raises a ConnectorError that says what to
        do."""
        waited = 0.0

        def wait(attempt: RetryCallState) -> float:
            nonlocal waited
            failure = attempt.outcome.exception() if attempt.outcome else None
            asked = failure.seconds if isinstance(failure, _Again) else None
            seconds = self._backoff(attempt.attempt_number) if asked is None else asked
            if asked is not None and waited + asked > self.limits.max_wait.total_seconds():
                retry_at = datetime.now(UTC) + timedelta(seconds=min(asked, 10 * 365 * 86400.0))
                raise ComeBackLater(
                    f"the source asks to wait {asked:.0f} s ({failure})", retry_at=retry_at,
                    source=self.source, stream=call.stream, place=call.place,
                )  # fmt: skip
            waited += seconds
            log.info("%s: %s: %s; again in %.1f s", self.source, call.place, failure, seconds)
            return seconds

        attempts = Retrying(
            stop=stop_after_attempt(self.limits.attempts),
            wait=wait,
            retry=retry_if_exception_type(_Again),
            sleep=pause,
            reraise=True,
        )
        try:
            return attempts(self._attempt, call, pause)
        except _Again as failure:
            raise RetriableError(
                f"{failure}, after {self.limits.attempts} attempt(s)",
                retry_after=failure.seconds,
                source=self.source,
                stream=call.stream,
                place=call.place,
                hint="Run again later; what was landed stays",
            ) from None

    def _backoff(self, attempt: int) -> float:
        longest = min(_MAX_BACKOFF, self.limits.backoff.total_seconds() * 2 ** (attempt - 1))
        return float(longest * random.uniform(0.5, 1.0))

    def _attempt(self, call: Call, pause: Callable[[float], None]) -> Answer:
        with self._throttle.slot(call.weight, pause):
            status, headers, url, body = self._exchange(call)
        return self._judge(call, status, headers, url, body)

    def _exchange(self, call: Call) -> tuple[int, httpx.Headers, httpx.URL, bytes]:
        """Send, follow redirects, read the bounded body."""
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                request = self._request(call)
                response = self._client.send(request, stream=True)
                try:
                    if response.status_code in _REDIRECTS and "location" in response.headers:
                        call = self._redirected(call, response)
                        continue
                    return response.status_code, response.headers, request.url, self._body(call, response)
                finally:
                    response.close()
        except httpx.TimeoutException as error:
            raise _Again(f"the source did not answer in time ({type(error).__name__})") from None
        except httpx.UnsupportedProtocol:
            raise self._error(SourceConfigurationError, call, "the address is neither http nor https") from None
        except httpx.ConnectError as error:
            if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "SSL" in str(error):
                message = "the source's TLS certificate or protocol is not accepted"
                raise self._error(
                    SourceConfigurationError, call, message, "Check the address and its certificate"
                ) from None
            raise _Again("the source cannot be reached") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(f"the answer was cut off ({type(error).__name__})") from None
        except httpx.InvalidURL:
            raise self._error(SourceConfigurationError, call, "the address is not a URL") from None
        raise self._error(SourceDataError, call, f"more than {_MAX_REDIRECTS} redirects")

    def _request(self, call: Call) -> httpx.Request:
        own = self.is_own(call.url)
        headers = {**self._headers, **call.headers} if own else {}
        request = self._client.build_request(call.method, call.url, headers=headers, content=call.content)
        if own:
            self._auth.apply(request, self._values)
        return request

    def _redirected(self, call: Call, response: httpx.Response) -> Call:
        target = call.url.join(response.headers["location"])
        method, content = call.method, call.content
        if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
            method, content = "GET", None
        if not self.is_own(target) and (content is not None or method != "GET"):
            # A body may hold credentials.
            raise self._error(SourceDataError, call, f"a redirect to another host ({target.host}) for a {call.method}")
        return replace(call, url=target, method=method, content=content)

    def _body(self, call: Call, response: httpx.Response) -> bytes:
        limit, began = self.limits.max_body, self._clock()
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                message = f"the answer is longer than {limit // 1024} KiB"
                raise self._error(SourceDataError, call, message, "Ask for smaller pages, or raise `limits.max_body`")
            if self._clock() - began > self.limits.max_duration.total_seconds():
                raise self._error(SourceDataError, call, f"the answer does not end ({size} bytes so far)")
        return b"".join(chunks)

    def _judge(self, call: Call, status: int, headers: httpx.Headers, url: httpx.URL, body: bytes) -> Answer:
        """The answer, or the error that it is."""
        if str(status) in call.ends or status in (204, 304):
            return Answer(status, headers, url, None, len(body))
        if status >= 400:
            data = self._data_of_error(body)
            self._look_for_errors(call, status, headers, data)
            raise self._by_status(call, status, headers, data)
        if status not in range(200, 300):
            raise self._error(SourceDataError, call, f"unexpected status {status}")
        try:
            data = self._decoder(_as_utf8(body, headers))
        except TruncatedJsonError:
            if not _looks_like_markup(body):
                raise _Again("the answer was cut off (JSON ends too early)") from None
            raise self._not_json(call, headers, body) from None
        except (ValueError, LookupError):
            raise self._not_json(call, headers, body) from None
        self._look_for_errors(call, status, headers, data)
        return Answer(status, headers, url, data, len(body))

    def _data_of_error(self, body: bytes) -> Any:
        try:
            return self._decoder(body)
        except ValueError:
            return None

    def _look_for_errors(self, call: Call, status: int, headers: httpx.Headers, data: Any) -> None:
        for rule, path in self._rules:
            if rule.status and status not in rule.status:
                continue
            found = path.get(data)
            text = as_text(found)
            if found in (None, False, "", [], {}) or (rule.equals and text not in rule.equals):
                continue
            words = self._words(rule, data)
            if rule.then == "retry":
                raise _Again(f"the source reports an error{words}", self._asked(headers, data))
            kind = CredentialsError if rule.then == "credentials" else SourceDataError
            raise self._error(kind, call, f"the source reports an error{words}")

    def _words(self, rule: ErrorRule, data: Any) -> str:
        text = (
            as_text(compile_path(rule.message).get(data))
            if rule.message
            else as_text(compile_path(rule.path).get(data))
        )
        return f": {self.scrub(text)[:200]}" if text else ""

    def scrub(self, text: str) -> str:
        """`text` without any of this source's secrets."""
        secrets = {secret.get_secret_value() for secret in self._auth.secrets()} | set(self._values.values())
        for secret in secrets:
            if len(secret) > 3:
                text = text.replace(secret, "***")
        return text

    def _asked(self, headers: httpx.Headers, data: Any) -> float | None:
        return seconds_asked_for(self.limits, headers, data, datetime.now(UTC))

    def _by_status(self, call: Call, status: int, headers: httpx.Headers, data: Any) -> Exception:
        if status in _RETRIABLE:
            return _Again(f"status {status}", self._asked(headers, data))
        if status == 401:
            return self._error(
                CredentialsError,
                call,
                "the credentials were refused (401)",
                "Renew the secret of this source",
            )
        if status == 403:
            hint = "Grant the user or token the right to read this"
            return self._error(CredentialsError, call, "the credentials lack a right (403)", hint)
        if status == 404:
            return self._error(
                SourceConfigurationError,
                call,
                "there is nothing at this address (404)",
                "Check `base_url` and `path`",
            )
        kind = SourceConfigurationError if status < 500 else SourceDataError
        return self._error(kind, call, f"the source answered with status {status}")

    def _not_json(self, call: Call, headers: httpx.Headers, body: bytes) -> ConnectorError:
        kind = headers.get("content-type", "").split(";")[0].strip() or "no content type"
        if not body.strip():
            return self._error(SourceDataError, call, "the answer is empty")
        if _looks_like_markup(body):
            hint = "Does the address lead to a login page or a proxy?"
            return self._error(SourceDataError, call, f"an HTML or XML page came instead of JSON ({kind})", hint)
        return self._error(SourceDataError, call, f"the answer is not JSON ({kind}, {len(body)} bytes)")

    def _error(self, kind: type[ConnectorError], call: Call, message: str, hint: str | None = None) -> ConnectorError:
        return kind(message, source=self.source, stream=call.stream, place=call.place, hint=hint)


def _looks_like_markup(body: bytes) -> bool:
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _as_utf8(body: bytes, headers: httpx.Headers) -> bytes:
    """JSON is UTF-8; an answer that says otherwise is believed."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    kind = headers.get("content-type", "")
    if "charset=" in kind:
        charset = kind.split("charset=", 1)[1].split(";")[0].strip("\"' ").lower()
        if charset not in ("utf-8", "utf8", "us-ascii", ""):
            return body.decode(charset).encode()
    return body
