"""CSV: any encoding and dialect; a malformed row is set aside with its line, and its neighbours are read.

Rows are parsed strictly. Where that fails (a quote that never closes, text after a closing quote) the first
line alone is
read with its quotes taken literally; if it then has the right number of fields it is a row, else a reject,
and reading
goes on with the next line. So an unclosed quote cannot swallow the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, cast

from connectors.canonical import canonical_texts
from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files import datev
from connectors.files.batch import Batch, Part, unique_names
from connectors.files.detect import detect_dialect, detect_encoding, open_text
from connectors.files.settings import FileOptions
from connectors.page import RejectedRow

MAX_LINE = 32 * 1024 * 1024
MAX_RECORD_LINES = 1000
_SAMPLE_LINES = 200
_SURROGATES = range(0xD800, 0xE000)


class _Runaway(Exception):
    """A record takes more lines than a record can."""


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes become lone surrogates, in every encoding; `canonical` refuses the row that holds
    them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error("connectors.keep", _keep_bytes)


class _Lines:
    """Physical lines with push-back; remembers those of the record that is being read."""

    __slots__ = ("number", "pushed", "readline", "taken")

    def __init__(self, readline: Callable[[int], str], number: int) -> None:
        self.readline, self.number = readline, number
        self.taken: list[str] = []
        self.pushed: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.pushed:
            line = self.pushed.pop()
        else:
            line = self.readline(MAX_LINE)
            if not line:
                raise StopIteration
        taken = self.taken
        taken.append(line)
        self.number += 1
        if len(taken) > 1 and (len(taken) > MAX_RECORD_LINES or sum(map(len, taken)) > 2 * MAX_LINE):
            raise _Runaway
        return line

    def give_back_all_but_first(self) -> str:
        """The record's first line; the others will be read again."""
        first, *rest = self.taken
        self.pushed.extend(reversed(rest))
        self.number -= len(rest)
        del self.taken[1:]
        return first


def read_csv(path: Path, options: FileOptions, start: int) -> Part:
    """The rows of a CSV file after line `start`."""
    if csv.field_size_limit() < MAX_LINE:
        csv.field_size_limit(MAX_LINE)
    is_datev = options.preset == "datev"
    encoding = datev.encoding_of(path, options.encoding) if is_datev else options.encoding or detect_encoding(path)
    if is_datev:
        options = options.model_copy(update={"delimiter": options.delimiter or ";", "header_row": 2})
    quote = '"' if options.quote is None else options.quote
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise SourceConfigurationError(f"unknown encoding {encoding!r}", place=path.name) from None
    with _open(path, encoding) as text:
        sample = list(islice(iter(lambda: text.readline(MAX_LINE), ""), max(_SAMPLE_LINES, options.header_row or 0)))
    dialect = detect_dialect(sample, options.delimiter, quote)
    make_reader = _reader_factory(dialect.delimiter, quote)
    header, header_line = _header(sample, make_reader, dialect.width, options.header_row)
    if not header:
        if any(line.strip() for line in sample):
            raise SourceDataError("no header row was found", place=path.name, hint="Set `header_row`")
        return Part((), iter(()), lambda number: f"{path.name}:{number}")
    names = unique_names(header)
    if any("\x00" in name or _is_undecoded(name) for name in names):
        raise SourceDataError(
            f"the header row is not text in {encoding}",
            place=f"{path.name}:{header_line}",
            hint="Is this a CSV file? Set `encoding` or `header_row`",
        )

    def place(number: int) -> str:
        return f"{path.name}:{number}"

    def on_reject(record: Any, made: RejectedRow) -> RejectedRow:
        if made.reason == "not-storable" and isinstance(record, dict) and any(map(_is_undecoded, record.values())):
            line = dialect.delimiter.join(record.get(name) or "" for name in names)
            detail = f"the line is not valid {encoding}"
            return made._replace(payload=_encode(line, encoding), reason="bad-encoding", detail=detail)
        return made

    batches = _batches(path, encoding, make_reader, names, max(start, header_line), options.page_size)
    if is_datev:
        batches = datev.completed(batches, datev.read_metadata(path, options), path.name)
        return Part([*names, *datev.ADDED], batches, place, on_reject=on_reject)
    return Part(names, batches, place, encode=canonical_texts, on_reject=on_reject)


