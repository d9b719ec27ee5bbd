"""Whether an answer is one: by its status, by what stands in it, by the manifest's rules; else the error that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.canonical import TruncatedJsonError, decode
from connectors.errors import (
    ConnectorError,
    CredentialsError,
    NotInstalledError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.exchange import Again, Answer, Call, DeltaExpired, Ended, as_utf8, fault, looks_like_markup
from connectors.limits import Limits, Throttle, seconds_asked_for, seconds_until_refill
from connectors.manifest import ErrorRule
from connectors.paths import as_text, compile_path
from connectors.signing import Signer

RETRIABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may pass."""


def data_of_error(body: bytes) -> Any:
    """What a refusal says in JSON; None where it is none."""
    try:
        return decode(body)
    except ValueError:
        return None


class Judge:
    """Judges the answers of one source; what it says of its budget holds the throttle."""

    def __init__(
        self,
        source: str,
        limits: Limits,
        errors: Iterable[ErrorRule],
        decoder: Callable[[bytes, Mapping[str, str]], Any] | None,
        signer: Signer,
        values: Mapping[str, str],
        throttle: Throttle,
    ) -> None:
        self.source, self.limits, self._decoder = source, limits, decoder
        self._rules = [(rule, compile_path(rule.path) if rule.path else None) for rule in errors]
        self._signer, self._values, self._throttle = signer, values, throttle

    def judge(
        self, call: Call, status: int, headers: httpx.Headers, url: httpx.URL, body: bytes, number: int
    ) -> Answer:
        """The answer, or the error that it is; a call that keeps errors gets those that the source words in JSON."""
        if call.keeps_errors and status in range(200, 300) and not body.strip():
            return Answer(status, headers, url, None, len(body))
        try:
            return self._judged(call, status, headers, url, body, number)
        except (SourceDataError, SourceConfigurationError) as error:
            data = data_of_error(body) if call.keeps_errors else None
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
            data = data_of_error(body)
            if status in self._signer.statuses:
                refused = "the credentials were refused, also after a new token or login"
                raise Ended(self._fault(CredentialsError, call, f"{refused} ({status})"), number)
            if self._look_for_errors(call, status, headers, data, number):
                return Answer(status, headers, url, None, len(body))
            raise self._by_status(call, status, headers, data)
        if status not in range(200, 300):
            raise self._fault(SourceDataError, call, f"unexpected status {status}")
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
                raise Again("the answer was cut off (JSON ends too early)") from None
            raise self._not_json(call, headers, body) from None
        except (ValueError, LookupError):
            raise self._not_json(call, headers, body) from None

    def _look_for_errors(self, call: Call, status: int, headers: httpx.Headers, data: Any, number: int) -> bool:
        """Raises what the manifest's rules find; True: the answer is an empty page."""
        for rule, path in self._rules:
            if rule.status and status not in rule.status:
                continue
            if path is not None:
                found = path.get(data)
                if found in (None, False, "", [], {}) or (rule.equals and as_text(found) not in rule.equals):
                    continue
                if rule.contains and not any(word in (as_text(found) or "") for word in rule.contains):
                    continue
            if rule.then == "empty":
                return True
            if rule.then == "expired":
                raise DeltaExpired
            words = self._words(rule, data)
            if rule.then == "retry":
                asked = self.asked(headers, data)
                raise Again(
                    f"the source reports an error{words}",
                    rule.wait.total_seconds() if asked is None and rule.wait is not None else asked,
                )
            if rule.then == "absent":
                hint = "Take the stream out of config/sources, or install the app or module that it belongs to"
                raise self._fault(NotInstalledError, call, f"it is not installed in this system{words}", hint)
            kind = CredentialsError if rule.then in ("credentials", "login") else SourceDataError
            error = self._fault(kind, call, f"the source reports an error{words}")
            raise Ended(error, number) if rule.then == "login" else error
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

    def asked(self, headers: httpx.Headers, data: Any) -> float | None:
        return seconds_asked_for(self.limits, headers, data, datetime.now(UTC))

    def _by_status(self, call: Call, status: int, headers: httpx.Headers, data: Any) -> Exception:
        if status in RETRIABLE:
            return Again(f"status {status}", self.asked(headers, data))
        if status == 401:
            return self._fault(
                CredentialsError,
                call,
                "the credentials were refused (401)",
                "Renew the secret of this source",
            )
        if status == 403:
            hint = "Grant the user or token the right to read this"
            return self._fault(CredentialsError, call, "the credentials lack a right (403)", hint)
        if status == 404:
            return self._fault(
                SourceConfigurationError,
                call,
                "there is nothing at this address (404)",
                "Check `base_url` and `path`",
            )
        kind = SourceConfigurationError if status < 500 else SourceDataError
        return self._fault(kind, call, f"the source answered with status {status}")

    def _not_json(self, call: Call, headers: httpx.Headers, body: bytes) -> ConnectorError:
        kind = headers.get("content-type", "").split(";")[0].strip() or "no content type"
        if not body.strip():
            return self._fault(SourceDataError, call, "the answer is empty")
        if looks_like_markup(body):
            hint = "Does the address lead to a login page or a proxy?"
            return self._fault(SourceDataError, call, f"an HTML or XML page came instead of JSON ({kind})", hint)
        return self._fault(SourceDataError, call, f"the answer is not JSON ({kind}, {len(body)} bytes)")

    def _fault(self, kind: type[ConnectorError], call: Call, message: str, hint: str | None = None) -> ConnectorError:
        return fault(self.source, kind, call, message, hint)
