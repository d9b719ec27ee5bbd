"""Reads an Airbyte source: `spec`, `check`, `discover`, then `read` of one stream from its checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field

from connectors.adapters.connector import PackageConnector
from connectors.adapters.process import Process
from connectors.adapters.reading import Cutter, Plan
from connectors.adapters.settings import PackageOptions, PackageSettings, Words
from connectors.airbyte.messages import (
    Stream,
    as_input,
    configured,
    failure,
    info_of,
    is_incremental,
    key_of,
    name_of,
    state_key,
)
from connectors.canonical import decode
from connectors.errors import ConnectorError, CredentialsError, SourceDataError
from connectors.page import CheckResult, Page, State, StreamInfo, StreamRequest

log = logging.getLogger(__name__)

DELETED = "_ab_cdc_deleted_at"
NOISE = frozenset({"_ab_cdc_lsn", "_ab_cdc_log_file", "_ab_cdc_log_pos", "_ab_cdc_cursor", "_ab_cdc_updated_at"})


class AirbyteOptions(PackageOptions):
    """One stream of a source."""

    sync_mode: Literal["incremental", "full_refresh"] | None = Field(
        default=None, description="Default: incremental where the source can."
    )
    cursor_field: Words = Field(default=(), description="The path of the cursor, where the source defines none.")


class AirbyteConnector(PackageConnector):
    """An Airbyte source from PyPI, in an environment of its own: `airbyte:source-x`."""

    settings_model: ClassVar[type[PackageSettings]] = PackageSettings
    family = "airbyte"
    example = "source-faker"
    noun = "source"
    prefix = "airbyte-"

    def check(self) -> CheckResult:
        """The source takes its settings and reaches what it reads. Raises what it says is wrong."""
        for message in self._ask("check"):
            if message.get("type") == "CONNECTION_STATUS":
                status = message.get("connectionStatus") or {}
                if status.get("status") != "SUCCEEDED":
                    said = self.mask(str(status.get("message") or "no reason given"))[:1000]
                    raise CredentialsError(
                        f"the source refuses its settings: {said}",
                        source=self.source,
                        hint=f"It knows: {', '.join(self._known_settings())}",
                    )
                names = [name_of(stream) for stream in self._catalog]
                return self.offers(names)
        raise SourceDataError("`check` gave no CONNECTION_STATUS", source=self.source)

    def _known_settings(self) -> list[str]:
        for message in self._ask("spec", with_config=False):
            if message.get("type") == "SPEC":
                wanted = (message.get("spec") or {}).get("connectionSpecification") or {}
                needed = set(wanted.get("required") or ())
                return [f"{name} (required)" if name in needed else name for name in wanted.get("properties") or {}]
        return []

    def discover(self) -> Sequence[StreamInfo]:
        """The source's streams, with keys and fields by their schema."""
        return [info_of(stream) for stream in self._catalog]

    @cached_property
    def _catalog(self) -> list[Stream]:
        for message in self._ask("discover"):
            if message.get("type") == "CATALOG":
                return list((message.get("catalog") or {}).get("streams") or ())
        raise SourceDataError("`discover` gave no CATALOG", source=self.source)

    def _ask(self, verb: str, *, with_config: bool = True) -> list[dict[str, Any]]:
        """The messages of one command, records aside. Raises the error that the source tells."""
        found = []
        with self.files() as (place, config):
            arguments = [verb, *(["--config", config] if with_config else [])]
            with self.process(place, arguments) as process, closing(process.lines()) as lines:
                ear = _Ear(self, process, None)
                for line in lines:
                    message = ear.hear(line)
                    if message is not None:
                        found.append(message)
                if not any(message.get("type") in ("CONNECTION_STATUS", "CATALOG", "SPEC") for message in found):
                    ear.finish()
        return found

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages since the source's last STATE; what a whole refresh does not show is deleted."""
        options = self.options(AirbyteOptions, stream.name, stream.options)
        found = self.chosen({name_of(one): one for one in self._catalog}, stream.name)
        mode = options.sync_mode or ("incremental" if is_incremental(found) else "full_refresh")
        size = options.page_size or self.settings.page_size
        details = [mode, list(options.cursor_field)]
        plan = Plan(size, mode == "full_refresh", options.sweep, DELETED, NOISE, details)
        cutter = Cutter(self.source, stream, state, plan, self._clock())
        if key := key_of(found):
            cutter.keys(key)
        catalog = configured(found, mode, options.cursor_field, cutter.generation, is_pass=cutter.is_pass)
        with self.files() as (place, config):
            arguments = ["read", "--config", config, "--catalog", place.write("catalog.json", catalog)]
            if cutter.resume:
                arguments += ["--state", place.write("state.json", as_input(cutter.resume))]
            with self.process(place, arguments, stream.name) as process:
                ear = _Ear(self, process, stream.name)
                yield from self.pages(process, cutter, lambda line: _take(ear, line, cutter), ear.is_complete)


