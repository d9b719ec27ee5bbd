"""Reads an HTTP source as its manifest says."""

from __future__ import annotations

import difflib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import httpx
from pydantic import ValidationError

from connectors.auth import AnyAuth
from connectors.canonical import canonical
from connectors.errors import (
    ConnectorError,
    CredentialsError,
    NotInstalledError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.fields import SAMPLE, likely_key, profile
from connectors.http import HttpEngine
from connectors.manifest import Described, Manifest, RestSettings, Stream, in_english
from connectors.manifest_file import load_manifest
from connectors.page import Change, CheckResult, Page, Receipt, State, StreamInfo, StreamRequest, Tell, Writing
from connectors.prefetch import Stopped, prefetch
from connectors.protocols import expand_stream, is_odata
from connectors.registry import hook
from connectors.rest.asking import Asking
from connectors.rest.children import ChildPass
from connectors.rest.described import changes_by, labels_in, with_labels
from connectors.rest.reading import Pass, phases_of
from connectors.rest.volumes import volume
from connectors.rest.writing import Writer
from connectors.rows import CONTENT, RowMaker
from connectors.settings import Settings, explain, validated
from connectors.templates import MissingValue, fill, render
from connectors.tokens import TokenStore

log = logging.getLogger(__name__)


class RestConnector:
    """An HTTP API, described by a manifest.

    `transport`, `pause`, `clock` and `now` are given by tests.
    """

    settings_model: ClassVar[type[Settings]] = RestSettings
    shipped: ClassVar[Manifest | None] = None
    """The manifest that a catalogue ships for this class."""

    def __init__(
        self,
        source: str,
        settings: RestSettings | Mapping[str, Any],
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self.settings = self._settings(settings)
        self.manifest = self._manifest()
        self._pause, self._now = pause, now
        self._base_url = self.settings.base_url or self.manifest.base_url
        self._values = self._filled_values()
        self._auth = self._chosen_auth()
        self._values |= self._auth.path_values(self._values)
        self._engine = self._make_engine(transport, clock)
        self._engine.pause = pause or time.sleep

    def _settings(self, settings: RestSettings | Mapping[str, Any]) -> RestSettings:
        return validated(RestSettings, settings, source=self.source)

    def _manifest(self) -> Manifest:
        if self.settings.manifest is not None:
            return self.settings.manifest
        path = self.settings.manifest_file or Path()
        return load_manifest((self.settings.base_dir or Path()) / path, self.source)

    def _filled_values(self) -> dict[str, str]:
        """The manifest's parameters with the user's values, and a key that belongs into the path."""
        given = {name: secret.get_secret_value() for name, secret in self.settings.parameters.items()}
        declared = self.manifest.parameters
        for name in given.keys() - declared.keys():
            near = difflib.get_close_matches(name, declared, 1)
            hint = f"Did you mean {near[0]!r}?" if near else None
            raise SourceConfigurationError(f"the manifest knows no parameter {name!r}", source=self.source, hint=hint)
        values = {name: item.default for name, item in declared.items() if item.default is not None} | given
        missing = sorted(name for name, item in declared.items() if not item.is_optional and name not in values)
        if missing:
            message = f"`parameters` lacks {', '.join(missing)}"
            raise SourceConfigurationError(message, source=self.source)
        return values

    def _chosen_auth(self) -> AnyAuth:
        auth = self.manifest.auth_for(self._values)
        if auth is None:
            ways = " or ".join(", ".join(sorted(way.needs())) for way in self.manifest.auth)
            raise SourceConfigurationError(f"no credentials: give {ways}", source=self.source)
        return auth

    def _make_engine(self, transport: httpx.BaseTransport | None, clock: Callable[[], float]) -> HttpEngine:
        try:
            base = httpx.URL(fill(self._base_url, self._values))
            headers = render(self.manifest.headers, self._values)
        except MissingValue as error:
            raise SourceConfigurationError(f"{{{error.args[0]}}} has no value", source=self.source) from None
        except httpx.InvalidURL:
            raise SourceConfigurationError("`base_url` is not a URL", source=self.source) from None
        if base.scheme not in ("http", "https") or not base.host:
            hint = "It begins with https:// or http://"
            raise SourceConfigurationError("`base_url` is not an HTTP address", source=self.source, hint=hint)
        return HttpEngine(
            self.source,
            base,
            auth=self._auth,
            limits=self.manifest.limits,
            errors=self.manifest.errors,
            headers=headers,
            values=self._values,
            transport=transport,
            clock=clock,
            decoder=hook(self.manifest.hooks.decode) if self.manifest.hooks.decode else None,
            sign=hook(self.manifest.hooks.sign) if self.manifest.hooks.sign else None,
        )

    def tell_waits(self, tell: Tell) -> None:
        """`tell` hears of every wait, from the thread that reads ahead."""
        self._engine.tell = tell

    def keep_tokens(self, store: TokenStore) -> None:
        """Keep refresh tokens that rotate in `store`."""
        self._engine.tokens = store

    def __enter__(self) -> RestConnector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._engine.close()

    def check(self) -> CheckResult:
        """The source answers with these credentials: the manifest's `check`, else the first page of the
        first stream."""
        names = list(self._streams())
        if self.manifest.check is not None:
            probe = Stream.model_validate(self.manifest.check.model_dump())
            self._asking("check", probe, "UTC", self._pause or time.sleep).fetch({}, {}, 1)
            return CheckResult(f"{self._host()} answers", names)
        if not names:
            raise SourceConfigurationError("the manifest has no streams", source=self.source)
        count = len(self._first_records(names[0], 1))
        return CheckResult(
            f"{self._host()} answers; `{names[0]}` has {'records' if count else 'no records yet'}", names
        )

    def volumes(self, streams: Sequence[str]) -> Mapping[str, int]:
        """How many records these streams have, where the source tells without sending them all."""
        known, found = self._streams(), {}
        for name in streams:
            stream = known.get(name)
            if stream is None:
                continue
            number = self._volume(name, stream)
            if number is not None:
                found[name] = number
        return found

    def _volume(self, name: str, stream: Stream) -> int | None:
        pause = self._pause or time.sleep
        try:
            return volume(
                stream,
                lambda question: self._asking(name, question, "UTC", pause),
                lambda: self._pass(StreamRequest(name), stream, {}, pause),
            )
        except ConnectorError as error:
            # It is only a number: what is wrong shows where the records are read.
            log.info("%s", error)
            return None

    def absent(self, streams: Sequence[str]) -> Sequence[str]:
        """Those of these streams that the system may lack and does; each of the others is one question."""
        known = self._streams()
        return [name for name in streams if name in known and known[name].is_optional and self._is_absent(name)]

    def _is_absent(self, name: str) -> bool:
        try:
            self._first_records(name, 1)
        except NotInstalledError:
            return True
        except ConnectorError as error:
            # What else is wrong shows where the records are read.
            log.info("%s", error)
        return False

    def _host(self) -> str:
        return httpx.URL(fill(self._base_url, self._values)).host

    def discover(self) -> Sequence[StreamInfo]:
        """The manifest's streams with what their first records hold."""
        if is_odata(self.manifest.protocol) and not self._streams():
            return self._entity_sets()
        found: list[StreamInfo] = []
        first: ConnectorError | None = None
        looked = 0
        for name, stream in self._streams().items():
            try:
                found.append(self._describe(name, stream, self._first_records(name, SAMPLE)))
                looked += 1
            except NotInstalledError as error:
                log.info("%s", error)
                if not stream.is_optional:
                    # What every installation has is not lacking: the address is another.
                    first = first or error
                found.append(replace(self._describe(name, stream, []), is_installed=False))
            except (CredentialsError, SourceConfigurationError, SourceDataError) as error:
                # A right that is missing for one stream leaves the others to be looked at.
                first = first or error
                log.warning("%s", error)
                found.append(self._describe(name, stream, []))
        if first is not None and not looked:
            raise first
        return found

    def _entity_sets(self) -> list[StreamInfo]:
        """What an OData service says of itself."""
        from connectors.protocols.edmx import entity_sets

        asking = self._asking("discover", Stream(path="$metadata"), "UTC", self._pause or time.sleep)
        call = asking.call({}, {}, 1)
        headers = {**call.headers, "Accept": "application/xml"}
        answer = self._engine.fetch(
            replace(call, decoder=lambda body, _: entity_sets(body), headers=headers), asking.pause
        )
        return list(answer.data or ())

    def _streams(self) -> dict[str, Stream]:
        """The manifest's streams, and those that the configuration adds."""
        added = {name: options for name, options in self.settings.streams.items() if options}
        made = {name: self._stream(StreamRequest(name, options=options)) for name, options in added.items()}
        return {**self.manifest.streams, **made}

    def _describe(self, name: str, stream: Stream, records: list[dict[str, Any]]) -> StreamInfo:
        key = stream.key if stream.key is not None else likely_key(records)
        fields = [
            replace(field, label=in_english(stream.labels[field.path])) if field.path in stream.labels else field
            for field in profile(records)
        ]
        if stream.described is not None:
            fields = with_labels(fields, self._labels(stream.described))
        mapping = dict(stream.mapping)
        if isinstance(mapping.get("url"), str):
            mapping["url"] = self._card(mapping["url"])
        return replace(self._how(name, stream), key=key, fields=tuple(fields), mapping=mapping, title=stream.title)

    def _how(self, name: str, stream: Stream) -> StreamInfo:
        deletes = ", ".join(dict.fromkeys(rule.kind for rule in stream.deletes)) or "none"
        return StreamInfo(name, stream.key, (), stream.updated_at, deletes, changes=changes_by(stream))

    def how(self, stream: StreamRequest) -> StreamInfo:
        """How a stream is read, by its manifest alone."""
        spec = self._stream(stream)
        return replace(self._how(stream.name, spec), key=stream.key or spec.key)

    def _labels(self, rule: Described) -> dict[str, str]:
        """What users of the source call its fields; nothing where the right to ask is missing."""
        question = Stream.model_validate(rule.model_dump(include={"path", "method", "params", "body"}))
        asking = self._asking("discover", question, "UTC", self._pause or time.sleep)
        try:
            return labels_in(rule, asking.fetch({}, {}, 1)[1].data)
        except (CredentialsError, SourceConfigurationError, SourceDataError) as error:
            log.warning("%s", error)
            return {}

    def _card(self, url: str) -> str:
        """The card's address with the manifest's open parameters; {key} stays."""
        shown = {name: self._values.get(name) for name, item in self.manifest.parameters.items() if not item.is_secret}
        return fill(url, {**shown, "key": "{key}"})

    def _first_records(self, name: str, count: int) -> list[dict[str, Any]]:
        """Up to `count` records of a stream from its first pages."""
        request = StreamRequest(name, options=self.settings.streams.get(name, {}))
        spec = self._stream(request)
        found: list[dict[str, Any]] = []
        for records in islice(self._pass(request, spec, {}, time.sleep).samples(), 10):
            found += [record for record in records if isinstance(record, dict)]
            if len(found) >= count:
                break
        return found[:count]

    def _pass(
        self, request: StreamRequest, spec: Stream, before: dict[str, Any], pause: Callable[[float], None]
    ) -> Pass:
        asking = self._asking(request.name, spec, request.timezone, self._pause or pause, request.owned)
        key = request.key or spec.key or CONTENT
        updated_at = request.updated_at or spec.updated_at
        volatile = (*spec.volatile, *request.volatile)
        maker = RowMaker(key, updated_at, volatile, asking.timezone, source=self.source, stream=request.name)
        if spec.parent is None:
            return Pass(phases_of(asking, maker, key), before, self._now())
        above = self._asking(request.name, self.manifest.streams[spec.parent.stream], request.timezone, asking.pause)
        return ChildPass(asking, maker, above, before, self._now())

    def _stream(self, request: StreamRequest) -> Stream:
        known, given = self.manifest.streams.get(request.name), dict(request.options)
        if known is None and is_odata(self.manifest.protocol) and not {"path", "entity"} & given.keys():
            # Any entity set is a stream by its name.
            given |= {"entity": request.name} | ({"key": request.key} if request.key and "key" not in given else {})
        try:
            options = expand_stream(self.manifest.protocol, given)
        except ValidationError as error:
            problems = "; ".join(explain(error))
            raise SourceConfigurationError(problems, source=self.source, stream=request.name) from None
        except ValueError as error:
            raise SourceConfigurationError(str(error), source=self.source, stream=request.name) from None
        if known is None and "path" not in options:
            near = difflib.get_close_matches(request.name, self.manifest.streams, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Streams: {', '.join(self.manifest.streams)}"
            raise SourceConfigurationError(
                "the manifest has no such stream", source=self.source, stream=request.name, hint=hint
            )
        if known is not None:
            if not options:
                return known
            base = known.model_dump(exclude_unset=True, by_alias=True)
            for name in ("params", "headers"):
                if name in options:
                    options[name] = {**base.get(name, {}), **options[name]}
            options = {**base, **options}
        return validated(Stream, options, source=self.source, stream=request.name)

    def _asking(
        self, name: str, stream: Stream, timezone: str, pause: Callable[[float], None], owned: Sequence[str] = ()
    ) -> Asking:
        zone_name = fill(stream.timezone or self.manifest.timezone or timezone, self._values)
        return Asking(
            self.source,
            name,
            self._base_url,
            self.manifest,
            stream,
            self._engine,
            {**self._values, "owned": list(owned)} if owned else self._values,
            zone_name,
            pause,
        )

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages since `state`; the next page is fetched while the current one lands."""
        spec = self._stream(stream)
        key = stream.key or spec.key
        if key is None:
            raise SourceConfigurationError("no key is known", source=self.source, stream=stream.name, hint="Set `key`")
        parts = spec.model_dump(
            mode="json",
            include={"path", "method", "params", "body", "records", "shape", "paging", "changes", "parent"},
        )
        told = [parts, key, stream.updated_at or spec.updated_at, [*spec.volatile, *stream.volatile], stream.timezone]
        reading = blake2b(canonical(told), digest_size=8).hexdigest()
        before = dict(state or {})
        if before.get("reading") != reading:
            before = {"reading": reading, "pass": before.get("pass", 0)}

        def pages(stop: threading.Event) -> Iterator[Page]:
            return self._pass(stream, spec, before, _interruptible(stop)).pages()

        with closing(prefetch(pages, finish=stream.finish)) as ready:
            yield from ready

    def writing(self, stream: StreamRequest, fields: Sequence[str]) -> Writing | None:
        """How these fields are written; None where the manifest has no `write` for the stream."""
        return None if self._stream(stream).write is None else self._writer(stream).describe(stream, fields)

    def write(self, stream: StreamRequest, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Send one batch; raises what the engine raises."""
        return self._writer(stream).send(changes)

    def look(self, stream: StreamRequest, keys: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What stands in the fields of these records now."""
        return self._writer(stream).look(keys, fields)

    def _writer(self, stream: StreamRequest) -> Writer:
        spec = self._stream(stream)
        if spec.write is None:
            raise SourceConfigurationError("it is not written back", source=self.source, stream=stream.name)
        return Writer(self._asking(stream.name, spec, stream.timezone, self._pause or time.sleep), spec.write)


def _interruptible(stop: threading.Event) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    return pause
