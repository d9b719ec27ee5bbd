"""Settings of a files source and of its streams."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from connectors.deletes import FlagDeletes
from connectors.paths import FieldPath
from connectors.settings import ConnectorSettings, Settings

FileFormat = Literal["csv", "jsonl", "json", "excel", "parquet", "enterprisedata", "commerceml"]
Mode = Literal["snapshot", "append", "changes"]


class Replaces(Settings):
    """A file carries a whole period: what earlier files said of the period and this one does not is deleted."""

    replaces: Literal["period"]
    column: FieldPath | None = Field(default=None, description="Where each row says of which period it is.")
    by: Literal["value", "day", "month", "quarter", "year"] = Field(
        default="value", description="value: `column` holds the period's name; else the date there lies in the period."
    )
    name: str | None = Field(
        default=None,
        description="Instead of `column`: a regular expression whose groups in the file's name are the period, "
        "such as `sales_(\\d{4}-\\d{2})`.",
    )

    @model_validator(mode="after")
    def _says_one(self) -> Replaces:
        if self.column is not None and self.name is not None:
            raise ValueError("give `column` or `name`, not both")
        if self.column is None and self.by != "value":
            raise ValueError("`by` needs `column`")
        try:
            if self.name is not None and not re.compile(self.name).groups:
                raise ValueError("`name` needs a group: the period, as in `sales_(\\d{4}-\\d{2})`")
        except re.error as error:
            raise ValueError(f"`name` is no regular expression: {error}") from None
        return self


class FileOptions(Settings):
    """How one stream is read. What is not said is detected."""

    path: str | None = Field(
        default=None, description="A file, a glob or a directory; `{stream}` stands for the stream's name."
    )
    format: FileFormat | None = Field(
        default=None,
        description="Told by the file's ending if not given; enterprisedata and commerceml are XML exchanges of 1C.",
    )
    mode: Mode | Replaces | None = Field(
        default=None,
        description="snapshot: a row missing from a complete new read is deleted (default for one file); "
        "append: new and changed files only add (default for a glob or a directory); "
        "changes: files tell changes in the order of their names; rows for which `deleted` holds are deletions. "
        "{replaces: period}: a file restates its period; with the preset datev its metadata tell which.",
    )
    key: str | tuple[str, ...] | None = Field(
        default=None,
        description="Column(s) or path(s) of the key, where the stream names none; content: a row is known by what it "
        "says, so that sorting or inserting rows changes no key.",
    )
    deleted: FlagDeletes | None = Field(
        default=None, description="How a row says that its record is gone, such as `{path: action, equals: [D]}`."
    )
    preset: Literal["datev"] | None = Field(
        default=None, description="datev: CSV with a line of metadata (EXTF), cp1252, TTMM dates, Soll/Haben."
    )
    chart: Literal["03", "04"] | None = Field(
        default=None, description="With datev: the chart of accounts (SKR) of exports that do not name theirs."
    )
    encoding: str | None = Field(default=None, description="Of text files, e.g. utf-8, cp1251; detected if not given.")
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    quote: str | None = Field(default=None, max_length=1, description='Quote character, `"` by default; empty: none.')
    header_row: int | None = Field(default=None, ge=0, description="Row of the headers, from 1; 0: the file has none.")
    sheet: str | None = Field(
        default=None,
        description="Of a workbook; the first visible one if not given; `2026-*` reads several as one.",
    )
    totals: bool = Field(default=True, description="Set rows such as `Total` in a sheet aside as rejects.")
    records: str | None = Field(
        default=None,
        description="Path of the list of records inside a JSON document; of an exchange the kind of object, such as "
        "`Справочник.Контрагенты` (the stream's name if not given); of DATEV exports the format's name.",
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
