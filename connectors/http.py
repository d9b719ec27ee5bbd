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
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from connectors.auth import AnyAuth, NoAuth, OAuth2Auth, SessionAuth
from connectors.errors import ComeBackLater, RetriableError
from connectors.exchange import Again, Answer, Call, DeltaExpired, Ended
from connectors.judging import RETRIABLE, Judge, data_of_error
from connectors.limits import BudgetSpent, Limits, Throttle
from connectors.manifest import ErrorRule
from connectors.page import Tell
from connectors.signing import OAuthSigner, SessionSigner, Signer
from connectors.tokens import MemoryTokens, TokenStore
from connectors.transfer import Transfer

__all__ = ["Answer", "Call", "DeltaExpired", "HttpEngine"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_BACKOFF = 60.0


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
        self._base = base_url
        self._values, self._sign = dict(values or {}), sign
        self.tokens: TokenStore = MemoryTokens()
        self.pause: Callable[[float], None] = time.sleep
        """How a login waits that is asked again."""
        self.tell: Tell = lambda _seconds, _why: None
        self._throttle = Throttle(self.limits, clock)
        self._transfer = Transfer(
            source, base_url, self.limits, headers or {}, self._prove, transport=transport, clock=clock
        )
        self._signer = self._make_signer(auth or NoAuth())
        self._judge = Judge(source, self.limits, errors, decoder, self._signer, self._values, self._throttle)

    def _make_signer(self, auth: AnyAuth) -> Signer:
        if isinstance(auth, OAuth2Auth):
            return OAuthSigner(self.source, auth, self._values, self._send_plain, lambda: self.tokens)
        if isinstance(auth, SessionAuth):
            forget = self._transfer.forget
            return SessionSigner(self.source, auth, self._values, self._send_plain, self._base, forget)
        return Signer(auth, self._values)

    def _prove(self, request: httpx.Request) -> None:
        self._signer.apply(request)
        if self._sign is not None:
            self._sign(request, {**self._values, **self._signer.values()})

    def scrub(self, text: str) -> str:
        """`text` without any of this source's secrets."""
        return self._judge.scrub(text)

    def session_values(self) -> Mapping[str, Any]:
        """{names} that the login or the token's answer gave; asks for them first. Raises a ConnectorError."""
        return self._signer.values()

    def _send_plain(
        self, method: str, url: httpx.URL, place: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, Any]:
        """For a signer: nobody's credentials, no redirect; the base headers only for the source itself."""
        own = self._transfer.headers if self.is_own(url) else {}
        call = Call(method, url, place, headers={**own, **headers}, content=content)

        def attempt() -> tuple[int, Any]:
            status, answered, _, body = self._transfer.exchange(call, is_plain=True)
            if status in RETRIABLE:
                raise Again(f"status {status}", self._judge.asked(answered, None))
            return status, data_of_error(body)

        return self._retried(call, attempt, self.pause)

    def close(self) -> None:
        """Close the connections."""
        self._transfer.close()

    def is_own(self, url: httpx.URL) -> bool:
        """The address belongs to the source's own origin, where credentials may go."""
        return self._transfer.is_own(url)

    def fetch(self, call: Call, pause: Callable[[float], None] = time.sleep) -> Answer:
        """The answer to `call`; every wait goes through `pause`. Raises a ConnectorError that says what to do, or
        DeltaExpired."""
        try:
            return self._retried(call, lambda: self._attempt(call, pause), pause)
        except Ended as ended:
            if not self._signer.renew(ended.number):
                raise ended.error from None
            renewed = call.again() if call.again else call
        try:
            return self._retried(renewed, lambda: self._attempt(renewed, pause), pause)
        except Ended as ended:
            raise ended.error from None

    def _retried(self, call: Call, attempt: Callable[[], T], pause: Callable[[float], None]) -> T:
        waited = 0.0

        def wait(state: RetryCallState) -> float:
            nonlocal waited
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.seconds if isinstance(failure, Again) else None
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
            retry=retry_if_exception_type(Again),
            sleep=pause,
            reraise=True,
        )
        try:
            return attempts(attempt)
        except BudgetSpent as spent:
            raise self._later(call, spent.seconds, "its budget is spent") from None
        except Again as failure:
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
            status, headers, url, body = self._transfer.exchange(call)
        return self._judge.judge(call, status, headers, url, body, number)
