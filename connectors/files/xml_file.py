"""XML exchanges, record by record: an element becomes an object, and no document type is ever expanded.

    <Товары><Строка><Цена>10.50</Цена></Строка></Товары>     {"Товары": [{"Цена": "10.50"}]}
    <Единица Код="796">шт</Единица>                          {"Единица": {"Код": "796", "#text": "шт"}}

Names lose their namespace prefixes, values stay texts, an empty element is null. What is a row by its name stands in a
list even when it is alone. Memory is one piece of the file and the record in the making.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from xml.parsers import expat

from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files.batch import Batch, Part
from connectors.files.detect import detect_encoding, open_binary, open_text
from connectors.files.settings import FileOptions

TEXT = "#text"
MAX_DEPTH = 64
MAX_RECORD = 32 * 1024 * 1024
"""Characters of one record."""
_CHUNK = 256 * 1024
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*\sencoding\s*=\s*["'](?!utf|ucs|us-ascii)([\w.-]+)""", re.IGNORECASE)
_CODES = expat.errors.codes
_CUT_OFF = {
    _CODES[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR, expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}  # fmt: skip
_ENCODING = {_CODES[expat.errors.XML_ERROR_UNKNOWN_ENCODING], _CODES[expat.errors.XML_ERROR_INCORRECT_ENCODING]}
_INVALID = _CODES[expat.errors.XML_ERROR_INVALID_TOKEN]


class Element(NamedTuple):
    """One record of an exchange."""

    names: tuple[str, ...]
    """Of the elements around it and its own."""
    line: int
    value: Any


class Exchange(Protocol):
    """What a kind of exchange knows of its files."""

    rows: frozenset[str]
    """Elements that are rows of a table wherever they stand."""

    def is_record(self, names: Sequence[str]) -> bool:
        """The element of these names (from the root on) is a record."""

    def opened(self, names: Sequence[str], attributes: Mapping[str, str]) -> None:
        """Look at an element near the root. Raises ValueError, with a sentence, for a file of another kind."""


@dataclass(slots=True)
class _Node:
    name: str
    members: dict[str, Any]
    texts: list[str] = field(default_factory=list)


class _Enough(Exception):
    """What was looked for is found, or never will be."""


class _Reader:
    """Builds the records while the parser goes through the file."""

    def __init__(self, exchange: Exchange, name: str, encoding: str | None) -> None:
        self.found: list[Element] = []
        self._exchange, self._name = exchange, name
        self._names: list[str] = []
        self._open: list[_Node] = []
        self._line = self._size = 0
        self.parser = parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse

    def _refuse(self, *_: Any) -> None:
        hint = "Exchanges have none and nothing of it is read: ask who wrote the file"
        raise SourceDataError("the file declares a document type (DOCTYPE)", place=self.place(), hint=hint)

    def place(self) -> str:
        """Where the parser stands."""
        return f"{self._name}:{self.parser.CurrentLineNumber}"

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._names.append(name)
        if len(self._names) > MAX_DEPTH:
            raise SourceDataError(f"elements stand more than {MAX_DEPTH} deep", place=self.place())
        if not self._open:
            if len(self._names) <= 2:
                try:
                    self._exchange.opened(self._names, attributes)
                except ValueError as error:
                    raise SourceDataError(str(error), place=self.place()) from None
            if not self._exchange.is_record(self._names):
                return
            self._line, self._size = self.parser.CurrentLineNumber, 0
        own = {key: value for key, value in attributes.items() if not key.startswith(("xmlns", "xsi:", "xml:"))}
        self._open.append(_Node(name, own))

    def _text(self, text: str) -> None:
        if self._open:
            self._size += len(text)
            if self._size > MAX_RECORD:
                raise SourceDataError(f"a record is longer than {MAX_RECORD} characters", place=self.place())
            self._open[-1].texts.append(text)

    def _end(self, _tag: str) -> None:
        if self._open:
            node = self._open.pop()
            value = self._value(node)
            if self._open:
                self._add(self._open[-1], node.name, value)
            else:
                self.found.append(Element(tuple(self._names), self._line, value))
        self._names.pop()

    def _add(self, parent: _Node, name: str, value: Any) -> None:
        members = parent.members
        if name in self._exchange.rows:
            members.setdefault(name, []).append(value)
        elif name not in members:
            members[name] = value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]

    def _value(self, node: _Node) -> Any:
        text = "".join(node.texts).strip()
        if not node.members:
            return text or None
        if len(node.members) == 1 and (name := next(iter(node.members))) in self._exchange.rows:
            return node.members[name]
        return {**node.members, TEXT: text} if text else node.members


