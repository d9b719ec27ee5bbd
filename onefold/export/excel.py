"""Workbooks for people: typed cells, texts that stay texts, and more sheets where one is full."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from onefold.export.parts import EXCEL_ROWS

if TYPE_CHECKING:
    from warehouse.contract import ServedView

LONGEST: Final = 32_767
"""Letters of a cell."""
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "#")
_TEXT_FORMAT: Final = "@"
_TOO_LONG: Final = -2
"""What XlsxWriter says of a text that it cut."""
# XML cannot hold them, and Excel's own way of writing them is read by few others.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FIRST_DAY: Final = date(1900, 1, 1)
"""Excel knows no day before."""


@dataclass(frozen=True, slots=True)
class Workbooked:
    """What a workbook took."""

    rows: int
    sheets: int
    cut: int


def write_workbook(
    view: ServedView, pieces: Iterator[pa.Table], path: Path, rows_of_a_sheet: int = EXCEL_ROWS
) -> Workbooked:
    """Write the pieces to a workbook at `path`; moments are in UTC, since a cell knows no zone.

    Whatever is text in the hub (tax numbers, phones, codes, also 64-bit ids, which a cell would round) is text in the
    cell, and none is a formula: it keeps its type, and `quotePrefix` keeps it when somebody edits the cell.
    """
    with _book(path) as book:
        writer = _Sheets(book, view.name, [column.column_name for column in view.columns], rows_of_a_sheet)
        for piece in pieces:
            for values in zip(*(_values(view, piece, at) for at in range(piece.num_columns)), strict=True):
                writer.append(values)
        if not writer.sheets:
            writer.start()
    return Workbooked(writer.rows, writer.sheets, writer.cut)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of plain values; one that is longer than a sheet goes on in another."""

    name: str
    columns: Sequence[str]
    rows: Iterable[tuple[Any, ...]]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Column -> the words that its cells may hold, which the program offers as a list."""


def write_sheets(path: Path, sheets: Sequence[Sheet], rows_of_a_sheet: int = EXCEL_ROWS) -> None:
    """Write tables to one workbook, one behind the other, each with its head; cells as `write_workbook` has them."""
    with _book(path) as book:
        for sheet in sheets:
            writer = _Sheets(book, sheet.name, sheet.columns, rows_of_a_sheet, sheet.choices)
            writer.start()
            for values in sheet.rows:
                writer.append(values)


@contextmanager
def _book(path: Path) -> Iterator[Workbook]:
    """A workbook that is at `path` after the block."""
    # Rows go to files of their own until the end: beside the workbook, where clients' data may stand.
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        book = Workbook(path, {"constant_memory": True, "tmpdir": folder, "in_memory": False})
        book.use_zip64()
        yield book
        try:
            book.close()
        except FileCreateError as error:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()  # it leaves them open
            raise error.args[0] from None  # what the system said: no room, no right


def _values(view: ServedView, piece: pa.Table, at: int) -> list[Any]:
    """A column as cells take it."""
    column, type_ = piece.column(at), piece.schema.field(at).type
    if pa.types.is_list(type_):
        return [None if value is None else ", ".join(part or "" for part in value) for value in column.to_pylist()]
    if pa.types.is_timestamp(type_):
        return list(column.cast(pa.timestamp("us")).to_pylist())
    if pa.types.is_int64(type_) and view.columns[at].column_name.endswith(("_id", "_key")):
        return list(column.cast(pa.string()).to_pylist())
    if pa.types.is_decimal(type_):
        return [None if value is None else value.normalize() for value in column.to_pylist()]
    return list(column.to_pylist())


class _Sheets:
    """The sheets of a table, one after the other."""

    def __init__(
        self, book: Workbook, name: str, columns: Sequence[str], rows_of_a_sheet: int,
        choices: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        self._book, self._name, self._columns, self._limit = book, name, columns, rows_of_a_sheet
        self._choices = choices or {}
        self._bold = book.add_format({"bold": True})
        self._text = book.add_format({"num_format": _TEXT_FORMAT})
        self._quoted = book.add_format({"num_format": _TEXT_FORMAT, "quote_prefix": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheet: Any = None
        self._row = 0
        # By the type of a value, not by its column: a table of plain values has no types.
        self._writers: dict[type, Callable[[int, Any], None]] = {
            str: self._write_text, bool: self._write_flag, int: self._write_number, float: self._write_number,
            Decimal: self._write_number, datetime: self._write_moment, date: self._write_day,
        }  # fmt: skip
        self.rows = self.sheets = self.cut = 0

    def start(self) -> None:
        """A new sheet with its header."""
        self.sheets += 1
        # A sheet's name has 31 letters at most.
        name = self._name[:27] + (f" {self.sheets}" if self.sheets > 1 else "")
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(self._columns):
            self._sheet.write_string(0, at, column, self._bold)
            if words := self._choices.get(column):
                self._sheet.data_validation(1, at, self._limit - 1, at, {"validate": "list", "source": list(words)})
        self._row = 1

    def append(self, values: tuple[Any, ...]) -> None:
        """One row."""
        if not self.sheets or self._row == self._limit:
            self.start()
        writers = self._writers
        for at, value in enumerate(values):
            if value is not None:
                writers[type(value)](at, value)
        self._row += 1
        self.rows += 1

    def _write_flag(self, at: int, value: bool) -> None:
        self._sheet.write_boolean(self._row, at, value)

    def _write_number(self, at: int, value: Any) -> None:
        if math.isfinite(value):
            # A decimal goes to its digits (16 of them, of which Excel shows 15) and never through a float.
            self._sheet.write_number(self._row, at, value)
        else:
            self._write_text(at, str(value))

    def _write_day(self, at: int, value: date) -> None:
        if value < _FIRST_DAY:
            self._write_text(at, value.isoformat())
        else:
            self._sheet.write_datetime(self._row, at, value, self._day)

    def _write_moment(self, at: int, value: datetime) -> None:
        if value.date() < _FIRST_DAY:
            self._write_text(at, value.isoformat(" "))
        else:
            self._sheet.write_datetime(self._row, at, value, self._moment)

    def _write_text(self, at: int, value: str) -> None:
        was_cut = len(value) > LONGEST
        if was_cut:
            self.cut += 1
            value = value[:LONGEST]
        if not value.isprintable():
            value = _ILLEGAL.sub("\ufffd", value)
        form = self._quoted if value.startswith(_DANGEROUS) else self._text
        if value.startswith("<r>") and value.endswith("</r>"):
            # XlsxWriter would take it for its own rich text and write it as XML; in pieces it is escaped.
            self._sheet.write_rich_string(self._row, at, value[0], value[1], value[2:], form)
            return
        # As a string whatever it says: no formula, no address, no number. A letter beyond 16 bits counts for two.
        is_cut = self._sheet.write_string(self._row, at, value, form) == _TOO_LONG
        self.cut += is_cut and not was_cut
