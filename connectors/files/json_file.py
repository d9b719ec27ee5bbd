"""JSON lines, and JSON documents that are a list of records or hold one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from connectors.canonical import decode
from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files.batch import Batch, Part
from connectors.files.detect import detect_encoding, open_binary, open_text
from connectors.files.settings import FileOptions
from connectors.page import RejectedRow
from connectors.paths import PathError, compile_path

MAX_LINE = 64 * 1024 * 1024
MAX_DOCUMENT = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


def read_json_lines(path: Path, options: FileOptions, start: int) -> Part:
    """The records of a file with one JSON value a line, after line `start`; empty lines are passed over."""
    encoding = options.encoding or detect_encoding(path)
    return Part((), _line_batches(path, encoding, start, options.page_size), lambda number: f"{path.name}:{number}")


def _line_batches(path: Path, encoding: str, start: int, page_size: int) -> Iterator[Batch]:
    lines = _utf8_lines(path, encoding)
    number = sum(1 for _ in islice(lines, start))
    batch = Batch([], number)
    for line in lines:
        number += 1
        batch.bytes_read += len(line)
        if not line.strip():
            continue
        try:
            batch.records.append((number, decode(line)))
        except ValueError as error:
            batch.rejects.append((number, _invalid(line, error)))
        if len(batch.records) + len(batch.rejects) >= page_size:
            batch.position = number
            yield batch
            batch = Batch([], number)
    if batch.records or batch.rejects:
        batch.position = number
        yield batch


def _utf8_lines(path: Path, encoding: str) -> Iterator[bytes]:
    if encoding.replace("_", "-").lower() in ("utf-8", "utf-8-sig", "ascii"):
        with open_binary(path) as stream:
            yield stream.readline(MAX_LINE).removeprefix(_BOM)
            yield from iter(lambda: stream.readline(MAX_LINE), b"")
    else:
        number = 1
        with open_text(path, encoding, "surrogateescape") as text:
            try:
                for line in iter(lambda: text.readline(MAX_LINE), ""):
                    yield line.encode("utf-8", "surrogateescape")
                    number += 1
            except UnicodeDecodeError:  # half a character of two bytes
                hint = "Is it cut off, or in another encoding?"
                message = f"this cannot be read as {encoding}"
                raise SourceDataError(message, place=f"{path.name}:{number}", hint=hint) from None


def _invalid(line: bytes, error: ValueError) -> RejectedRow:
    if isinstance(error, UnicodeDecodeError) or not _is_utf8(line):
        return RejectedRow(line, "bad-encoding", "the line is not valid UTF-8", "")
    return RejectedRow(line, "invalid-json", _reason(error), "")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reason(error: ValueError) -> str:
    # The parsers' messages name characters and places, never values.
    return str(error).splitlines()[0][:200]


def read_json(path: Path, options: FileOptions, start: int) -> Part:
    """The records of a JSON document, after the `start`-th: a list, the list at `records`, or one object.

    A list is read piece by piece, so a cut-off file loses only its last record, which is set aside.
    """
    encoding = options.encoding or detect_encoding(path)
    with open_text(path, encoding, "replace") as text:
        first = text.read(_CHUNK).lstrip("\ufeff \t\r\n")[:1]
    if options.records is None and first == "[":
        batches = _list_batches(path, encoding, start, options.page_size)
    else:
        batches = _document_batches(path, encoding, options, start)
    return Part((), batches, lambda number: f"{path.name} record {number}")


def _list_batches(path: Path, encoding: str, start: int, page_size: int) -> Iterator[Batch]:
    batch = Batch([], start)
    number = 0
    with open_text(path, encoding, "surrogateescape") as text:
        for value in _elements(text, path.name):
            number += 1
            if number <= start:
                continue
            if isinstance(value, RejectedRow):
                batch.rejects.append((number, value))
            else:
                batch.records.append((number, value))
            if len(batch.records) + len(batch.rejects) >= page_size:
                batch.position = number
                yield batch
                batch = Batch([], number)
    if batch.records or batch.rejects:
        batch.position = number
        yield batch


def _elements(text: TextIO, name: str) -> Iterator[Any]:
    """The values of a JSON list, decoded one after another from a sliding window of text."""
    scan = json.JSONDecoder(parse_float=Decimal, parse_constant=Decimal).raw_decode
    window, at_end, step = text.read(_CHUNK).lstrip("\ufeff \t\r\n")[1:], False, _CHUNK
    place = 0
    while True:
        while place < len(window) and window[place] in " \t\r\n,":
            place += 1
        if place < len(window) and window[place] == "]":
            return
        try:
            value, place = scan(window, place)
            # A number at the window's edge may go on behind it.
            if place < len(window) or at_end:
                yield value
                continue
        except (ValueError, RecursionError) as error:
            if at_end:
                rest = window[place:]
                if rest.strip() or not isinstance(error, ValueError):
                    yield RejectedRow(rest.encode("utf-8", "surrogatepass"), "invalid-json", _broken(error), "")
                return
            if len(window) - place > MAX_DOCUMENT:
                raise SourceDataError("a record is too long", place=name) from None
        more = text.read(step)
        at_end = not more
        window, place = window[place:] + more, 0
        step = min(step * 2, 16 * _CHUNK) if len(window) > step else _CHUNK


def _broken(error: Exception) -> str:
    message = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
    return f"the list cannot be read from here on: {message}"


def _document_batches(path: Path, encoding: str, options: FileOptions, start: int) -> Iterator[Batch]:
    with open_binary(path) as stream:
        data = stream.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise SourceDataError("the JSON document is too long; export it as JSON lines", place=path.name)
    try:
        document = decode(data.decode(encoding, "surrogateescape").removeprefix("\ufeff"))
    except ValueError as error:
        raise SourceDataError(f"this is not JSON: {_reason(error)}", place=path.name) from None
    if options.records is None:
        found = document
    else:
        try:
            found = compile_path(options.records).get(document)
        except PathError as error:
            raise SourceConfigurationError(str(error), place=path.name) from None
        if found is None:
            raise SourceDataError(f"nothing stands at `{options.records}`", place=path.name)
    records = found if isinstance(found, list) else [found]
    for begin in range(start, len(records), options.page_size):
        chunk = records[begin : begin + options.page_size]
        yield Batch(list(enumerate(chunk, begin + 1)), begin + len(chunk), [], 0, len(records))
