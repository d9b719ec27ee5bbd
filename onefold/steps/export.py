"""Export: served views as files, whole, from a change on, or on from the last export."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound, UsageError
from onefold.export.formats import Format, Written, write_csv_for_excel, write_file
from onefold.export.parts import EXCEL_ROWS, State, opened_state, part_name, save, whole_file
from onefold.steps.report import Report
from warehouse.contract import Contract, ServedView, describe
from warehouse.export import Span, snapshot, spans

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from onefold.progress import Stage

PART_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export."""

    format: Format = "parquet"
    excel_ru: bool = False
    """CSV as a Russian Excel opens it."""
    since: int | None = None
    """Only what changed after this change."""
    incremental: bool = False
    """On from where the last export into the folder ended."""
    role: str | None = None
    """Who reads; None: the hub itself."""
    part_rows: int = PART_ROWS
    """Rows of a part of an incremental export, about."""

    def check(self) -> None:
        """Raises UsageError when they do not fit together."""
        if self.excel_ru and self.format != "csv":
            raise UsageError("--excel-ru is a kind of CSV.", "Say --format csv, or leave it out: xlsx needs none.")
        if self.incremental and self.since is not None:
            raise UsageError("--incremental knows where it ended.", "Leave --since out.")


@dataclass(frozen=True, slots=True)
class ViewExport(Report):
    """What became of one view."""

    view: str
    rows: int
    files: tuple[str, ...]
    changed_seq: int
    """Everything up to this change is in the files."""
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportReport(Report):
    """What an export wrote."""

    changed_seq: int
    views: tuple[ViewExport, ...]


def export(context: Context, names: Sequence[str], folder: Path, options: ExportOptions) -> ExportReport:
    """Write these views (`fct_*` stands for several) under `folder`, all as of one moment.

    Whole: FOLDER/VIEW.ext. From a change on: FOLDER/VIEW-since-N.ext. Incremental: parts under FOLDER/VIEW, see
    `onefold.export.parts`; what cannot be read on by change is written whole, in place of the file before. Raises
    NothingFound, UsageError, HubBusy.
    """
    options.check()
    with context.connection("onefold export") as conn:
        contract = describe(conn)
        views = _chosen(contract, names)
        with snapshot(conn, options.role) as last:
            done = []
            for view in views:
                with context.progress.stage(f"export {view.name}", total=view.rows) as stage:
                    done.append(_export(conn, view, folder, options, last, stage))
    return ExportReport(last, tuple(done))


def _chosen(contract: Contract, names: Sequence[str]) -> list[ServedView]:
    from fnmatch import fnmatchcase

    found = []
    for name in names:
        fitting = [view for view in contract.views if fnmatchcase(view.name, name.removeprefix("onefold_v1."))]
        if not fitting:
            raise NothingFound(
                f"onefold_v1 has no view {name}.", f"It has: {', '.join(v.name for v in contract.views)}."
            )
        found += [view for view in fitting if view not in found]
    return found


def _export(
    conn: psycopg.Connection[Any], view: ServedView, folder: Path, options: ExportOptions, last: int, stage: Stage
) -> ViewExport:
    began = time.monotonic()
    if options.incremental and view.is_incremental:
        rows, files, notes = _parts(conn, view, folder / view.name, options, last, stage)
    else:
        span = None if options.since is None else Span(options.since, last)
        if span is not None and not view.is_incremental:
            raise UsageError(
                f"{view.name} cannot be read on from a change: not every row of it carries one.", "Leave --since out."
            )
        name = view.name if span is None else f"{view.name}-since-{span.after}"
        rows, files, notes = _whole(conn, view, span, folder / f"{name}.{options.format}", options, stage)
    return ViewExport(view.name, rows, tuple(files), last, round(time.monotonic() - began, 3), tuple(notes))


def _whole(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    path: Path,
    options: ExportOptions,
    stage: Stage,
) -> tuple[int, list[str], list[str]]:
    if options.excel_ru:
        rows, made = write_csv_for_excel(conn, view, span, path, advance=stage.advance)
        more = f"{rows} rows stand in {len(made)} files: a sheet of Excel holds {EXCEL_ROWS}"
        return rows, [str(one) for one in made], [more] if len(made) > 1 else []
    with whole_file(path) as temporary:
        written = _write(conn, view, span, temporary, options, stage)
    return written.rows, [str(path)], _notes(written, options)


def _parts(
    conn: psycopg.Connection[Any], view: ServedView, folder: Path, options: ExportOptions, last: int, stage: Stage
) -> tuple[int, list[str], list[str]]:
    beginning = State(
        view.name, options.format, options.excel_ru, role=options.role, replace_by=view.replace_by or view.key
    )
    rows, files, notes = 0, [], []
    with opened_state(folder, beginning) as found:
        state = found
        if state.changed_seq > last:
            raise UsageError(
                f"{folder} holds changes up to {state.changed_seq}, the hub has come to {last} only.",
                "It was restored or made anew: export to another folder.",
            )
        for span, _ in spans(conn, view, Span(state.changed_seq, last), options.part_rows):
            name = part_name(view.name, span, options.format)
            with whole_file(folder / name) as temporary:
                written = _write(conn, view, span, temporary, options, stage)
            state = replace(state, changed_seq=span.upto, parts=(*state.parts, name))
            save(folder, state)
            rows += written.rows
            files.append(str(folder / name))
            notes += _notes(written, options)
        if state.changed_seq < last:
            save(folder, replace(state, changed_seq=last))
    return rows, files, notes


def _write(
    conn: psycopg.Connection[Any],
    view: ServedView,
    span: Span | None,
    path: Path,
    options: ExportOptions,
    stage: Stage,
) -> Written:
    return write_file(conn, view, span, path, options.format, excel_ru=options.excel_ru, advance=stage.advance)


def _notes(written: Written, options: ExportOptions) -> list[str]:
    notes = []
    if written.sheets > 1:
        notes.append(f"{written.rows} rows stand on {written.sheets} sheets: a sheet of Excel holds {EXCEL_ROWS}")
    if written.cut:
        notes.append(f"{written.cut} texts were cut: a cell of Excel holds 32767 letters")
    if options.excel_ru and written.rows >= EXCEL_ROWS:
        notes.append(f"{written.rows} rows are more than a sheet of Excel holds ({EXCEL_ROWS})")
    return notes
