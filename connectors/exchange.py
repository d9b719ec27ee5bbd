"""What goes to a source and what comes back."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.errors import ConnectorError


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
    expired: frozenset[int] = frozenset()
    """Statuses that say that a delta token is too old."""
    decoder: Callable[[bytes, Mapping[str, str]], Any] | None = None
    """For an answer that is no JSON."""
    keeps_errors: bool = False
    """A refusal in JSON is an answer, such as to a write: its words stand in `Answer.refusal`."""
    again: Callable[[], Call] | None = None
    """Makes the call anew when the session whose values stand in it has been renewed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded answer; `data` is None for statuses without a body (204, and those in `Call.ends`)."""

    status: int
    headers: httpx.Headers
    url: httpx.URL
    data: Any
    size: int
    refusal: str | None = None


class DeltaExpired(Exception):
    """The source no longer knows the delta token; the stream is read anew."""


class NoAddresses(logging.Filter):
    """httpx logs each request's full address at INFO; a key may stand in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


def looks_like_markup(body: bytes) -> bool:
    """HTML or XML came where JSON was expected."""
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def as_utf8(body: bytes, headers: httpx.Headers) -> bytes:
    """JSON is UTF-8; an answer that says otherwise is believed."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    kind = headers.get("content-type", "")
    if "charset=" in kind:
        charset = kind.split("charset=", 1)[1].split(";")[0].strip("\"' ").lower()
        if charset not in ("utf-8", "utf8", "us-ascii", ""):
            return body.decode(charset).encode()
    return body


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: credentials stay within."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def unreachable(error: httpx.ConnectError) -> str:
    """Why nobody answers, with the host's name and nothing else of the address."""
    host = error.request.url.host
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return f"the source cannot be reached: there is no host {host}, or its name cannot be looked up here"
        if isinstance(cause, ConnectionRefusedError):
            return f"the source cannot be reached: nothing listens at {host}"
        cause = cause.__cause__ or cause.__context__
    return f"the source cannot be reached: no way to {host}"


class Ended(Exception):
    """The token or session was refused; `error` is what to raise if there is no other."""

    def __init__(self, error: ConnectorError, number: int) -> None:
        super().__init__(str(error))
        self.error, self.number = error, number


class Again(Exception):
    """This attempt failed in a way that may pass; `seconds` is what the source asks to wait, if it does."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


def fault(source: str, kind: type[ConnectorError], call: Call, message: str, hint: str | None = None) -> ConnectorError:
    """An error that names source, stream and place of a call."""
    return kind(message, source=source, stream=call.stream, place=call.place, hint=hint)