def elements(path: Path, exchange: Exchange, encoding: str | None) -> Iterator[Element]:
    """The records of a file in their order. Raises SourceDataError with file and line; what stands before a
    mistake is given first.
    """
    reader = _Reader(exchange, path.name, "utf-8" if encoding else None)
    begin = 0
    for chunk in _recoded(path, encoding) if encoding else _pieces(path):
        failure: SourceDataError | None = None
        try:
            reader.parser.Parse(chunk, not chunk)
        except SourceDataError as error:
            failure = error
        except (expat.ExpatError, ValueError, LookupError) as error:
            bad = chunk[max(reader.parser.ErrorByteIndex - begin, 0) :][:1]
            failure = _explained(error, reader, bad)
        yield from reader.found
        reader.found.clear()
        if failure is not None:
            raise failure
        begin += len(chunk)


def root_attributes(path: Path, encoding: str | None) -> Mapping[str, str]:
    """The attributes of a file's first element; none where it cannot be read."""
    found: list[Mapping[str, str]] = []
    parser = expat.ParserCreate("utf-8" if encoding else None)

    def start(_tag: str, attributes: dict[str, str]) -> None:
        found.append(attributes)
        raise _Enough

    def refuse(*_: Any) -> None:
        raise _Enough

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    with suppress(_Enough, expat.ExpatError, ValueError, LookupError, SourceDataError, SourceConfigurationError):
        parser.Parse(next(_recoded(path, encoding) if encoding else _pieces(path)), False)
    return found[0] if found else {}


def _pieces(path: Path) -> Iterator[bytes]:
    """Pieces of the file, an empty one at its end."""
    with open_binary(path) as stream:
        head = stream.read(_CHUNK)
        declared = _DECLARED.match(head)
        if declared is not None and not head.isascii() and detect_encoding(path).startswith("utf-8"):
            # A code page takes any bytes, so that no element would have the name that is looked for.
            name = declared[1].decode("ascii", "replace")
            raise SourceDataError(
                f"the file declares {name} and is written in UTF-8",
                place=f"{path.name}:1",
                hint="Set `encoding: utf-8`",
            )
        yield head
        if head:
            yield from iter(lambda: stream.read(_CHUNK), b"")
            yield b""


def _recoded(path: Path, encoding: str) -> Iterator[bytes]:
    """The same in UTF-8, of a file that is written in `encoding` whatever it declares."""
    try:
        codecs.lookup(encoding)  # before the file is open
        with open_text(path, encoding, "strict") as text:
            head = text.read(_CHUNK).removeprefix("\ufeff")
            yield head.encode()
            if head:
                yield from (piece.encode() for piece in iter(lambda: text.read(_CHUNK), ""))
                yield b""
    except LookupError:
        raise SourceConfigurationError(f"unknown encoding {encoding!r}", place=path.name) from None
    except UnicodeDecodeError:
        hint = "Leave out `encoding` or set the right one"
        raise SourceDataError(f"the file is not written in {encoding}", place=path.name, hint=hint) from None


def _explained(error: Exception, reader: _Reader, bad: bytes) -> SourceDataError:
    place, code = reader.place(), getattr(error, "code", None)
    if code in _CUT_OFF:
        hint = "Is it still being written, or was it cut off? Export it again"
        return SourceDataError("the XML ends before it is complete", place=place, hint=hint)
    hint = "Set `encoding` to what the file is written in, such as cp1251"
    if code is None or code in _ENCODING:
        return SourceDataError("the file declares an encoding that cannot be read", place=place, hint=hint)
    if code == _INVALID and not bad.isascii():
        return SourceDataError("a letter is not in the encoding that the file declares", place=place, hint=hint)
    return SourceDataError(f"this is not XML: {expat.ErrorString(code)}", place=place, hint="Export it again")


def exchange_part(path: Path, options: FileOptions, start: int, found: Iterator[tuple[int, Any]], **rules: Any) -> Part:
    """The records of an exchange, given as line and value, after the `start`-th; `rules` go on to the part."""
    lines = array("L")

    def batches() -> Iterator[Batch]:
        batch = Batch([], start)
        for number, (line, value) in enumerate(found, start=1):
            lines.append(line)
            if number <= start:
                continue
            batch.records.append((number, value))
            if len(batch.records) >= options.page_size:
                batch.position = number
                yield batch
                batch = Batch([], number)
        if batch.records:
            batch.position = len(lines)
            yield batch

    return Part((), batches(), lambda number: f"{path.name}:{lines[number - 1]}", **rules)
