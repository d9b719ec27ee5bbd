"""One pass over the changed files of a stream: pages with the state to go on from."""

from __future__ import annotations

import gzip
import json
import logging
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from connectors.canonical import canonical
from connectors.errors import ConnectorError, RetriableError, SourceDataError
from connectors.files.batch import Batch, Part
from connectors.files.find import Fingerprint
from connectors.files.periods import Periods
from connectors.files.settings import FileOptions, Replaces
from connectors.page import Page, SnapshotMark, StreamRequest
from connectors.paths import Path as FieldPath
from connectors.rest.flags import flagged
from connectors.rows import CONTENT, Assembler, RowMaker

log = logging.getLogger(__name__)
_VALUE = re.compile(r"[\d\s.,:/+()-]*\d[\d\s.,:/+()-]*|\S+@\S+\.\S+")
"""A number, a date, a telephone number or an e-mail address: what stands in a record and is no name of a column."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with its options settled and its files found."""

    source: str
    name: str
    options: FileOptions
    files: dict[str, Path]
    is_snapshot: bool


@dataclass(frozen=True, slots=True)
class News:
    """What was known of the files, what they are now, and which of them are to be read."""

    before: dict[str, Any]
    now: dict[str, Fingerprint]
    changed: list[str]
    """In the order of reading."""
    needless: Sequence[str] = ()
    """Changed ones that are as good as read: later ones say all that they do."""


