"""Reads registers kept as files.

The state remembers each file's size, time and digest, so unchanged files are not read; inside a file it
remembers the last
line landed, so that a killed run goes on there. State:

    {"reading": hash of the options, "columns": [...], "files": {name: fingerprint}, "pass": n,
     "at": {"file": name, "digest": ..., "position": line, "done": [names read in this pass]}}      # only
     within a pass
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from connectors.errors import ConnectorError, RetriableError, SourceConfigurationError, SourceDataError
from connectors.fields import SAMPLE, likely_key, profile
from connectors.files.batch import Part, Reader
from connectors.files.csv_file import read_csv
from connectors.files.excel_file import read_excel, sheet_names
from connectors.files.find import Fingerprint, find_files, fingerprint, format_of
from connectors.files.json_file import read_json, read_json_lines
from connectors.files.parquet_file import read_parquet
from connectors.files.settings import FileFormat, FileOptions, FilesSettings
from connectors.page import CheckResult, Page, SnapshotMark, State, StreamInfo, StreamRequest
from connectors.paths import Path as FieldPath
from connectors.prefetch import prefetch
from connectors.rest.flags import flagged
from connectors.rows import CONTENT, Assembler, RowMaker, lot_size
from connectors.settings import explain, validated

log = logging.getLogger(__name__)

READERS: dict[FileFormat, Reader] = {
    "csv": read_csv,
    "jsonl": read_json_lines,
    "json": read_json,
    "excel": read_excel,
    "parquet": read_parquet,
}


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream with its options settled and its files found."""

    name: str
    options: FileOptions
    files: dict[str, Path]
    is_snapshot: bool


