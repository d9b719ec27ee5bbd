"""The HTTP engine: requests throttled, retried here and nowhere else, with answers decoded and bounded.

    HttpEngine(...).fetch(Call("GET", url, place="contacts page 3")) -> Answer

What is tried again: connection and read errors, cut-off answers, 408, 425, 429, 500, 502, 503, 504, and errors inside
an answer that the manifest calls retriable. A wait that the source asks for is kept if it fits `max_wait`, else
ComeBackLater is raised. A token or session that has ended is renewed once.
Credentials go to the source's own origin only; an address with its query is never written into a message or
log.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from connectors.auth import AnyAuth, NoAuth, OAuth2Auth, SessionAuth
from connectors.canonical import TruncatedJsonError, decode
from connectors.errors import (
    ComeBackLater,
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.exchange import Answer, Call, DeltaExpired, NoAddresses, as_utf8, looks_like_markup, origin, unreachable
from connectors.limits import BudgetSpent, Limits, Throttle, seconds_asked_for, seconds_until_refill
from connectors.manifest import ErrorRule
from connectors.page import Tell
from connectors.paths import as_text, compile_path
from connectors.signing import OAuthSigner, SessionSigner, Signer
from connectors.tokens import MemoryTokens, TokenStore

__all__ = ["Answer", "Call", "DeltaExpired", "HttpEngine"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRIABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_MAX_BACKOFF = 60.0


class _Ended(Exception):
    """The token or session was refused; `error` is what to raise if there is no other."""

    def __init__(self, error: ConnectorError, number: int) -> None:
        super().__init__(str(error))
        self.error, self.number = error, number


class _Again(Exception):
    """This attempt failed in a way that may pass."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


_no_addresses = NoAddresses()


