"""Systems that are read from the files they export: a manifest with `connector: files` in a catalogue.

It says how the files are read and which streams they hold, each with its ready mapping; the source
says where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from connectors.files.connector import FilesConnector
from connectors.files.settings import FileOptions, FilesSettings
from connectors.manifest import Labels, in_english
from connectors.manifest_file import read_manifest
from connectors.page import StreamInfo
from connectors.settings import Settings, validated


class FilesStream(Settings):
    """One kind of record in the files of a system."""

    options: FileOptions = FileOptions()
    title: Labels | None = None
    labels: dict[str, Labels] = Field(default_factory=dict, description="Path of a field: what users call it.")
    mapping: dict[str, Any] = Field(
        default_factory=dict, description="The ready mapping: what a stream has in config/sources/NAME.yaml."
    )


class FilesManifest(Settings):
    """A system by its files."""

    connector: Literal["files"]
    title: Labels | None = None
    description: Labels | None = None
    department: str | None = Field(default=None, description="Who usually works with the system.")
    defaults: dict[str, str] = Field(default_factory=dict, description="country, timezone, currency, language.")
    options: FileOptions = Field(default=FileOptions(), description="How all its streams are read.")
    streams: dict[str, FilesStream] = Field(default_factory=dict)


class SystemFilesConnector(FilesConnector):
    """Reads the files of a system that a manifest describes."""

    shipped: ClassVar[FilesManifest]

    def __init__(self, source: str, settings: FilesSettings | Mapping[str, Any]) -> None:
        given = validated(FilesSettings, settings, source=source)
        own = {name: getattr(given, name) for name in given.model_fields_set}
        streams = {name: stream.options for name, stream in self.shipped.streams.items()}
        for name, options in given.streams.items():
            base = streams.get(name, FileOptions())
            streams[name] = base.model_copy(update=options.model_dump(exclude_unset=True))
        common = self.shipped.options.model_dump(exclude_unset=True)
        super().__init__(source, FilesSettings.model_validate({**common, **own, "streams": streams}))

    def discover(self) -> Sequence[StreamInfo]:
        """The streams with what their files hold and their ready mapping."""
        found = []
        for info in super().discover():
            known = self.shipped.streams.get(info.name, FilesStream())
            labels = {path: in_english(label) for path, label in known.labels.items()}
            fields = tuple(replace(one, label=labels.get(one.path, one.label)) for one in info.fields)
            found.append(replace(info, fields=fields, mapping=known.mapping, title=known.title))
        return found


def files_connector(path: Path) -> type[SystemFilesConnector]:
    """A connector class for the files of a system, from its manifest. Raises SourceConfigurationError."""
    manifest = validated(FilesManifest, read_manifest(path, path.stem), source=path.stem)

    class Connector(SystemFilesConnector):
        shipped = manifest

    Connector.__name__ = Connector.__qualname__ = f"{path.stem.title()}Connector"
    Connector.__doc__ = in_english(manifest.title) or path.stem
    return Connector