class FilesConnector:
    """Files: CSV, JSON lines, JSON, Excel and Parquet; one file, a glob or a directory."""

    settings_model: ClassVar[type[FilesSettings]] = FilesSettings

    def __init__(self, source: str, settings: FilesSettings | dict[str, Any]) -> None:
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

    def _describe(self, stream: _Stream) -> StreamInfo:
        records = next((self._sample(stream, path, SAMPLE) for path in stream.files.values()), [])
        key = likely_key(records) or CONTENT
        deletes = "snapshot" if stream.is_snapshot else "none"
        return StreamInfo(stream.name, key, tuple(profile(records)), None, deletes)

    def _sample(self, stream: _Stream, path: Path, count: int) -> list[dict[str, Any]]:
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

    def _stream(self, request: StreamRequest) -> _Stream:
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
        is_snapshot = options.mode == "snapshot" if options.mode else is_single
        return _Stream(request.name, options, files, is_snapshot)

    def open_part(self, stream: _Stream, path: Path, start: int) -> Part:
        """One file, opened after position `start`. Raises ConnectorError that names source and stream."""
        kind = format_of(path, stream.options)
        if kind is None:
            hint = "Set `format` to csv, jsonl, json, excel or parquet"
            raise SourceConfigurationError(
                "the file's ending tells no format",
                source=self.source,
                stream=stream.name,
                place=path.name,
                hint=hint,
            )
        try:
            lot = lot_size(stream.options.page_size)
            return READERS[kind](path, stream.options.model_copy(update={"page_size": lot}), start)
        except ConnectorError as error:
            if error.source is not None:
                raise
            raise self._named(error, stream.name) from None
        except OSError as error:
            raise SourceDataError(
                f"the file cannot be read ({error.strerror})",
                source=self.source,
                stream=stream.name,
                place=path.name,
            ) from None

    def _named(self, error: ConnectorError, stream: str) -> ConnectorError:
        return type(error)(str(error), source=self.source, stream=stream)

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages of the files that are new or changed since `state`; none if nothing is."""
        found = self._stream(stream)
        maker = RowMaker.for_request(stream, CONTENT, None, self.source)
        before: dict[str, Any] = dict(state or {})
        options = found.options.model_dump(mode="json", exclude={"page_size"})
        reading = _hash([options, repr(stream.key), stream.updated_at, sorted(stream.volatile), stream.timezone])
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
        if found.options.mode == "changes" and changed:
            # A later file has the last word, so all behind the first new one are read again, also after a kill.
            changed = list(now)[list(now).index(changed[0]) :]
            before["files"] = {
                name: value for name, value in (before.get("files") or {}).items() if name not in changed
            }
        if changed or at:
            pages = _Pass(self, found, stream, maker, _News(before, now, changed)).pages
            # The next page is parsed while this one lands.
            with closing(prefetch(lambda _stop: pages())) as ready:
                yield from ready


@dataclass(frozen=True, slots=True)
class _News:
    """What was known of the files, what they are now, and which of them are to be read."""

    before: dict[str, Any]
    now: dict[str, Fingerprint]
    changed: list[str]


class _Pass:
    """One pass over the changed files of a stream."""

    def __init__(
        self,
        connector: FilesConnector,
        stream: _Stream,
        request: StreamRequest,
        maker: RowMaker,
        news: _News,
    ) -> None:
        self.connector, self.stream, self.request, self.maker = connector, stream, request, maker
        self.now, self.changed = news.now, news.changed
        before, at = news.before, news.before.get("at") or {}
        # A snapshot over the same contents goes on where it stood; over others it begins anew.
        # Files that only add stand for themselves.
        goal = _hash([[name, news.now[name].digest] for name in news.changed]) if stream.is_snapshot else ""
        resumes = bool(at) and at.get("goal") == goal
        start: dict[str, Any] = {"goal": goal, "file": None, "digest": None, "position": 0, "done": []}
        self.at = dict(at) if resumes else start
        self.number = int(before.get("pass", 0)) + (1 if stream.is_snapshot and not resumes else 0)
        self.pass_id = f"{self.number}-{goal}"
        kept = {name: value for name, value in (before.get("files") or {}).items() if name in news.now}
        self.state: dict[str, Any] = {**before, "pass": self.number, "files": kept}

    def pages(self) -> Iterator[Page]:
        """Pages of all changed files; the last one is held back until it is known to be the last."""
        held: Page | None = None
        for name in self.changed:
            if self.stream.is_snapshot and name in self.at["done"]:
                if self.maker.is_keyless:
                    self._count_again(name)
                continue
            for page in self._file(name):
                if held is not None:
                    yield held
                held = page
            self._finish(name)
            if held is None:
                held = Page((), {})
            held = replace(held, state=self._state())
        final = {key: value for key, value in self.state.items() if key != "at"}
        if self.stream.is_snapshot:
            mark = SnapshotMark(self.pass_id, is_complete=True)
            yield replace(held or Page((), {}), state=final, snapshot=mark)
        else:
            yield replace(held or Page((), {}), state=final)

    def _count_again(self, name: str) -> None:
        """Bring the ordinals of identical keyless rows to where they stood after this file."""
        part = self.connector.open_part(self.stream, self.stream.files[name], 0)
        page = Assembler(self.maker, part.place)
        for batch in part.batches:
            page.add(batch.records, part.encode)
            page.finish()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(json.dumps({**self.state, "at": self.at}))
        return state

    def _file(self, name: str) -> Iterator[Page]:
        path = self.stream.files[name]
        is_same = self.at["file"] == name and self.at["digest"] == self.now[name].digest
        start = int(self.at["position"]) if is_same else 0
        if not (self.stream.is_snapshot and self.maker.is_keyless):
            # Ordinals among identical keyless rows count within one file, or within the whole snapshot.
            self.maker.restart()
        # Keyless rows are counted from the beginning even when reading resumes in the middle.
        part = self.connector.open_part(self.stream, path, 0 if self.maker.is_keyless else start)
        self._compare_columns(part.columns, path)
        mark = SnapshotMark(self.pass_id, is_complete=False) if self.stream.is_snapshot else None
        rule = self.stream.options.deleted if self.stream.options.mode == "changes" else None
        gone = flagged(rule) if rule is not None else None
        page = Assembler(self.maker, part.place, is_deleted=gone, on_reject=part.on_reject)
        count = size = 0
        total: int | None = None
        for batch in part.batches:
            page.add(batch.records, part.encode)
            if batch.position <= start:
                page.finish()
                continue
            page.reject(batch.rejects)
            count += len(batch.records) + len(batch.rejects)
            size, total = size + batch.bytes_read, batch.total_rows
            self.at |= {"file": name, "digest": self.now[name].digest, "position": batch.position}
            if count >= self.stream.options.page_size:
                yield self._page(page, mark, size, total)
                count = size = 0
        if count:
            yield self._page(page, mark, size, total)

    def _page(self, page: Assembler, mark: SnapshotMark | None, size: int, total: int | None) -> Page:
        made = page.finish()
        return Page(made.rows, self._state(), made.tombstones, made.rejects, mark, size, total)

    def _finish(self, name: str) -> None:
        path = self.stream.files[name]
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.now[name].size, self.now[name].mtime_ns):
            raise RetriableError(
                "the file changed while it was read; run again",
                source=self.connector.source,
                stream=self.stream.name,
                place=path.name,
            )
        self.state["files"] = {**self.state["files"], name: self.now[name].as_state()}
        done = [*self.at["done"], name] if self.stream.is_snapshot else []
        self.at |= {"file": None, "digest": None, "position": 0, "done": done}

    def _compare_columns(self, columns: Sequence[str], path: Path) -> None:
        """Tells of columns that are gone; a key that is gone stops the reading before every row is
        rejected."""
        if not columns:
            return
        names = [self.request.key] if isinstance(self.request.key, str) else list(self.request.key or ())
        paths = [FieldPath(name) for name in names if name != CONTENT]
        lost = [path.text for path in paths if path.is_plain_field and path.get(dict.fromkeys(columns, "")) is None]
        if lost:
            raise SourceDataError(
                f"the key column {', '.join(map(repr, lost))} is not in the file",
                source=self.connector.source,
                stream=self.stream.name,
                place=path.name,
                hint=f"Columns: {', '.join(columns[:30])}",
            )
        gone = sorted(set(self.state.get("columns") or ()) - set(columns))
        if gone:
            log.warning(
                "%s:%s: columns gone from %s: %s",
                self.connector.source,
                self.stream.name,
                path.name,
                ", ".join(gone),
            )
        self.state["columns"] = list(columns)


def _hash(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
