"""How one stream is asked for: from a position to a request, from an answer to its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.canonical import canonical
from connectors.errors import ConnectorError, SourceConfigurationError, SourceDataError
from connectors.http import Answer, Call, HttpEngine
from connectors.manifest import Manifest, Stream
from connectors.paging import Position, Turn
from connectors.paths import as_text, compile_path
from connectors.registry import hook
from connectors.signing import content_of
from connectors.templates import MissingValue, fill, render


@dataclass(frozen=True, slots=True)
class Asking:
    """How one stream is asked for."""

    source: str
    name: str
    base_url: str
    manifest: Manifest
    stream: Stream
    engine: HttpEngine
    values: Mapping[str, Any]
    timezone: str
    pause: Callable[[float], None]

    def call(self, position: Position, moments: Mapping[str, Any], page: int) -> Call:
        """The request for a position; `moments` are {names} of this question: times, a delta token, parents.

        Raises SourceConfigurationError, and what a login raises.
        """
        stream = self.stream
        # A delta's link stands for the first page of any paging.
        turn = Turn(url=position["url"]) if "url" in position else stream.paging.turn(position)
        values = {**self.values, **turn.values, **moments, **self.engine.session_values()}
        place = f"{stream.method} {stream.path}, page {page}"
        try:
            headers = {name: _header(value) for name, value in render(stream.headers, values).items()}
            if turn.url is not None:
                url = self._given(turn, place)
                body = None if stream.body is None else render(stream.body, values)
            else:
                url, body = self._made(turn, moments, values, headers)
        except MissingValue as error:
            raise self.error(SourceConfigurationError, f"{{{error.args[0]}}} has no value", place) from None
        except httpx.InvalidURL:
            raise self.error(SourceConfigurationError, "the address is not a URL", place) from None
        content, kind = content_of(body, stream.encoding)
        return Call(
            stream.method, url, place, self.name, {**kind, **headers}, content, stream.weight,
            ends=stream.paging.ends | {str(status) for status in stream.empty_on},
            expired=frozenset(stream.delta.expired) if stream.delta and moments.get("is_delta") else frozenset(),
            again=lambda: self.call(position, moments, page),
        )  # fmt: skip

    def fetch(self, position: Position, moments: Mapping[str, Any], page: int) -> tuple[Call, Answer]:
        """The answer for a position, by one request or by the stream's hook."""
        call = self.call(position, moments, page)
        if self.stream.fetch is None:
            return call, self.engine.fetch(call, self.pause)
        answer: Answer = hook(self.stream.fetch)(self, call, position, moments)
        return call, answer

    def _made(
        self, turn: Turn, moments: Mapping[str, Any], values: Mapping[str, Any], headers: dict[str, str]
    ) -> tuple[httpx.URL, Any]:
        stream, changes = self.stream, self.stream.filter
        address = join(fill(self.base_url, values), fill(stream.path, values))
        params = render({**self.manifest.params, **stream.params}, values)
        body = None if stream.body is None else render(stream.body, values)
        extra = dict(turn.params)
        if changes is not None:
            filters: dict[str, Any] = {}
            if changes.param and "since" in moments:
                filters[changes.param] = render(changes.template, values)
            if changes.until_param:
                filters[changes.until_param] = moments["until"]
            if changes.into == "header":
                headers.update({name: str(value) for name, value in filters.items()})
            elif changes.into == "body":
                body = {**(body or {}), **filters}
            else:
                params |= filters
        if stream.delta is not None and stream.delta.param and "delta" in moments:
            params[stream.delta.param] = moments["delta"]
        if stream.delta is not None and not moments.get("is_delta"):
            headers.update(stream.delta.first)
        if stream.paging.into == "body":
            body = {**(body or {}), **extra} if extra else body
        else:
            params |= extra
        texts = {name: _text(value) for name, value in params.items()}
        return (_with(address, texts) if texts else address), body

    def _given(self, turn: Turn, place: str) -> httpx.URL:
        url = httpx.URL(turn.url or "")
        if self.engine.is_own(url):
            return url
        if getattr(self.stream.paging, "keep_host", False):
            base = httpx.URL(fill(self.base_url, self.values))
            return base.copy_with(raw_path=url.raw_path)
        hint = "If that is the same system behind a proxy, set `paging.keep_host: true`"
        raise self.error(SourceDataError, f"the next page lies on another host ({url.host})", place, hint)

    def records(self, answer: Answer, place: str) -> list[Any]:
        """The records of an answer. Raises SourceDataError when they are not where the manifest says."""
        data, stream = answer.data, self.stream
        if data is None:
            return []
        paths = (stream.records,) if isinstance(stream.records, str) else stream.records or ()
        found = next((value for path in paths if (value := _at(path, data)) is not None), None) if paths else data
        if stream.shape == "object" and isinstance(found, dict):
            return [found]
        if stream.shape == "map" and isinstance(found, dict):
            return [one for item in found.values() for one in (item if isinstance(item, list) else [item])]
        if isinstance(found, list):
            return found
        if found is None and paths and (stream.missing_is_empty or any(_is_null(data, path) for path in paths)):
            return []
        where = f"at `{'` or `'.join(paths)}`" if paths else "as the answer"
        names = ", ".join(sorted(data)[:10]) if isinstance(data, dict) else type(data).__name__
        hint = f"The answer has: {self.engine.scrub(names)[:200]}"
        what = "no list of records" if stream.shape == "list" else f"no {stream.shape} of records"
        raise self.error(SourceDataError, f"{what} {where}", place, hint)

    def error(
        self, kind: type[ConnectorError], message: str, place: str | None = None, hint: str | None = None
    ) -> ConnectorError:
        """An error that names source and stream."""
        return kind(message, source=self.source, stream=self.name, place=place, hint=hint)


def _with(address: httpx.URL, params: Mapping[str, Any]) -> httpx.URL:
    """The address with more parameters; a space is %20, because OData services (SAP CAP) take + for a plus sign."""
    merged = address.copy_merge_params(params)
    return merged.copy_with(query=merged.query.replace(b"+", b"%20"))


def join(base: str, path: str) -> httpx.URL:
    """`path` below `base`, whether or not either has its slash; a full address stands for itself."""
    if path.startswith(("http://", "https://")):
        return httpx.URL(path)
    return httpx.URL(f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base)


def _header(value: Any) -> str:
    return str(_text(value)).replace("\r", "").replace("\n", "")


def _at(path: str, data: Any) -> Any:
    """What stands at `path`; with `[]` in it, every value of every element in one list."""
    compiled = compile_path(path)
    if "[]" not in path:
        return compiled.get(data)
    found = [value for value in compiled.all(data) if value is not None]
    return [one for item in found for one in (item if isinstance(item, list) else [item])] if found else None


def _text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    text = as_text(value)
    return text if text is not None else canonical(value).decode()


def _is_null(data: Any, path: str) -> bool:
    """The place is there and says null: an empty page of some systems."""
    return bool(compile_path(path).all(data))
