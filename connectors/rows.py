"""From a decoded record to a `Row`: its key, canonical payload, digest and time of change; or a reject that
says why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, repeat
from typing import Any

from connectors.canonical import NotStorable, canonical, canonical_lines, digest
from connectors.errors import SourceConfigurationError
from connectors.page import RejectedRow, Row, StreamRequest
from connectors.paths import Path, PathError, as_text, compile_paths
from connectors.times import as_timestamp, zone

Encode = Callable[[Any], bytes]

CONTENT = "content"
"""The key of keyless rows: the digest of what they say, with an ordinal among identical rows."""

MAX_KEY = 1000
"""Bytes of UTF-8; a longer key would not fit into the warehouse's indexes."""


def join_key(parts: Sequence[str]) -> str:
    """One key from several parts, unambiguous: `|` between them, `\\` before a `|` or `\\` inside. One part
    stays as it is."""
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def key_text(value: Any) -> str | None:
    """A key's part as text: integers (7.0 too) as decimal text, so that a key may change its type; None if
    it is missing."""
    text = as_text(value)
    return text if text is None or text.strip() else None


class RowMaker:
    """Makes the rows of one stream; keys, paths and zone are compiled once.

    `key` may be one path, several (a composite key), or `content`.
    """

    def __init__(
        self,
        key: str | Sequence[str],
        updated_at: str | None = None,
        volatile: Sequence[str] = (),
        timezone: str = "UTC",
        *,
        source: str | None = None,
        stream: str | None = None,
    ) -> None:
        try:
            self.is_keyless = key == CONTENT or list(key) == [CONTENT]
            self._key_paths: tuple[Path, ...] = () if self.is_keyless else compile_paths(key)
            self._volatile = compile_paths(list(volatile))
            self._updated_at = compile_paths(updated_at)[0].get if updated_at else None
            zone(timezone)
        except (PathError, ValueError) as error:
            raise SourceConfigurationError(str(error), source=source, stream=stream) from None
        if not self.is_keyless and not self._key_paths:
            raise SourceConfigurationError("the key has no path", source=source, stream=stream)
        self._timezone = timezone
        self._single: Callable[[Any], Any] | None = self._key_paths[0].get if len(self._key_paths) == 1 else None
        self._seen: dict[bytes, int] = {}

    @classmethod
    def for_request(
        cls, request: StreamRequest, key: str | Sequence[str], updated_at: str | None, source: str
    ) -> RowMaker:
        """A maker for a stream, where the request leaves the key or the time to the connector."""
        return cls(
            request.key or key,
            request.updated_at or updated_at,
            request.volatile,
            request.timezone,
            source=source,
            stream=request.name,
        )

    @property
    def has_volatile(self) -> bool:
        """Some paths stay out of the digest."""
        return bool(self._volatile)

    @property
    def has_times(self) -> bool:
        """The stream's records say when they changed."""
        return self._updated_at is not None

    def restart(self) -> None:
        """Begin a pass anew: ordinals among identical keyless rows count from one again."""
        self._seen.clear()

    def key_of(self, record: Any) -> str | None:
        """The record's key, or None when a part of it is missing."""
        if self._single is not None:
            value = self._single(record)
            return value if type(value) is str and value and not value.isspace() else key_text(value)
        parts = [key_text(path.get(record)) for path in self._key_paths]
        return None if None in parts else join_key([part for part in parts if part is not None])

    def changed_at(self, record: Any) -> datetime | None:
        """When the source says that the record changed (aware), or None."""
        return as_timestamp(self._updated_at(record), self._timezone) if self._updated_at else None

    def make(self, record: Any, place: str, encode: Encode = canonical) -> Row | RejectedRow:
        """The row of `record`, or a reject with the reason; `encode` is `canonical` or one of its kin."""
        if not isinstance(record, dict):
            return reject(record, "malformed-row", "the record is not an object with fields", place)
        try:
            payload = encode(record)
            if self._volatile:
                content = record
                for path in self._volatile:
                    content = path.without(content)
                mark = digest(canonical(content))
            else:
                mark = digest(payload)
        except NotStorable as error:
            return reject(record, "not-storable", str(error), place)
        key = self._content_key(mark) if self.is_keyless else self.key_of(record)
        if key is None:
            return RejectedRow(payload, "missing-key", f"nothing stands at {self._key_names()}", place)
        if len(key) > 250 and len(key.encode()) > MAX_KEY:
            return RejectedRow(payload, "key-too-long", f"the key is longer than {MAX_KEY} bytes", place)
        changed = as_timestamp(self._updated_at(record), self._timezone) if self._updated_at else None
        return Row(key, payload, mark, changed)

    def make_all(self, records: Sequence[Any], encode: Encode = canonical) -> list[Row] | None:
        """The rows of many records, made together; None where one of them has to be made by itself, or all have."""
        if self._volatile or self.is_keyless or not records or not {dict}.issuperset(map(type, records)):
            return None
        keys = [key for record in records if (key := self.key_of(record)) is not None]
        if len(keys) < len(records) or max(map(len, keys)) > MAX_KEY // 4:
            return None
        payloads = canonical_lines(records, encode)
        if payloads is None:
            return None
        changed = map(self.changed_at, records) if self._updated_at else repeat(None)
        return list(map(Row, keys, payloads, map(digest, payloads), changed))

    def _content_key(self, mark: bytes) -> str:
        count = self._seen.get(mark, 0) + 1
        self._seen[mark] = count
        return mark.hex() if count == 1 else f"{mark.hex()}#{count}"

    def _key_names(self) -> str:
        return ", ".join(f"`{path.text}`" for path in self._key_paths)


