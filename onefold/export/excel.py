"""Workbooks for people: typed cells, texts that stay texts, and more sheets where one is full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from onefold.export.parts import EXCEL_ROWS

if TYPE_CHECKING:
    from warehouse.contract import ServedView

LONGEST: Final = 32_767
"""Letters of a cell."""
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "#")
_TEXT_FORMAT: Final = "@"


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
    book = Workbook(write_only=True)
    writer = _Sheets(book, view.name, [column.column_name for column in view.columns], rows_of_a_sheet)
    for piece in pieces:
        for values in zip(*(_values(view, piece, at) for at in range(piece.num_columns)), strict=True):
            writer.append(values)
    if not writer.sheets:
        writer.start()
    book.save(path)
    return Workbooked(writer.rows, writer.sheets, writer.cut)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of plain values; one that is longer than a sheet goes on in another."""

    name: str
    columns: Sequence[str]
    rows: Iterable[tuple[Any, ...]]


def write_sheets(path: Path, sheets: Sequence[Sheet], rows_of_a_sheet: int = EXCEL_ROWS) -> None:
    """Write tables to one workbook, one behind the other, each with its head; cells as `write_workbook` has them."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        writer = _Sheets(book, sheet.name, sheet.columns, rows_of_a_sheet)
        writer.start()
        for values in sheet.rows:
            writer.append(values)
    book.save(path)


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
    """The sheets of a workbook, one after the other."""

    def __init__(self, book: Workbook, name: str, columns: Sequence[str], rows_of_a_sheet: int) -> None:
        self._book, self._name, self._columns, self._limit = book, name, columns, rows_of_a_sheet
        self._sheet: Any = None
        self._cells: list[Any] = []
        self._left = 0
        self.rows = self.sheets = self.cut = 0

    def start(self) -> None:
        """A new sheet with its header."""
        self.sheets += 1
        # A sheet's name has 31 letters at most.
        name = self._name[:27] + (f" {self.sheets}" if self.sheets > 1 else "")
        self._sheet = self._book.create_sheet(name)
        self._sheet.freeze_panes = "A2"
        heads = []
        for column in self._columns:
            head = WriteOnlyCell(self._sheet, column)
            head.font = Font(bold=True)
            heads.append(head)
        self._sheet.append(heads)
        # A cell is written when its row is appended: one for each column is enough.
        self._cells = [WriteOnlyCell(self._sheet) for _ in self._columns]
        self._left = self._limit - 1

    def append(self, values: tuple[Any, ...]) -> None:
        """One row."""
        if not self._left:
            self.start()
        self._sheet.append([self._cell(at, value) for at, value in enumerate(values)])
        self._left -= 1
        self.rows += 1

    def _cell(self, at: int, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if len(value) > LONGEST:
            self.cut += 1
            value = value[:LONGEST]
        cell = self._cells[at]
        cell.value = None
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        # The library takes "=..." for a formula and "#N/A" for an error.
        cell.data_type = "s"
        cell.number_format = _TEXT_FORMAT
        cell.quotePrefix = value.startswith(_DANGEROUS)
        return cell
