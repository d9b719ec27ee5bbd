"""One view, or what changed in it, written as a file of one format. Memory does not grow with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from onefold.export.parts import EXCEL_ROWS, whole_file
from warehouse.export import Span, csv_lines, schema, tables

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable

    from warehouse.contract import ServedView

Format = Literal["parquet", "csv", "xlsx"]
Advance = Callable[[int], None]
_TOLD_EVERY: Final = 10_000
_ROW_GROUP: Final = 1 << 17
_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark, without which Excel takes UTF-8 for an old code page."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one file."""

    rows: int
    sheets: int = 1
    cut: int = 0
    """Texts that were longer than a cell of Excel holds, and end where it ends."""


def write_file(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    path: Path,
    form: Format,
    *,
    excel_ru: bool = False,
    where: Composable | None = None,
    advance: Advance,
) -> Written:
    """Write the rows (of these changes; None: of all; that `where` holds for) to `path`; `advance` hears how many are
    written."""
    if form == "parquet":
        return _parquet(view, tables(conn, view, span, where=where), path, advance)
    if form == "xlsx":
        from onefold.export.excel import write_workbook

        written = write_workbook(view, _told(tables(conn, view, span, where=where), advance), path)
        return Written(written.rows, written.sheets, written.cut)
    return _csv(csv_lines(conn, view, span, "excel-ru" if excel_ru else "plain", where), path, excel_ru, advance)


def write_csv_for_excel(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    path: Path,
    *,
    where: Composable | None = None,
    advance: Advance,
    limit: int = EXCEL_ROWS,
) -> tuple[int, list[Path]]:
    """Write CSV that Excel opens whole: `path`, and where a sheet is full `path` with -2, -3; rows and files.

    What an earlier export left beside them under such a name goes.
    """
    lines = csv_lines(conn, view, span, "excel-ru", where)
    head = next(lines)
    files: list[Path] = []
    rows = 0
    waiting = next(lines, None)
    while waiting is not None or not files:
        target = path.with_stem(f"{path.stem}-{len(files) + 1}") if files else path
        with whole_file(target) as temporary:
            written = _csv(chain([head], _up_to(waiting, lines, limit - 1)), temporary, True, advance)
        files.append(target)
        rows += written.rows
        waiting = next(lines, None)
    for number in count(len(files) + 1):
        left = path.with_stem(f"{path.stem}-{number}")
        if not left.exists():
            break
        left.unlink()
    return rows, files


def _up_to(first: bytes | None, lines: Iterator[bytes], most: int) -> Iterator[bytes]:
    return islice(chain(() if first is None else (first,), lines), most)


def _told(pieces: Iterator[Any], advance: Advance) -> Iterator[Any]:
    for piece in pieces:
        yield piece
        advance(piece.num_rows)


def _parquet(view: ServedView, pieces: Iterator[Any], path: Path, advance: Advance) -> Written:
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(path, schema(view.columns), compression="zstd") as writer:
        for table in pieces:
            writer.write_table(table, row_group_size=_ROW_GROUP)
            rows += table.num_rows
            advance(table.num_rows)
    return Written(rows)


def _csv(lines: Iterator[bytes], path: Path, excel_ru: bool, advance: Advance) -> Written:
    rows = -1
    with path.open("wb", buffering=1 << 20) as file:
        if excel_ru:
            file.write(_MARK)
        for line in lines:
            file.write(line)
            rows += 1
            if rows % _TOLD_EVERY == 0 and rows:
                advance(_TOLD_EVERY)
    advance(rows % _TOLD_EVERY)
    return Written(rows)
