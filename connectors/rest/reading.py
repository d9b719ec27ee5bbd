"""One pass over a stream of an HTTP source. State:

{"reading": hash, "pass": n, "since": ISO time, "swept_at": ISO time,
 "at": {"full": bool, "since": ..., "until": ..., "began": ..., "high": ..., "position": {...}, "page": n}}
    # within a pass
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import httpx

from connectors.canonical import canonical
from connectors.errors import ConnectorError, SourceConfigurationError, SourceDataError
from connectors.http import Answer, Call, HttpEngine
from connectors.manifest import Manifest, Stream
from connectors.page import Page, Row, SnapshotMark
from connectors.paging import Position, Turn
from connectors.paths import as_text, compile_path
from connectors.rest.changes import began_at, bounds, next_since
from connectors.rows import Assembler, RowMaker
from connectors.templates import MissingValue, fill, render

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """How one stream is asked for."""

    source: str
    name: str
    base_url: str
    manifest: Manifest
    stream: Stream
    engine: HttpEngine
    values: Mapping[str, str]
    timezone: str
    pause: Callable[[float], None]

    def call(self, position: Position, moments: Mapping[str, Any], page: int) -> Call:
        """The request for a position. Raises SourceConfigurationError."""
        stream, turn = self.stream, self.stream.paging.turn(position)
        values = {**self.values, **turn.values, **moments}
        place = f"{stream.method} {stream.path}, page {page}"
        try:
            headers = {name: fill(text, values) for name, text in stream.headers.items()}
            if turn.url is not None:
                url = self._given(turn, place)
                body = None if stream.body is None else render(stream.body, values)
            else:
                url, body = self._made(turn, moments, values, headers)
        except MissingValue as error:
            raise self.error(SourceConfigurationError, f"{{{error.args[0]}}} has no value", place) from None
        except httpx.InvalidURL:
            raise self.error(SourceConfigurationError, "the address is not a URL", place) from None
        content = None
        if body is not None:
            content = canonical(body)
            headers.setdefault("Content-Type", "application/json")
        return Call(stream.method, url, place, self.name, headers, content, stream.weight, stream.paging.ends)

    def _made(
        self, turn: Turn, moments: Mapping[str, Any], values: Mapping[str, Any], headers: dict[str, str]
    ) -> tuple[httpx.URL, Any]:
        stream, changes = self.stream, self.stream.changes
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
        if stream.paging.into == "body":
            body = {**(body or {}), **extra}
        else:
            params |= extra
        return address.copy_merge_params({name: _text(value) for name, value in params.items()}), body

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
        data = answer.data
        if data is None:
            return []
        found = compile_path(self.stream.records).get(data) if self.stream.records else data
        if isinstance(found, list):
            return found
        if found is None and self.stream.records and _is_null(data, self.stream.records):
            return []
        where = f"at `{self.stream.records}`" if self.stream.records else "as the answer"
        names = ", ".join(sorted(data)[:10]) if isinstance(data, dict) else type(data).__name__
        hint = f"The answer has: {self.engine.scrub(names)[:200]}"
        raise self.error(SourceDataError, f"no list of records {where}", place, hint)

    def error(
        self, kind: type[ConnectorError], message: str, place: str | None = None, hint: str | None = None
    ) -> ConnectorError:
        """An error that names source and stream."""
        return kind(message, source=self.source, stream=self.name, place=place, hint=hint)


def join(base: str, path: str) -> httpx.URL:
    """`path` below `base`, whether or not either has its slash; a full address stands for itself."""
    if path.startswith(("http://", "https://")):
        return httpx.URL(path)
    return httpx.URL(f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base)


def _text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    text = as_text(value)
    return text if text is not None else canonical(value).decode()


def _is_null(data: Any, path: str) -> bool:
    """The place is there and says null: an empty page of some systems."""
    return bool(compile_path(path).all(data))


class Pass:
    """One pass: where it stands, and the pages from there on."""

    def __init__(self, asking: Asking, maker: RowMaker, before: State, now: datetime) -> None:
        self.asking, self.maker, self.before, self.now = asking, maker, before, now
        resumed = before.get("at")
        self.at: State = dict(resumed) if resumed else self._begin()
        self.marks = self.at["full"] and asking.stream.sweep is not None
        # Only passes that mark what they saw are counted, so that a run without news leaves the state as it
        # is.
        self.number = int(before.get("pass", 0)) + (1 if self.marks and not resumed else 0)
        self.high = self.at["high"]
        self._positions: set[bytes] = set()
        self._pages: set[bytes] = set()

    def _begin(self) -> State:
        stream, since = self.asking.stream, self.before.get("since")
        is_full = stream.changes is None or since is None or self._is_sweep_due()
        return {
            "full": is_full,
            "since": None if is_full else since,
            "until": self.now.isoformat(),
            "began": None,
            "high": None,
            "position": stream.paging.start(),
            "page": 1,
        }

    def _is_sweep_due(self) -> bool:
        sweep, swept = self.asking.stream.sweep, self.before.get("swept_at")
        if sweep is None:
            return False
        return swept is None or self.now - datetime.fromisoformat(swept) >= sweep.every

    def pages(self) -> Iterator[Page]:
        """Pages from the checkpoint to the end; the last one carries the state of the next pass."""
        asking, stream = self.asking, self.asking.stream
        changes = stream.changes
        moments = bounds(changes, self.at["since"], self.at["until"], asking.timezone) if changes else {}
        is_flagged = _flagged(stream)
        position: Position | None = self.at["position"]
        page = int(self.at["page"])
        saved = self.before
        # The time makes it unlike any pass of an earlier, forgotten state.
        pass_id = f"{asking.name}-{self.number}-{self.at['until']}"
        while position is not None:
            self._refuse_repeated_position(position, page)
            call = asking.call(position, moments, page)
            answer = asking.engine.fetch(call, asking.pause)
            began = self.at["began"] or began_at(self.now, answer.headers.get("date"))
            records = asking.records(answer, call.place)
            number = page
            assembler = Assembler(
                self.maker,
                lambda place, number=number: f"{stream.path} page {number} record {place}",  # type: ignore[misc]
                is_deleted=is_flagged,
            )
            assembler.add(enumerate(records, start=1))
            made = assembler.finish()
            if records and not self.maker.is_keyless:
                self._refuse_repeated_page(made.rows, call.place)
            self._raise_high(made.rows)
            try:
                position = stream.paging.advance(position, answer, records)
            except SourceDataError as error:
                raise asking.error(SourceDataError, str(error), call.place) from None
            page += 1
            self.at = {**self.at, "began": began, "high": self.high, "position": position, "page": page}
            is_last = position is None
            state = self._final() if is_last else {**self.before, "pass": self.number, "at": dict(self.at)}
            mark = SnapshotMark(pass_id, is_last) if self.marks else None
            # A run without news leaves the state as it is; a state within a pass must not stay behind.
            if made.rows or made.tombstones or made.rejects or mark or (is_last and state != saved):
                saved = state
                total = stream.paging.total_of(answer)
                yield Page(made.rows, state, made.tombstones, made.rejects, mark, answer.size, total)

    def _final(self) -> State:
        stream = self.asking.stream
        final = {name: value for name, value in self.before.items() if name != "at"} | {"pass": self.number}
        if stream.changes is not None:
            has_times = self.maker.has_times
            since = next_since(self.high, self.before.get("since"), self.at["began"], has_times=has_times)
            if since is not None:
                final["since"] = since
        if self.marks and stream.sweep is not None and stream.sweep.every:
            final["swept_at"] = self.at["until"]
        return final

    def _raise_high(self, rows: list[Row]) -> None:
        latest = max((row.updated_at for row in rows if row.updated_at is not None), default=None)
        if latest is not None and (self.high is None or latest > datetime.fromisoformat(self.high)):
            self.high = latest.isoformat()

    def _refuse_repeated_position(self, position: Position, page: int) -> None:
        mark = blake2b(canonical(position), digest_size=8).digest()
        if mark in self._positions:
            message = "the source gave a cursor or address a second time; reading on would never end"
            raise self.asking.error(SourceDataError, message, f"page {page}", "Check `paging`")
        self._positions.add(mark)

    def _refuse_repeated_page(self, rows: list[Row], place: str) -> None:
        if not rows:
            return
        hasher = blake2b(digest_size=8)
        for row in rows:
            hasher.update(row.digest)
        if hasher.digest() in self._pages:
            message = "the source gave the same page a second time; reading on would never end"
            hint = "Check `paging`: does the source know its parameters, and how does it end?"
            raise self.asking.error(SourceDataError, message, place, hint)
        self._pages.add(hasher.digest())


def _flagged(stream: Stream) -> Callable[[Any], bool] | None:
    rule = stream.flag
    if rule is None:
        return None
    get, wanted = compile_path(rule.path).get, frozenset(text.lower() for text in rule.equals)
    return lambda record: (as_text(get(record)) or "").lower() in wanted