def _open(path: Path, encoding: str) -> TextIOWrapper:
    return open_text(path, encoding, "connectors.keep")


def _told(text: TextIOWrapper) -> int:
    """Bytes taken from the file so far."""
    return cast(BinaryIO, text.buffer).tell()


def _is_undecoded(value: Any) -> bool:
    return isinstance(value, str) and not value.isascii() and any(ord(char) in _SURROGATES for char in value)


def _encode(line: str, encoding: str) -> bytes:
    """The line's bytes as they stood in the file, undecodable ones included."""
    try:
        return line.encode(encoding, "surrogateescape")
    except UnicodeError:
        return line.encode("utf-8", "surrogatepass")


ReaderFactory = Callable[[Any, bool], Iterator[list[str]]]


def _reader_factory(delimiter: str, quote: str) -> ReaderFactory:
    def make(lines: Any, is_literal: bool) -> Iterator[list[str]]:
        if is_literal or not quote:
            return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)

    return make


def _header(sample: list[str], make_reader: ReaderFactory, width: int, header_row: int | None) -> tuple[list[str], int]:
    """The header cells and the number of the line they end on (0: there is none, columns are numbered)."""
    if header_row == 0:
        return [f"column_{place + 1}" for place in range(width)], 0
    number = (header_row or 1) - 1
    lines = _Lines(iter_readline(sample[number:]), number)
    reader = make_reader(lines, False)
    try:
        for cells in reader:
            lines.taken.clear()
            # A title above the table has fewer cells than the table.
            if any(cell.strip() for cell in cells) and (header_row or len(cells) >= width):
                return cells, lines.number
    except (csv.Error, _Runaway):
        first = lines.give_back_all_but_first()
        return next(make_reader([first], True)), lines.number
    return [], 0


def iter_readline(lines: list[str]) -> Callable[[int], str]:
    """`readline` over a list."""
    rest = iter(lines)
    return lambda _limit: next(rest, "")


def _batches(
    path: Path, encoding: str, make_reader: ReaderFactory, names: list[str], start: int, page_size: int
) -> Iterator[Batch]:
    width = len(names)
    # Records in key order need no sorting in `canonical`.
    order = sorted(range(width), key=names.__getitem__)
    ordered = [names[place] for place in order]
    pick: Callable[[list[str]], tuple[str, ...]] = itemgetter(*order) if width > 1 else tuple
    with _open(path, encoding) as text:
        for _ in islice(iter(lambda: text.readline(MAX_LINE), ""), start):
            pass
        told = _told(text) if start else 0
        lines = _Lines(text.readline, start)
        reader = make_reader(lines, False)
        batch = Batch([], start)
        taken, records = lines.taken, batch.records
        while True:
            taken.clear()
            try:
                row = next(reader)
            except StopIteration:
                break
            except (csv.Error, _Runaway):
                row = _literally(lines, make_reader)
            if len(row) != width:
                if not row:
                    continue
                if len(taken) > 1:
                    row = _literally(lines, make_reader)
                if len(row) > width and not any(row[width:]):
                    row = row[:width]
            number = lines.number - len(taken) + 1
            if len(row) == width:
                if any(row):
                    records.append((number, dict(zip(ordered, pick(row), strict=True))))
            else:
                batch.rejects.append((number, _malformed(taken, row, width, encoding)))
            if len(records) + len(batch.rejects) >= page_size:
                told, batch.bytes_read = _told(text), _told(text) - told
                batch.position = lines.number
                yield batch
                batch = Batch([], lines.number)
                records = batch.records
        if records or batch.rejects:
            batch.position, batch.bytes_read = lines.number, _told(text) - told
            yield batch


def _literally(lines: _Lines, make_reader: ReaderFactory) -> list[str]:
    """The first line of a record that could not be parsed, its quotes taken as text."""
    first = lines.give_back_all_but_first()
    try:
        return next(make_reader([first], True))
    except csv.Error:
        return [first]


def _malformed(taken: list[str], row: list[str], width: int, encoding: str) -> RejectedRow:
    line = "".join(taken)
    detail = f"{len(row)} fields where the header has {width}"
    if len(line) >= MAX_LINE:
        detail = f"the line is longer than {MAX_LINE} characters"
    return RejectedRow(_encode(line, encoding), "malformed-row", detail, "")