class Pass:
    """One pass over the changed files of a stream."""

    def __init__(
        self,
        stream: Stream,
        open_part: Callable[[Path, int], Part],
        request: StreamRequest,
        maker: RowMaker,
        news: News,
    ) -> None:
        self.stream, self.open_part, self.request, self.maker = stream, open_part, request, maker
        self.now, self.changed = news.now, news.changed
        before, at = news.before, news.before.get("at") or {}
        # A snapshot over the same contents goes on where it stood; over others it begins anew.
        # Files that only add stand for themselves.
        goal = digest_of([[name, news.now[name].digest] for name in news.changed]) if stream.is_snapshot else ""
        resumes = bool(at) and at.get("goal") == goal
        start: dict[str, Any] = {"goal": goal, "file": None, "digest": None, "position": 0, "done": []}
        self.at = dict(at) if resumes else start
        self.number = int(before.get("pass", 0)) + (1 if stream.is_snapshot and not resumes else 0)
        self.pass_id = f"{self.number}-{goal}"
        self.replaces = isinstance(stream.options.mode, Replaces)
        self.periods: Periods | None = None
        kept = {name: value for name, value in (before.get("files") or {}).items() if name in news.now}
        kept |= {name: news.now[name].as_state() for name in news.needless}
        self.state: dict[str, Any] = {**before, "pass": self.number, "files": kept}

    def pages(self) -> Iterator[Page]:
        """Pages of all changed files; the last one is held back until it is known to be the last."""
        held: Page | None = None
        for name in self.changed:
            if self.stream.is_snapshot and name in self.at["done"]:
                if self.maker.is_keyless:
                    self._count_again(name)
                continue
            if self.replaces and held is not None:
                # What follows belongs to another file's pass.
                yield held
                held = None
            for page in self._file(name):
                if held is not None:
                    yield held
                held = page
            if self.periods is not None:
                mark = SnapshotMark(self._file_pass(name), is_complete=True, scope=self.periods.scope())
                held = replace(held or Page((), {}), snapshot=mark)
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
        part = self.open_part(self.stream.files[name], 0)
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
        part = self.open_part(path, 0 if self.maker.is_keyless else start)
        self._compare_columns(part.columns, path)
        mark, encode = SnapshotMark(self.pass_id, is_complete=False) if self.stream.is_snapshot else None, part.encode
        if self.replaces:
            with naming(self.stream.source, self.stream.name, path):
                self.periods = Periods(path, self.stream.options, self.at.get("periods", []) if start else [])
            mark = SnapshotMark(self._file_pass(name), is_complete=False)
            encode = canonical if self.periods.changes_rows else encode
        page = Assembler(
            self.maker,
            part.place,
            is_deleted=self._is_deleted(part),
            on_reject=part.on_reject,
            # Of changes the later is the newer; elsewhere a register has the key twice.
            tells_duplicates=self.stream.options.mode != "changes",
        )
        count = size = 0
        total: int | None = None
        for batch in self._batches(part, path):
            page.add(batch.records, encode)
            if batch.position <= start:
                page.finish()
                continue
            page.reject(batch.rejects)
            count += len(batch.records) + len(batch.rejects)
            size, total = size + batch.bytes_read, batch.total_rows
            self.at |= {"file": name, "digest": self.now[name].digest, "position": batch.position}
            if self.periods is not None:
                self.at["periods"] = self.periods.seen
            if count >= self.stream.options.page_size:
                yield self._page(page, mark, size, total)
                count = size = 0
        if count:
            yield self._page(page, mark, size, total)

    def _batches(self, part: Part, path: Path) -> Iterator[Batch]:
        with naming(self.stream.source, self.stream.name, path):
            for batch in part.batches:
                if self.periods is not None:
                    self.periods.take(batch)
                yield batch

    def _file_pass(self, name: str) -> str:
        return digest_of([name, self.now[name].digest])

    def _is_deleted(self, part: Part) -> Callable[[Any], bool] | None:
        rule = self.stream.options.deleted
        tests = [test for test in (flagged(rule) if rule else None, part.is_deleted) if test is not None]
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _page(self, page: Assembler, mark: SnapshotMark | None, size: int, total: int | None) -> Page:
        made = page.finish()
        return Page(made.rows, self._state(), made.tombstones, made.rejects, mark, size, total)

    def _finish(self, name: str) -> None:
        path = self.stream.files[name]
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.now[name].size, self.now[name].mtime_ns):
            raise RetriableError(
                "the file changed while it was read; run again",
                source=self.stream.source,
                stream=self.stream.name,
                place=path.name,
            )
        self.state["files"] = {**self.state["files"], name: self.now[name].as_state()}
        done = [*self.at["done"], name] if self.stream.is_snapshot else []
        self.at |= {"file": None, "digest": None, "position": 0, "done": done}
        self.at.pop("periods", None)

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
                source=self.stream.source,
                stream=self.stream.name,
                place=path.name,
                hint=self._named(columns),
            )
        gone = sorted(set(self.state.get("columns") or ()) - set(columns))
        if gone:
            log.warning(
                "%s:%s: columns gone from %s: %s",
                self.stream.source,
                self.stream.name,
                path.name,
                ", ".join(gone),
            )
        self.state["columns"] = list(columns)

    def _named(self, columns: Sequence[str]) -> str:
        """The columns of the file for an error, unless they may be a record's values."""
        before = self.state.get("columns") or ()
        if any(map(_VALUE.fullmatch, columns)) or (before and not set(before) & set(columns)):
            return (
                "The line of names seems to be missing, values stand in its place: put it back, or say with header_row"
                " where it is"
            )
        return f"Columns: {', '.join(name[:60] for name in columns[:30])}"


@contextmanager
def naming(source: str, stream: str, path: Path | None = None) -> Iterator[None]:
    """A connector's error that knows only its file learns source and stream; so does a damaged archive."""
    try:
        yield
    except ConnectorError as error:
        if error.source is not None:
            raise
        raise type(error)(str(error), source=source, stream=stream) from None
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        place = path.name if path else None
        hint = "Is it still being copied? Copy it again"
        message = "the packed file is cut off or damaged"
        raise SourceDataError(message, source=source, stream=stream, place=place, hint=hint) from None


def digest_of(value: Any) -> str:
    """Sixteen letters that tell one JSON-able value from another."""
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
