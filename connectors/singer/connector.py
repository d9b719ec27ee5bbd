"""Reads a Singer tap: `tap --config --discover`, then `tap --config --catalog --state`, one stream at a time.

The protocol: https://hub.meltano.com/singer/spec. Beyond it stand ACTIVATE_VERSION (a table version replaces the older
ones), and `_sdc_deleted_at` in records of log-based streams (deleted at the source).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field

from connectors.adapters.connector import PackageConnector
from connectors.adapters.process import Process
from connectors.adapters.reading import Cutter, Plan
from connectors.adapters.settings import PackageOptions, PackageSettings, Words
from connectors.canonical import decode
from connectors.errors import SourceDataError
from connectors.page import CheckResult, Page, State, StreamInfo, StreamRequest
from connectors.singer.catalog import Entry, info_of, key_of, method_of, name_of, selected

log = logging.getLogger(__name__)

DELETED = "_sdc_deleted_at"
NOISE = frozenset(
    {
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
    }
)


class SingerSettings(PackageSettings):
    """A tap."""

    catalog_argument: Literal["--catalog", "--properties"] = Field(
        default="--catalog", description="How the tap takes its catalogue; old ones say `--properties`."
    )


class SingerOptions(PackageOptions):
    """One stream of a tap."""

    replication: Literal["FULL_TABLE", "INCREMENTAL", "LOG_BASED"] | None = None
    replication_key: str | None = Field(default=None, description="The field that tells what changed.")
    parents: Words = Field(default=(), description="Streams that an old tap wants selected with this one; not read.")


class SingerConnector(PackageConnector):
    """A Singer tap from PyPI, in an environment of its own: `singer:tap-x`."""

    settings_model: ClassVar[type[SingerSettings]] = SingerSettings
    settings: SingerSettings
    family = "singer"
    example = "tap-rest-api-msdk"
    noun = "tap"

    def check(self) -> CheckResult:
        """The tap can be installed, takes its settings and tells its streams."""
        names = [name_of(entry) for entry in self._catalog]
        return self.offers(names)

    def discover(self) -> Sequence[StreamInfo]:
        """The tap's streams, with keys and fields by their schema."""
        return [info_of(entry) for entry in self._catalog]

    @cached_property
    def _catalog(self) -> list[Entry]:
        with (
            self.files() as (place, config),
            self.process(place, ["--config", config, "--discover"]) as process,
        ):
            text = b"\n".join(line for line in process.lines())
            process.finish()
        try:
            found = decode(text[text.find(b"{") :])["streams"]
            return [entry for entry in found if isinstance(entry, Mapping) and name_of(entry) != "None"]
        except (ValueError, KeyError, TypeError):
            raise SourceDataError(f"`{process.name} --discover` gave no catalogue", source=self.source) from None

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages since the tap's last STATE; what a whole read or an activated version does not show is deleted."""
        options = self.options(SingerOptions, stream.name, stream.options)
        entry = self.chosen({name_of(one): one for one in self._catalog}, stream.name)
        method = options.replication or method_of(entry)
        plan = Plan(
            options.page_size or self.settings.page_size,
            method == "FULL_TABLE",
            options.sweep,
            DELETED,
            NOISE,
            [options.replication, options.replication_key],
        )
        cutter = Cutter(self.source, stream, state, plan, self._clock())
        if key := key_of(entry):
            cutter.keys(key)
        catalog = selected(
            self._catalog,
            stream.name,
            parents=options.parents,
            method=options.replication,
            key=options.replication_key,
        )
        with self.files() as (place, config):
            arguments = ["--config", config, self.settings.catalog_argument, place.write("catalog.json", catalog)]
            if cutter.resume:
                arguments += ["--state", place.write("state.json", cutter.resume)]
            with self.process(place, arguments, stream.name) as process:
                listener = _Listener(process, cutter, {stream.name, str(entry.get("stream"))})
                yield from self.pages(process, cutter, listener.hear, listener.finish)


class _Listener:
    """Takes a tap's messages about the streams of these names."""

    def __init__(self, process: Process, cutter: Cutter, names: set[str]) -> None:
        self._process, self._cutter, self._names = process, cutter, names
        self._others: set[str] = set()

    def hear(self, line: bytes) -> None:
        """One line: a message, or text that the tap logs."""
        if not line.lstrip().startswith(b"{"):
            self._process.note(line[:400].decode("utf-8", "replace"))
            return
        try:
            message = decode(line)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            self._cutter.broken(line, "malformed-line", "the tap wrote a line that is no message")
            return
        if kind == "STATE":
            self._cutter.checkpoint(message.get("value"))
        elif message.get("stream") not in self._names:
            self._tell_other(message.get("stream"), kind)
        elif kind == "RECORD":
            self._cutter.record(message.get("record"), len(line), message.get("version"))
        elif kind == "SCHEMA":
            self._cutter.keys([str(name) for name in message.get("key_properties") or ()])
        elif kind == "ACTIVATE_VERSION":
            self._cutter.activate(message.get("version"))

    def _tell_other(self, stream: Any, kind: str) -> None:
        if stream not in self._others and kind in ("SCHEMA", "RECORD"):
            self._others.add(stream)
            where = (self._cutter.source, self._cutter.request.name)
            log.info("%s:%s: the tap also sends %s, which was not asked for", *where, stream)

    def finish(self) -> bool:
        """Wait for the tap's end; what it sent is complete when it ends well."""
        self._process.finish()
        return True