def _take(ear: _Ear, line: bytes, cutter: Cutter) -> None:
    message = ear.hear(line)
    name = cutter.request.name
    if message is None:
        if line.lstrip().startswith(b"{") and ear.was_broken:
            cutter.broken(line, "malformed-line", "the source wrote a line that is no message")
    elif message["type"] == "RECORD":
        record = message.get("record") or {}
        whole = {"name": record.get("stream"), "namespace": record.get("namespace")}
        if name in (record.get("stream"), name_of(whole)):
            cutter.record(record.get("data"), len(line))
    elif message["type"] == "STATE":
        state = {part: value for part, value in (message.get("state") or {}).items() if part != "sourceStats"}
        cutter.checkpoint({**(cutter.resume or {}), state_key(state): state})


class _Ear:
    """Hears what a source says beside its data: log, errors, the stream's status, settings that it rewrote."""

    def __init__(self, connector: AirbyteConnector, process: Process, stream: str | None) -> None:
        self._connector, self._process, self._stream = connector, process, stream
        self._error: ConnectorError | None = None
        self.status: str | None = None
        self.was_broken = False

    def hear(self, line: bytes) -> dict[str, Any] | None:
        """The message in a line, when it is for the reader."""
        self.was_broken = False
        try:
            message = decode(line)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            self.was_broken = True
            self._process.note(line[:400].decode("utf-8", "replace"))
            return None
        if kind == "LOG":
            told = message.get("log") or {}
            if told.get("level") in ("FATAL", "ERROR", "WARN"):
                self._process.note(str(told.get("message"))[:400])
            # What it says may quote a record: that it spoke is enough.
            log.debug("%s: a message (%s) of the package is left out", self._connector.source, told.get("level"))
        elif kind == "TRACE":
            self._trace(message.get("trace") or {})
        elif kind == "CONTROL":
            config = ((message.get("control") or {}).get("connectorConfig") or {}).get("config")
            if isinstance(config, Mapping):
                self._connector.keep_config(config)
        else:
            return dict(message)
        return None

    def _trace(self, trace: Mapping[str, Any]) -> None:
        if trace.get("type") == "ERROR":
            error = trace.get("error") or {}
            text = str(error.get("message") or error.get("internal_message") or "no reason given")
            inner = str(error.get("internal_message") or "")
            whole = text if not inner or inner in text else f"{text} ({inner})"
            place = {"source": self._connector.source, "stream": self._stream}
            self._error = failure(error, place, self._connector.mask(whole)[:1200])
        elif trace.get("type") == "STREAM_STATUS":
            told = trace.get("stream_status") or {}
            if self._stream in (None, name_of(told.get("stream_descriptor") or {})):
                self.status = told.get("status")

    def finish(self) -> None:
        """The process's end. Raises the error that it told, or what its exit code means."""
        try:
            self._process.finish()
        except ConnectorError:
            if self._error is None:
                raise
        if self._error is not None:
            raise self._error

    def is_complete(self) -> bool:
        """`finish`, then: the source said nothing else than that the stream is complete."""
        self.finish()
        return self.status in (None, "COMPLETE")
