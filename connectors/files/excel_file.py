"""Workbooks (xlsx, xlsm, xls, xlsb, ods): the header row is found, merged cells are filled, totals are set
aside.

Numbers keep their digits: a tax number that Excel shows as 7707083893 arrives as that integer.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from connectors.canonical import NotStorable, plain
from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files.batch import Batch, Part, unique_names
from connectors.files.settings import FileOptions
from connectors.rows import reject

Cells = list[Any]
SHEET = "$sheet"
_HEADER_SEARCH = 40
_TOTAL = re.compile(
    r"(?:итого|всего|в том числе)\b.*|(?:grand\s+|sub)?totals?\s*:?|(?:gesamt)?summe\s*:?|gesamt\s*:?", re.I
)


def sheet_names(path: Path) -> list[str]:
    """The visible sheets of a workbook. Raises SourceDataError."""
    from python_calamine import SheetVisibleEnum

    with _workbook(path) as book:
        return [item.name for item in book.sheets_metadata if item.visible == SheetVisibleEnum.Visible]


def read_excel(path: Path, options: FileOptions, start: int) -> Part:
    """The rows of one sheet, or of all that a pattern names one behind the other, after row `start`.

    With a pattern each row says as `$sheet` where it stands, and rows are counted through.
    """
    names, is_many = _chosen(path, options)
    first = _read_sheet(path, names[0], options)
    begins = [0]

    def place(number: int) -> str:
        sheet = bisect_left(begins, number) - 1
        return f"{path.name} sheet {names[sheet]}!A{number - begins[sheet]}"

    def batches() -> Iterator[Batch]:
        for index, name in enumerate(names):
            base, sheet = begins[index], first if index == 0 else _read_sheet(path, name, options)
            if sheet.rows:
                for batch in _batches(sheet, max(start - base, sheet.header), options):
                    yield _counted_through(batch, base, name) if is_many else batch
            begins.append(base + len(sheet.rows))

    return Part([*first.columns, SHEET] if is_many else first.columns, batches(), place)


def _chosen(path: Path, options: FileOptions) -> tuple[list[str], bool]:
    """The sheets to read, and whether a pattern chose them. Raises SourceConfigurationError with those there are."""
    with _workbook(path) as book:
        known = list(book.sheet_names)
    if not known:
        raise SourceDataError("the workbook has no sheet", place=path.name, hint="Is it damaged?")
    if options.sheet is None:
        return [next(iter(sheet_names(path)), known[0])], False
    if options.sheet in known:
        return [options.sheet], False
    found = [name for name in sheet_names(path) if fnmatchcase(name, options.sheet)]
    if not found:
        hint = f"Sheets: {', '.join(known[:20])}"
        raise SourceConfigurationError(f"no sheet {options.sheet!r}", place=path.name, hint=hint)
    return found, True


class _Sheet(NamedTuple):
    rows: list[Cells]
    header: int
    columns: list[str]


def _read_sheet(path: Path, name: str, options: FileOptions) -> _Sheet:
    with _workbook(path) as book:
        sheet = book.get_sheet_by_name(name)
        rows: list[Cells] = sheet.to_python(skip_empty_area=False)
        merged = sheet.merged_cell_ranges or []
    _fill_merged(rows, merged)
    if not rows:
        return _Sheet(rows, 0, [])
    header = _find_header(rows, options.header_row)
    return _Sheet(rows, header, _columns(rows, header))


def _counted_through(batch: Batch, base: int, name: str) -> Batch:
    records = [(base + number, {**record, SHEET: name}) for number, record in batch.records]
    rejects = [(base + number, made) for number, made in batch.rejects]
    return replace(batch, records=records, rejects=rejects, position=base + batch.position)


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    """An open workbook; one that turns out to be damaged while it is read is refused like one that cannot be opened."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            yield book
    except PasswordError:
        raise SourceDataError("the workbook is protected by a password", place=path.name) from None
    except (CalamineError, OSError) as error:
        hint = "Is it cut off, or another format under this name?"
        message = f"this cannot be read as a workbook ({type(error).__name__})"
        raise SourceDataError(message, place=path.name, hint=hint) from None


def _fill_merged(rows: list[Cells], merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """What a merged cell says holds for every row it spans. Across columns it stays where it stands."""
    for (top, left), (bottom, _) in merged:
        if top < len(rows) and left < len(rows[top]):
            for row in rows[top + 1 : bottom + 1]:
                row[left] = rows[top][left]


def _find_header(rows: list[Cells], header_row: int | None) -> int:
    """Number of the header row, from 1; 0 if the sheet has none by configuration.

    Found as the first of the upper rows that is text all along, without repetitions, and about as wide as
    the table.
    """
    if header_row is not None:
        return header_row
    upper = rows[:_HEADER_SEARCH]
    width = max(sum(cell != "" for cell in row) for row in upper)
    for number, row in enumerate(upper, start=1):
        cells = [cell for cell in row if cell != ""]
        if len(cells) * 10 >= width * 6 and cells and all(isinstance(cell, str) for cell in cells):
            following = [cell for cell in rows[number] if cell != ""] if number < len(rows) else []
            # A band of merged titles stands above the real headers when the next row is text too, and wider.
            if len(following) > len(cells) and all(isinstance(cell, str) for cell in following):
                continue
            return number
    return next((number for number, row in enumerate(upper, start=1) if any(cell != "" for cell in row)), 1)


def _columns(rows: list[Cells], header: int) -> list[str]:
    if header == 0:
        return [f"column_{place + 1}" for place in range(len(rows[0]))]
    if header > len(rows):
        raise SourceConfigurationError(f"the sheet has no row {header} for `header_row`")
    cells = list(rows[header - 1])
    if header > 1:
        # A column whose header stands only in the band above keeps that name.
        cells = [cell if cell != "" else above for cell, above in zip(cells, rows[header - 2], strict=True)]
    return unique_names([_title(cell) for cell in cells])


def _title(cell: Any) -> str:
    return str(plain(cell)) if isinstance(cell, float) else str(cell)


def _batches(sheet: _Sheet, start: int, options: FileOptions) -> Iterator[Batch]:
    rows, columns = sheet.rows, sheet.columns
    total = len(rows) - start
    batch = Batch([], start, total_rows=total)
    for number in range(start + 1, len(rows) + 1):
        cells = rows[number - 1]
        values = dict(zip(columns, (None if cell == "" else cell for cell in cells), strict=True))
        if not any(value is not None for value in values.values()):
            continue
        try:
            record = {name: plain(value) for name, value in values.items()}
        except NotStorable as error:
            batch.rejects.append((number, reject(values, "not-storable", str(error), "")))
            continue
        if options.totals and _is_total(list(values.values())):
            batch.rejects.append((number, reject(record, "totals-row", "a row of totals, not a record", "")))
        else:
            batch.records.append((number, record))
        if len(batch.records) + len(batch.rejects) >= options.page_size:
            batch.position = number
            yield batch
            batch = Batch([], number, total_rows=total)
    if batch.records or batch.rejects:
        batch.position = len(rows)
        yield batch


def _is_total(values: list[Any]) -> bool:
    filled = [value for value in values if value is not None]
    first = filled[0]
    return isinstance(first, str) and len(filled) < len(values) and _TOTAL.fullmatch(first.strip()) is not None
