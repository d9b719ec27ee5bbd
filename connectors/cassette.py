"""Recorded exchanges, replayed at the transport: no network, no server.

A cassette is YAML. A request is matched by method, path, parameters and body; of several equal ones the first that was
not used yet answers, and the last one for ever. See docs/connectors/kit.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

import httpx
from pydantic import Field, ValidationError, field_validator

from connectors.errors import SourceConfigurationError
from connectors.settings import Settings, explain


class RecordedRequest(Settings):
    """What is asked. What is not given is not compared, but `params`: none given means none asked."""

    method: str = "GET"
    path: str = Field(description="The whole path as people read it, not percent-encoded.")
    host: str | None = None
    params: dict[str, Any] | Literal["any"] = Field(default_factory=dict)
    body: Any = Field(default=None, description="JSON value, or the members of a form.")
    headers: dict[str, str] = Field(default_factory=dict)


class RecordedResponse(Settings):
    """What is answered: JSON in `body`, or anything in `text`."""

    status: int = 200
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    text: str | None = None

    def as_httpx(self) -> httpx.Response:
        """A fresh response."""
        if self.text is not None:
            return httpx.Response(self.status, text=self.text, headers=self.headers)
        if self.body is None:
            return httpx.Response(self.status, headers=self.headers)
        return httpx.Response(self.status, json=self.body, headers=self.headers)


class Exchange(Settings):
    """One request and its answer."""

    request: RecordedRequest
    response: RecordedResponse = RecordedResponse()


class Expected(Settings):
    """What a pass over a stream must bring."""

    keys: tuple[str, ...] = Field(description="In the order of reading.")
    deleted: tuple[str, ...] = ()
    rejects: int = 0
    rows: int | None = Field(default=None, description="How many records `check` and `discover` tell that it has.")
    options: dict[str, Any] = Field(default_factory=dict, description="The stream's options, where it needs some.")
    key: str | tuple[str, ...] | None = None
    updated_at: str | None = None

    @field_validator("keys", "deleted", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return [str(item) for item in value] if isinstance(value, list) else value


class Later(Settings):
    """The system some time after: what the next pass asks and gets."""

    now: datetime
    exchanges: tuple[Exchange, ...] = ()
    expect: dict[str, Expected]


class Refused(Settings):
    """How the system answers wrong credentials; a plain 401 if this is not given."""

    exchanges: tuple[Exchange, ...]


class WrittenChange(Settings):
    """Values for one record."""

    key: str
    fields: dict[str, Any] = Field(min_length=1)


class Written(Settings):
    """How a stream is written: changes, what is asked and answered, and what becomes of each change."""

    changes: tuple[WrittenChange, ...]
    exchanges: tuple[Exchange, ...] = Field(description="Looked at before the cassette's, each answers once.")
    expect: dict[str, Literal["accepted", "refused", "unknown"]]
    looked: tuple[Exchange, ...] = Field(default=(), description="What the stream's `look` shows afterwards.")


class Cassette(Settings):
    """A system as it was seen: settings of a source (with made-up secrets), exchanges, and what must come of them."""

    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)
    timezone: str = "UTC"
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    source: str | None = Field(default=None, description="Where the shapes come from: documentation, a running system.")
    exchanges: tuple[Exchange, ...]
    expect: dict[str, Expected]
    write: dict[str, Written] = Field(default_factory=dict, description="By stream: how it is written back.")
    later: Later | None = None
    refused: Refused | None = None
    error_inside: RecordedResponse | None = Field(
        default=None, description="An error that the system reports in an answer with status 200."
    )

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        return value if value.tzinfo else value.replace(tzinfo=UTC)


def load_cassette(path: Path) -> Cassette:
    """The cassette in a YAML file. Raises SourceConfigurationError that names the file and each mistake."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return Cassette.model_validate(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    except ValidationError as error:
        raise SourceConfigurationError("; ".join(explain(error)), place=path.name) from None
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        raise SourceConfigurationError(f"not a cassette ({type(error).__name__})", place=path.name) from None


class NotRecorded(AssertionError):
    """The connector asked something that the cassette does not hold; the message shows what, and what is near."""


class Replay(httpx.BaseTransport):
    """Answers from exchanges. `requests` holds what was asked; `change` may replace an answer."""

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        change: Callable[[int, httpx.Request, httpx.Response], httpx.Response] | None = None,
    ) -> None:
        self._left = list(exchanges)
        self._last: dict[int, Exchange] = {}
        self._change = change
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer, as `change` wants it. Raises NotRecorded."""
        request.read()
        self.requests.append(request)
        answer = self._recorded(request)
        return self._change(len(self.requests), request, answer) if self._change else answer

    def _recorded(self, request: httpx.Request) -> httpx.Response:
        asked = seen(request)
        matching = [exchange for exchange in self._left if matches(exchange.request, asked)]
        if not matching:
            raise NotRecorded(_not_recorded(asked, self._left))
        if len(matching) > 1:
            self._left.remove(matching[0])
        return matching[0].response.as_httpx()


def seen(request: httpx.Request) -> RecordedRequest:
    """A request in the cassette's form; secrets in headers are left out."""
    body: Any = None
    if request.content:
        text = request.content.decode("utf-8", "replace")
        if "form" in request.headers.get("content-type", ""):
            body = dict(parse_qsl(text, keep_blank_values=True))
        else:
            try:
                body = json.loads(text)
            except ValueError:
                body = text
    params: dict[str, Any] = {}
    for name, value in request.url.params.multi_items():
        params[name] = [*_many(params[name]), value] if name in params else value
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    path = unquote(request.url.raw_path.decode().partition("?")[0])
    return RecordedRequest(
        method=request.method, path=path, host=request.url.host, params=params, body=body, headers=headers
    )


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def matches(wanted: RecordedRequest, asked: RecordedRequest) -> bool:
    """Method, path, parameters and body are the same; host and headers where the cassette names them."""
    if (wanted.method, wanted.path) != (asked.method, asked.path) or wanted.host not in (None, asked.host):
        return False
    if wanted.params != "any" and _texts(wanted.params) != _texts(asked.params):
        return False
    if wanted.body is not None and _texts(wanted.body) != _texts(asked.body):
        return False
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return all(headers.get(name.lower()) == value for name, value in wanted.headers.items())


def _texts(value: Any) -> Any:
    """Numbers and words compare as text: YAML reads 10 as a number where a query has a text."""
    if isinstance(value, Mapping):
        return {str(name): _texts(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _not_recorded(asked: RecordedRequest, exchanges: Sequence[Exchange]) -> str:
    def shown(request: RecordedRequest) -> str:
        body = json.dumps(request.body, ensure_ascii=False, default=str)
        return f"{request.method} {request.path} params={request.params} body={body}"

    near = [one.request for one in exchanges if (one.request.method, one.request.path) == (asked.method, asked.path)]
    held = "\n  ".join(shown(request) for request in (near or [one.request for one in exchanges])[:10])
    return f"the cassette has no answer to\n  {shown(asked)}\nit has\n  {held}"


@contextmanager
def told() -> Iterator[list[str]]:
    """Everything that is logged within the block, as text."""
    import logging

    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Keep(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
