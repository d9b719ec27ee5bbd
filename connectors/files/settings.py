"""Settings of a files source and of its streams."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.deletes import FlagDeletes
from connectors.settings import ConnectorSettings, Settings

FileFormat = Literal["csv", "jsonl", "json", "excel", "parquet", "enterprisedata", "commerceml"]
Mode = Literal["snapshot", "append", "changes"]


class FileOptions(Settings):
    """How one stream is read. What is not said is detected."""

    path: str | None = Field(
        default=None, description="A file, a glob or a directory; `{stream}` stands for the stream's name."
    )
    format: FileFormat | None = Field(
        default=None,
        description="Told by the file's ending if not given; enterprisedata and commerceml are XML exchanges of 1C.",
    )
    mode: Mode | None = Field(
        default=None,
        description="snapshot: a row missing from a complete new read is deleted (default for one file); "
        "append: new and changed files only add (default for a glob or a directory); "
        "changes: files tell changes in the order of their names; rows for which `deleted` holds are deletions.",
    )
    deleted: FlagDeletes | None = Field(default=None, description="With changes: how a row says that it is a deletion.")
    preset: Literal["datev"] | None = Field(
        default=None, description="datev: CSV with a line of metadata (EXTF), cp1252, TTMM dates, Soll/Haben."
    )
    encoding: str | None = Field(default=None, description="Of text files, e.g. utf-8, cp1251; detected if not given.")
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    quote: str | None = Field(default=None, max_length=1, description='Quote character, `"` by default; empty: none.')
    header_row: int | None = Field(default=None, ge=0, description="Row of the headers, from 1; 0: the file has none.")
    sheet: str | None = Field(default=None, description="Of a workbook; the first one with data if not given.")
    totals: bool = Field(default=True, description="Set rows such as `Total` in a sheet aside as rejects.")
    records: str | None = Field(
        default=None,
        description="Path of the list of records inside a JSON document; of an exchange the kind of object, such as "
        "`Справочник.Контрагенты` (the stream's name if not given).",
    )
    page_size: int = Field(default=5000, ge=1, le=100_000)


class FilesSettings(ConnectorSettings, FileOptions):
    """Defaults for all streams, and the streams themselves where the configuration keeps them here."""

    streams: dict[str, FileOptions] = Field(default_factory=dict)

    def options(self, stream: str, overrides: dict[str, object]) -> FileOptions:
        """The options of `stream`: the source's defaults, then `streams`, then `overrides`. Raises
        ValidationError."""
        names = FileOptions.model_fields.keys()
        values = {name: getattr(self, name) for name in names & self.model_fields_set}
        if stream in self.streams:
            values |= self.streams[stream].model_dump(exclude_unset=True)
        return FileOptions.model_validate(values | overrides)