def reject(record: Any, reason: str, detail: str, place: str) -> RejectedRow:
    """A reject with the record's bytes: its JSON if it has any, else its Python text, undecodable
    characters kept."""
    if isinstance(record, bytes):
        return RejectedRow(record, reason, detail, place)
    try:
        data = canonical(record)
    except NotStorable:
        data = _lossless(record)
    return RejectedRow(data, reason, detail, place)


def _lossless(record: Any) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=True, default=str, sort_keys=True).encode()
    except (TypeError, ValueError, RecursionError):
        return repr(type(record)).encode()


@dataclass(slots=True)
class Assembled:
    """What became of a page's records."""

    rows: list[Row]
    tombstones: list[str]
    rejects: list[RejectedRow]
    shown: list[str] | None = None
    """Of a question for keys alone: the keys."""


class Assembler:
    """Collects a page: rows with distinct keys from numbered records; of two with one key the later stands.

    An earlier one that says something else becomes a reject `duplicate-key` (unless `tells_duplicates` is false: rows
    that are versions of a record); an exact repetition is dropped.
    Records for which `is_deleted` holds become tombstones. `place` names a record's number; `on_reject` may
    improve a reject. Records are added in small lots: thousands of decoded ones at once spoil the caches.
    """

    LOT = 256

    def __init__(
        self,
        maker: RowMaker,
        place: Callable[[int], str],
        *,
        is_deleted: Callable[[Any], bool] | None = None,
        on_reject: Callable[[Any, RejectedRow], RejectedRow] | None = None,
        tells_duplicates: bool = True,
    ) -> None:
        self._maker, self._place, self._is_deleted, self._on_reject = maker, place, is_deleted, on_reject
        self._tells_duplicates = tells_duplicates
        self._kept: dict[str, tuple[int, Row]] = {}
        self._deleted: dict[str, None] = {}
        self._rejects: list[RejectedRow] = []

    def add(self, records: Iterable[tuple[int, Any]], encode: Encode = canonical) -> None:
        """Take numbered records, encoded by `canonical` or one of its kin."""
        rest = iter(records)
        while lot := list(islice(rest, self.LOT)):
            made = self._maker.make_all([record for _, record in lot], encode)
            if made is None:
                self._add_each(lot, encode)
            elif self._is_deleted is None:
                self.add_rows([number for number, _ in lot], made)
            else:
                for (number, record), row in zip(lot, made, strict=True):
                    self._take(number, record, row)

    def _add_each(self, records: Iterable[tuple[int, Any]], encode: Encode) -> None:
        for number, record in records:
            made = self._maker.make(record, "", encode)
            if isinstance(made, RejectedRow):
                made = made._replace(place=self._place(number))
                self._rejects.append(self._on_reject(record, made) if self._on_reject else made)
            else:
                self._take(number, record, made)

    def _take(self, number: int, record: Any, made: Row) -> None:
        if self._is_deleted is not None and self._is_deleted(record):
            self._kept.pop(made.key, None)
            self._deleted[made.key] = None
        else:
            self._keep(number, made)

    def add_rows(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Take rows that are made already, with the numbers of their records."""
        fresh = dict(zip([row.key for row in rows], zip(numbers, rows, strict=True), strict=True))
        if len(fresh) == len(rows) and not self._deleted and self._kept.keys().isdisjoint(fresh):
            self._kept.update(fresh)
            return
        for number, row in zip(numbers, rows, strict=True):
            self._keep(number, row)

    def _keep(self, number: int, made: Row) -> None:
        key = made.key
        before = self._kept.pop(key, None)
        if before is not None and before[1].digest != made.digest and self._tells_duplicates:
            self._rejects.append(self._duplicate(before, number))
        self._kept[key] = (number, made)
        if self._deleted:
            self._deleted.pop(key, None)

    def reject(self, rejects: Iterable[tuple[int, RejectedRow]]) -> None:
        """Take numbered rejects."""
        self._rejects.extend(row._replace(place=self._place(number)) for number, row in rejects)

    def _duplicate(self, before: tuple[int, Row], number: int) -> RejectedRow:
        detail = f"another row with this key follows at {self._place(number)}"
        return RejectedRow(before[1].payload, "duplicate-key", detail, self._place(before[0]))

    def finish(self) -> Assembled:
        """The page; the assembler is empty again."""
        done = Assembled([row for _, row in self._kept.values()], list(self._deleted), self._rejects)
        self._kept, self._deleted, self._rejects = {}, {}, []
        return done


def lot_size(page_size: int) -> int:
    """How many records to take at once so that lots fill a page evenly."""
    return -(-page_size // -(-page_size // Assembler.LOT))