class HttpEngine:
    """Requests to one source. Closed by `close`; `transport` and `clock` are given by tests."""

    def __init__(
        self,
        source: str,
        base_url: httpx.URL,
        *,
        auth: AnyAuth | None = None,
        limits: Limits | None = None,
        errors: Iterable[ErrorRule] = (),
        headers: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        decoder: Callable[[bytes, Mapping[str, str]], Any] | None = None,
        sign: Callable[[httpx.Request, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.source, self.limits = source, limits or Limits()
        self._own, self._base = origin(base_url), base_url
        self._values, self._sign = dict(values or {}), sign
        self.tokens: TokenStore = MemoryTokens()
        self.pause: Callable[[float], None] = time.sleep
        """How a login waits that is asked again."""
        self.tell: Tell = lambda _seconds, _why: None
        self._headers = dict(headers or {})
        self._rules = [(rule, compile_path(rule.path) if rule.path else None) for rule in errors]
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
        self._signer = self._make_signer(auth or NoAuth())

    def _make_signer(self, auth: AnyAuth) -> Signer:
        if isinstance(auth, OAuth2Auth):
            return OAuthSigner(self.source, auth, self._values, self._send_plain, lambda: self.tokens)
        if isinstance(auth, SessionAuth):
            forget = self._client.cookies.clear
            return SessionSigner(self.source, auth, self._values, self._send_plain, self._base, forget)
        return Signer(auth, self._values)

    def session_values(self) -> Mapping[str, Any]:
        """{names} that the login or the token's answer gave; asks for them first. Raises a ConnectorError."""
        return self._signer.values()

    def _send_plain(
        self, method: str, url: httpx.URL, place: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, Any]:
        """For a signer: nobody's credentials, no redirect; the base headers only for the source itself."""
        own = self._headers if self.is_own(url) else {}
        call = Call(method, url, place, headers={**own, **headers}, content=content)

        def attempt() -> tuple[int, Any]:
            status, answered, _, body = self._exchange(call, is_plain=True)
            if status in _RETRIABLE:
                raise _Again(f"status {status}", self._asked(answered, None))
            return status, self._data_of_error(body)

        return self._retried(call, attempt, self.pause)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def is_own(self, url: httpx.URL) -> bool:
        """The address belongs to the source's own origin, where credentials may go."""
        return origin(url) == self._own

    def fetch(self, call: Call, pause: Callable[[float], None] = time.sleep) -> Answer:
        """The answer to `call`; every wait goes through `pause`. Raises a ConnectorError that says what to do, or
        DeltaExpired."""
        try:
            return self._retried(call, lambda: self._attempt(call, pause), pause)
        except _Ended as ended:
            if not self._signer.renew(ended.number):
                raise ended.error from None
            renewed = call.again() if call.again else call
        try:
            return self._retried(renewed, lambda: self._attempt(renewed, pause), pause)
        except _Ended as ended:
            raise ended.error from None

    def _retried(self, call: Call, attempt: Callable[[], T], pause: Callable[[float], None]) -> T:
        waited = 0.0

        def wait(state: RetryCallState) -> float:
            nonlocal waited
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.seconds if isinstance(failure, _Again) else None
            seconds = self._backoff(state.attempt_number) if asked is None else asked
            if asked is not None and waited + asked > self.limits.max_wait.total_seconds():
                raise self._later(call, asked, str(failure))
            waited += seconds
            log.info("%s: %s: %s; again in %.1f s", self.source, call.place, failure, seconds)
            self.tell(seconds, str(failure))
            return seconds

        attempts = Retrying(
            stop=stop_after_attempt(self.limits.attempts),
            wait=wait,
            retry=retry_if_exception_type(_Again),
            sleep=pause,
            reraise=True,
        )
        try:
            return attempts(attempt)
        except BudgetSpent as spent:
            raise self._later(call, spent.seconds, "its budget is spent") from None
        except _Again as failure:
            raise RetriableError(
                f"{failure}, after {self.limits.attempts} attempt(s)",
                retry_after=failure.seconds,
                source=self.source,
                stream=call.stream,
                place=call.place,
                hint="Run again later; what was landed stays",
            ) from None

    def _later(self, call: Call, seconds: float, why: str) -> ComeBackLater:
        retry_at = datetime.now(UTC) + timedelta(seconds=min(seconds, 10 * 365 * 86400.0))
        message = f"the source asks to wait {seconds:.0f} s ({why})"
        return ComeBackLater(message, retry_at=retry_at, source=self.source, stream=call.stream, place=call.place)

    def _backoff(self, attempt: int) -> float:
        longest = min(_MAX_BACKOFF, self.limits.backoff.total_seconds() * 2 ** (attempt - 1))
        return float(longest * random.uniform(0.5, 1.0))

    def _attempt(self, call: Call, pause: Callable[[float], None]) -> Answer:
        self._signer.prepare()
        number = self._signer.number

        def budgeted(seconds: float) -> None:
            self.tell(seconds, "its budget of requests")
            pause(seconds)

        with self._throttle.slot(call.weight, budgeted):
            status, headers, url, body = self._exchange(call)
        return self._judge(call, status, headers, url, body, number)

    def _exchange(self, call: Call, *, is_plain: bool = False) -> tuple[int, httpx.Headers, httpx.URL, bytes]:
        """Send, follow redirects, read the bounded body; plain: as it is, and no redirect."""
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                request = self._plain_request(call) if is_plain else self._request(call)
                response = self._client.send(request, stream=True)
                try:
                    if response.status_code in _REDIRECTS and "location" in response.headers:
                        if is_plain:
                            raise self._error(SourceDataError, call, "a redirect; credentials do not follow it")
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
            raise _Again(unreachable(error)) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(f"the answer was cut off ({type(error).__name__})") from None
        except httpx.InvalidURL:
            raise self._error(SourceConfigurationError, call, "the address is not a URL") from None
        raise self._error(SourceDataError, call, f"more than {_MAX_REDIRECTS} redirects")

    def _plain_request(self, call: Call) -> httpx.Request:
        return self._client.build_request(call.method, call.url, headers=call.headers, content=call.content)

    def _request(self, call: Call) -> httpx.Request:
        own = self.is_own(call.url)
        headers = {**self._headers, **call.headers} if own else {}
        request = self._client.build_request(call.method, call.url, headers=headers, content=call.content)
        if own:
            self._signer.apply(request)
            if self._sign is not None:
                self._sign(request, {**self._values, **self._signer.values()})
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

    def _judge(
        self, call: Call, status: int, headers: httpx.Headers, url: httpx.URL, body: bytes, number: int
    ) -> Answer:
        """The answer, or the error that it is; a call that keeps errors gets those that the source words in JSON."""
        if call.keeps_errors and status in range(200, 300) and not body.strip():
            return Answer(status, headers, url, None, len(body))
        try:
            return self._judged(call, status, headers, url, body, number)
        except (SourceDataError, SourceConfigurationError) as error:
            data = self._data_of_error(body) if call.keeps_errors else None
            if data is None:
                raise
            return Answer(status, headers, url, data, len(body), refusal=error.message)

    def _judged(
        self, call: Call, status: int, headers: httpx.Headers, url: httpx.URL, body: bytes, number: int
    ) -> Answer:
        if str(status) in call.ends or status in (204, 304):
            return Answer(status, headers, url, None, len(body))
        if status in call.expired:
            raise DeltaExpired
        if status >= 400:
            data = self._data_of_error(body)
            if status in self._signer.statuses:
                refused = "the credentials were refused, also after a new token or login"
                raise _Ended(self._error(CredentialsError, call, f"{refused} ({status})"), number)
            if self._look_for_errors(call, status, headers, data, number):
                return Answer(status, headers, url, None, len(body))
            raise self._by_status(call, status, headers, data)
        if status not in range(200, 300):
            raise self._error(SourceDataError, call, f"unexpected status {status}")
        data = self._decoded(call, headers, body)
        if self._look_for_errors(call, status, headers, data, number):
            data = None
        self._throttle.hold(seconds_until_refill(self.limits, headers, data, datetime.now(UTC)))
        return Answer(status, headers, url, data, len(body))

    def _decoded(self, call: Call, headers: httpx.Headers, body: bytes) -> Any:
        try:
            decoder = call.decoder or self._decoder
            if decoder is not None:
                return decoder(body, headers)
            return decode(as_utf8(body, headers))
        except TruncatedJsonError:
            if not looks_like_markup(body):
                raise _Again("the answer was cut off (JSON ends too early)") from None
            raise self._not_json(call, headers, body) from None
        except (ValueError, LookupError):
            raise self._not_json(call, headers, body) from None

    def _data_of_error(self, body: bytes) -> Any:
        try:
            return decode(body)
        except ValueError:
            return None

    def _look_for_errors(self, call: Call, status: int, headers: httpx.Headers, data: Any, number: int) -> bool:
        """Raises what the manifest's rules find; True: the answer is an empty page."""
        for rule, path in self._rules:
            if rule.status and status not in rule.status:
                continue
            if path is not None:
                found = path.get(data)
                if found in (None, False, "", [], {}) or (rule.equals and as_text(found) not in rule.equals):
                    continue
            if rule.then == "empty":
                return True
            if rule.then == "expired":
                raise DeltaExpired
            words = self._words(rule, data)
            if rule.then == "retry":
                asked = self._asked(headers, data)
                raise _Again(
                    f"the source reports an error{words}",
                    rule.wait.total_seconds() if asked is None and rule.wait is not None else asked,
                )
            kind = CredentialsError if rule.then in ("credentials", "login") else SourceDataError
            error = self._error(kind, call, f"the source reports an error{words}")
            raise _Ended(error, number) if rule.then == "login" else error
        return False

    def _words(self, rule: ErrorRule, data: Any) -> str:
        path = rule.message or rule.path
        text = as_text(compile_path(path).get(data)) if path else None
        return f": {self.scrub(text)[:200]}" if text else ""

    def scrub(self, text: str) -> str:
        """`text` without any of this source's secrets."""
        for secret in {*self._signer.secrets(), *self._values.values()}:
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
        if looks_like_markup(body):
            hint = "Does the address lead to a login page or a proxy?"
            return self._error(SourceDataError, call, f"an HTML or XML page came instead of JSON ({kind})", hint)
        return self._error(SourceDataError, call, f"the answer is not JSON ({kind}, {len(body)} bytes)")

    def _error(self, kind: type[ConnectorError], call: Call, message: str, hint: str | None = None) -> ConnectorError:
        return kind(message, source=self.source, stream=call.stream, place=call.place, hint=hint)
