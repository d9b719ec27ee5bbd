"""Reads an HTTP source as its manifest says."""

from __future__ import annotations

import difflib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import httpx

from connectors.canonical import canonical
from connectors.errors import SourceConfigurationError
from connectors.fields import SAMPLE, likely_key, profile
from connectors.http import HttpEngine
from connectors.manifest import Manifest, RestSettings, Stream, load_manifest
from connectors.page import CheckResult, Page, State, StreamInfo, StreamRequest
from connectors.prefetch import Stopped, prefetch
from connectors.rest.reading import Asking, Pass
from connectors.rows import RowMaker
from connectors.settings import Settings, validated
from connectors.templates import MissingValue, fill


class RestConnector:
    """An HTTP API, described by a manifest.

    `transport`, `pause`, `clock` and `now` are given by tests.
    """

    settings_model: ClassVar[type[Settings]] = RestSettings

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
        self._engine = self._make_engine(transport, clock)

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
        missing = sorted(declared.keys() - values.keys())
        if missing:
            message = f"`parameters` lacks {', '.join(missing)}"
            raise SourceConfigurationError(message, source=self.source)
        return values | self.manifest.auth.path_values(values)

    def _make_engine(self, transport: httpx.BaseTransport | None, clock: Callable[[], float]) -> HttpEngine:
        try:
            base = httpx.URL(fill(self._base_url, self._values))
            headers = {name: fill(text, self._values) for name, text in self.manifest.headers.items()}
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
            auth=self.manifest.auth,
            limits=self.manifest.limits,
            errors=self.manifest.errors,
            headers=headers,
            values=self._values,
            transport=transport,
            clock=clock,
        )

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
        names = list(self.manifest.streams)
        if self.manifest.check is not None:
            probe = Stream(path=self.manifest.check)
            asking = self._asking("check", probe, "UTC", self._pause or time.sleep)
            asking.engine.fetch(asking.call({}, {}, 1), asking.pause)
            return CheckResult(f"{self._host()} answers", names)
        if not names:
            raise SourceConfigurationError("the manifest has no streams", source=self.source)
        count = len(self._first_records(names[0], 1))
        return CheckResult(
            f"{self._host()} answers; `{names[0]}` has {'records' if count else 'no records yet'}", names
        )

    def _host(self) -> str:
        return httpx.URL(fill(self._base_url, self._values)).host

    def discover(self) -> Sequence[StreamInfo]:
        """The manifest's streams with what their first records hold."""
        return [self._describe(name, stream) for name, stream in self.manifest.streams.items()]

    def _describe(self, name: str, stream: Stream) -> StreamInfo:
        records = self._first_records(name, SAMPLE)
        key = stream.key if stream.key is not None else likely_key(records)
        deletes = stream.deletes[0].kind if stream.deletes else "none"
        return StreamInfo(name, key, tuple(profile(records)), stream.updated_at, deletes)

    def _first_records(self, name: str, count: int) -> list[dict[str, Any]]:
        stream = self._stream(StreamRequest(name))
        asking = self._asking(name, stream, "UTC", self._pause or time.sleep)
        position: dict[str, Any] | None = stream.paging.start()
        found: list[dict[str, Any]] = []
        moments: dict[str, Any] = {}
        if stream.changes is not None:
            from connectors.rest.changes import bounds

            moments = bounds(stream.changes, None, self._now().isoformat(), "UTC")
        for page in range(1, 11):
            if position is None or len(found) >= count:
                break
            call = asking.call(position, moments, page)
            answer = asking.engine.fetch(call, asking.pause)
            records = asking.records(answer, call.place)
            found += [record for record in records if isinstance(record, dict)]
            position = stream.paging.advance(position, answer, records)
        return found[:count]

    def _stream(self, request: StreamRequest) -> Stream:
        known, options = self.manifest.streams.get(request.name), dict(request.options)
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

    def _asking(self, name: str, stream: Stream, timezone: str, pause: Callable[[float], None]) -> Asking:
        return Asking(
            self.source,
            name,
            self._base_url,
            self.manifest,
            stream,
            self._engine,
            self._values,
            timezone,
            pause,
        )

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages since `state`; the next page is fetched while the current one lands."""
        spec = self._stream(stream)
        key = stream.key or spec.key
        if key is None:
            raise SourceConfigurationError("no key is known", source=self.source, stream=stream.name, hint="Set `key`")
        volatile = (*spec.volatile, *stream.volatile)
        updated_at = stream.updated_at or spec.updated_at
        maker = RowMaker(key, updated_at, volatile, stream.timezone, source=self.source, stream=stream.name)
        parts = spec.model_dump(
            mode="json", include={"path", "method", "params", "body", "records", "paging", "changes"}
        )
        reading = blake2b(canonical([parts, key, updated_at, volatile, stream.timezone]), digest_size=8).hexdigest()
        before = dict(state or {})
        if before.get("reading") != reading:
            before = {"reading": reading, "pass": before.get("pass", 0)}

        def pages(stop: threading.Event) -> Iterator[Page]:
            asking = self._asking(stream.name, spec, stream.timezone, self._pause or _interruptible(stop))
            return Pass(asking, maker, before, self._now()).pages()

        with closing(prefetch(pages)) as ready:
            yield from ready


def _interruptible(stop: threading.Event) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    return pause


def manifest_connector(path: Path) -> type[RestConnector]:
    """A connector class for a manifest that a package ships; register it under the group
    `onefold.connectors`.

    Its settings are the manifest's parameters by name, `base_url`, and nothing else.
    """
    from pydantic import Field, SecretStr, create_model

    from connectors.settings import ConnectorSettings

    manifest = load_manifest(path, path.stem)
    fields: dict[str, Any] = {"base_url": (str | None, Field(None, description="Instead of the manifest's."))}
    for name, parameter in manifest.parameters.items():
        kind: Any = SecretStr if parameter.is_secret else str
        default = ... if parameter.default is None else kind(parameter.default)
        fields[name] = (kind, Field(default, description=parameter.title))
    model = create_model(f"{path.stem.title()}Settings", __base__=ConnectorSettings, **fields)

    class ManifestConnector(RestConnector):
        settings_model = model

        def _settings(self, settings: Any) -> RestSettings:
            given = validated(model, settings, source=self.source)
            values = {name: getattr(given, name) for name in manifest.parameters}
            return RestSettings(manifest=manifest, base_url=getattr(given, "base_url", None), parameters=values)

    ManifestConnector.__name__ = ManifestConnector.__qualname__ = f"{path.stem.title()}Connector"
    ManifestConnector.__doc__ = manifest.title or path.stem
    return ManifestConnector
