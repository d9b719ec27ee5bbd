"""connector list|show: what is installed, what each must be told, and what its streams become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.manifest import Stream, in_english
from connectors.registry import describe, names, shipped
from connectors.rest.described import changes_by
from connectors.wanted import WantedSetting, missing, settings_of, ways_in
from onefold.steps.report import Report

if TYPE_CHECKING:
    from connectors.files.system import FilesStream


@dataclass(frozen=True, slots=True)
class InstalledConnector(Report):
    """One line of `connector list`."""

    connector: str
    title: str
    department: str | None
    streams: int
    """How many come with a ready mapping or at least ready made; 0 where the source itself tells its streams."""
    needs: tuple[str, ...]
    """Settings without which it cannot be reached; of several ways in, the shortest."""


@dataclass(frozen=True, slots=True)
class ShippedStream(Report):
    """A stream that a connector brings with it."""

    stream: str
    title: str | None
    becomes: str | None
    """Such as `person` or `interaction: sales_order`; None: landed, and used by other streams."""
    changes: str
    """How a pass asks only for what changed; `all` where it reads everything; `files` that are new or changed."""
    deletes: str
    """How deletions are seen; `none` where they are not; `files` by what the files of a stream say or lack."""


@dataclass(frozen=True, slots=True)
class ConnectorShown(Report):
    """What `connector show` tells."""

    connector: str
    title: str
    settings: tuple[WantedSetting, ...]
    ways_in: tuple[tuple[str, ...], ...]
    """Sets of settings of which one is enough, besides those that are needed anyway; () lets everybody in."""
    streams: tuple[ShippedStream, ...]


def installed() -> list[InstalledConnector]:
    """All connectors by name. Nothing is connected to."""
    found = []
    for name in names():
        manifest = shipped(name)
        found.append(
            InstalledConnector(
                name,
                describe(name),
                manifest.department if manifest else None,
                len(manifest.streams) if manifest else 0,
                tuple(setting.name for setting in missing(name, ())),
            )
        )
    return found


def shown(connector: str) -> ConnectorShown:
    """One connector. Raises SourceConfigurationError with the nearest known name."""
    manifest = shipped(connector)
    streams = [_shown(name, stream) for name, stream in manifest.streams.items()] if manifest else []
    return ConnectorShown(
        connector, describe(connector), tuple(settings_of(connector)), tuple(ways_in(connector)), tuple(streams)
    )


def _shown(name: str, stream: Stream | FilesStream) -> ShippedStream:
    becomes = stream.mapping.get("as")
    kind = stream.mapping.get("type")
    return ShippedStream(
        name,
        in_english(stream.title),
        f"{becomes}: {kind}" if becomes and isinstance(kind, str) else _text(becomes),
        (changes_by(stream) or "all") if isinstance(stream, Stream) else "files",
        (", ".join(rule.kind for rule in stream.deletes) or "none") if isinstance(stream, Stream) else "files",
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str | None) else "by its fields"
