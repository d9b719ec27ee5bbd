"""Reads registers kept as files.

The state remembers each file's size, time and digest, so unchanged files are not read; inside a file it
remembers the last
line landed, so that a killed run goes on there. State:

    {"reading": hash of the options, "columns": [...], "files": {name: fingerprint}, "pass": n,
     "at": {"file": name, "digest": ..., "position": line, "done": [names read in this pass]}}      # only
     within a pass
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.fields import SAMPLE, described
from connectors.files import commerceml, datev, enterprisedata
from connectors.files.batch import Part, Reader
from connectors.files.commerceml import read_commerceml
from connectors.files.csv_file import read_csv
from connectors.files.enterprisedata import read_enterprisedata
from connectors.files.excel_file import read_excel, sheet_names
from connectors.files.find import find_files, fingerprint, format_of
from connectors.files.json_file import read_json, read_json_lines
from connectors.files.order import in_order, to_read
from connectors.files.parquet_file import read_parquet
from connectors.files.reading import News, Pass, Stream, digest_of, naming
from connectors.files.settings import FileFormat, FilesSettings, Replaces
from connectors.page import CheckResult, Page, State, StreamInfo, StreamRequest
from connectors.prefetch import prefetch
from connectors.rows import CONTENT, RowMaker, lot_size
from connectors.settings import explain, validated

LOOKED_INTO = 20
"""Files that `discover` looks into for the first that has records."""

READERS: dict[FileFormat, Reader] = {
    "csv": read_csv,
    "jsonl": read_json_lines,
    "json": read_json,
    "excel": read_excel,
    "parquet": read_parquet,
    "enterprisedata": read_enterprisedata,
    "commerceml": read_commerceml,
}
KEYS: dict[FileFormat | None, str] = {"enterprisedata": enterprisedata.KEY, "commerceml": commerceml.KEY}
"""Of formats whose records always carry their key at one place."""


class FilesConnector:
    """Files: CSV, JSON lines, JSON, Excel, Parquet and XML exchanges of 1C; one file, a glob or a directory."""

    settings_model: ClassVar[type[FilesSettings]] = FilesSettings

    def __init__(self, source: str, settings: FilesSettings | Mapping[str, Any]) -> None:
        self.source = source
        self.settings = validated(FilesSettings, settings, source=source)

    def __enter__(self) -> FilesConnector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open between pages."""

    def check(self) -> CheckResult:
        """The files exist and their beginnings can be read."""
        names = self._stream_names()
        count = 0
        for name in names:
            stream = self._stream(StreamRequest(name))
            count += len(stream.files)
            for path in islice(stream.files.values(), 1):
                self._sample(stream, path, 1)
        return CheckResult(f"{count} file(s) found for {len(names)} stream(s)", names)

    def discover(self) -> Sequence[StreamInfo]:
        """The streams with columns, types and samples of their first file."""
        return [self._describe(self._stream(StreamRequest(name))) for name in self._stream_names()]

    def _key(self, stream: Stream, request: StreamRequest) -> str | Sequence[str] | None:
        return request.key or stream.options.key or KEYS.get(stream.options.format)

    def _describe(self, stream: Stream) -> StreamInfo:
        samples = (self._sample(stream, path, SAMPLE) for path in islice(stream.files.values(), LOOKED_INTO))
        records = next(filter(None, samples), [])
        fields, likely = described(records)
        key = self._key(stream, StreamRequest(stream.name)) or likely or CONTENT
        return StreamInfo(stream.name, key, tuple(fields), None, _deletes(stream), changes="files")

    def _sample(self, stream: Stream, path: Path, count: int) -> list[dict[str, Any]]:
        part = self.open_part(stream, path, 0)
        found = (record for batch in part.batches for _, record in batch.records if isinstance(record, dict))
        return list(islice(found, count))

    def _stream_names(self) -> list[str]:
        if self.settings.streams:
            return list(self.settings.streams)
        pattern = self.settings.path
        if pattern is None:
            raise SourceConfigurationError("no file is named", source=self.source, hint="Set `path` or `streams`")
        found = find_files(pattern.replace("{stream}", "*"), self.settings.base_dir, self.settings, self.source, "*")
        if found.is_single and not self.settings.sheet:
            path = next(iter(found.files.values()))
            if format_of(path, self.settings) == "excel":
                return sheet_names(path)
        return list(dict.fromkeys(Path(name).name.split(".")[0] for name in found.files))

    def _stream(self, request: StreamRequest) -> Stream:
        try:
            options = self.settings.options(request.name, dict(request.options))
        except ValidationError as error:
            message = f"the options do not fit: {'; '.join(explain(error))}"
            raise SourceConfigurationError(message, source=self.source, stream=request.name) from None
        if options.path is None:
            raise SourceConfigurationError(
                "no file is named", source=self.source, stream=request.name, hint="Set `path`"
            )
        pattern = options.path.replace("{stream}", request.name)
        found = find_files(pattern, self.settings.base_dir, options, self.source, request.name)
        files, is_single = found.files, found.is_single
        if not is_single:
            # A directory that holds one file per stream.
            own = {name: path for name, path in files.items() if path.name.split(".")[0] == request.name}
            if own and len(own) < len(files) and "*" not in pattern:
                files, is_single = own, len(own) == 1
        elif options.sheet is None:
            path = next(iter(files.values()))
            if format_of(path, options) == "excel":
                sheets = {name.casefold(): name for name in sheet_names(path)}
                if request.name.casefold() in sheets:
                    options = options.model_copy(update={"sheet": sheets[request.name.casefold()]})
        if options.format in KEYS:
            kind = request.name if options.format == "enterprisedata" else commerceml.DOCUMENT
            update = {"records": options.records or kind, "mode": options.mode or "changes"}
            options = options.model_copy(update=update)
        if options.preset == "datev":
            files = {name: path for name, path in files.items() if datev.is_of(path, options)}
        is_snapshot = options.mode == "snapshot" if options.mode else is_single
        return Stream(self.source, request.name, options, files, is_snapshot)

    def open_part(self, stream: Stream, path: Path, start: int) -> Part:
        """One file, opened after position `start`. Raises ConnectorError that names source and stream."""
        kind = format_of(path, stream.options)
        if kind is None:
            hint = f"Set `format` to one of {', '.join(READERS)}"
            raise SourceConfigurationError(
                "the file's ending tells no format",
                source=self.source,
                stream=stream.name,
                place=path.name,
                hint=hint,
            )
        try:
            lot = lot_size(stream.options.page_size)
            with naming(self.source, stream.name, path):
                return READERS[kind](path, stream.options.model_copy(update={"page_size": lot}), start)
        except OSError as error:
            raise SourceDataError(
                f"the file cannot be read ({error.strerror})",
                source=self.source,
                stream=stream.name,
                place=path.name,
            ) from None

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages of the files that are new or changed since `state`; none if nothing is."""
        found = self._stream(stream)
        stream = replace(stream, key=self._key(found, stream))
        maker = RowMaker.for_request(stream, CONTENT, None, self.source)
        before: dict[str, Any] = dict(state or {})
        options = found.options.model_dump(mode="json", exclude={"page_size"})
        reading = digest_of([options, repr(stream.key), stream.updated_at, sorted(stream.volatile), stream.timezone])
        if before.get("reading") != reading:
            # What a row or its key is has changed: every file counts as new.
            before = {"reading": reading, "pass": before.get("pass", 0), "columns": before.get("columns")}
        known: dict[str, Any] = dict(before.get("files") or {})
        at = before.get("at")
        if at:
            # Some rows of this file have landed already, whatever it says now.
            known.pop(at["file"] or "", None)
        now = {name: fingerprint(path, known.get(name)) for name, path in found.files.items()}
        changed = [name for name in now if known.get(name, {}).get("digest") != now[name].digest]
        if found.is_snapshot and (changed or at or known.keys() - now.keys()):
            changed = list(now)
        needless: list[str] = []
        if (found.options.mode == "changes" or isinstance(found.options.mode, Replaces)) and changed:
            now = in_order(now, found.files, found.options)
            # A later file has the last word, so what it overlaps is read again, also after a kill.
            with naming(self.source, stream.name):
                changed, needless = to_read(now, [name for name in now if name in changed], found.files, found.options)
            before["files"] = {
                name: value for name, value in (before.get("files") or {}).items() if name not in changed
            }
        if changed or at:
            pages = Pass(
                found, partial(self.open_part, found), stream, maker, News(before, now, changed, needless)
            ).pages
            # The next page is parsed while this one lands.
            with closing(prefetch(lambda _stop: pages(), finish=stream.finish)) as ready:
                yield from ready


def _deletes(stream: Stream) -> str:
    """How deletions are seen, in the words of `StreamInfo`."""
    options = stream.options
    if stream.is_snapshot or isinstance(options.mode, Replaces):
        return "snapshot"
    if options.format == "enterprisedata":
        return "tombstones"
    return "flag" if options.deleted is not None or options.format == "commerceml" else "none"
