"""Export: served views as files, whole, from a change on, or on from the last export."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from onefold.errors import NothingFound, UsageError
from onefold.export.formats import Format, Written, write_csv_for_excel, write_file
from onefold.export.parts import EXCEL_ROWS, State, opened_state, part_name, save, whole_file
from onefold.steps.logged import logged
from onefold.steps.report import Report
from warehouse.conditions import read_condition
from warehouse.connect import redact
from warehouse.contract import Contract, ServedView, describe
from warehouse.export import Span, snapshot, spans
from warehouse.subject import begin_taking, end_taking

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable

    from onefold.context import Context
    from onefold.progress import Stage

PART_ROWS: Final = 1_000_000
_DOES_NOT_FIT: Final = (
    errors.DataError,
    errors.UndefinedFunction,
    errors.DatatypeMismatch,
    errors.WrongObjectType,
    errors.CannotCoerce,
)
"""What the server says of a column that is compared with a value of another type."""


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
    where: str | None = None
    """Only rows for which this holds; see `warehouse.conditions`."""
    part_rows: int = PART_ROWS
    """Rows of a part of an incremental export, about."""

    def check(self) -> None:
        """Raises UsageError when they do not fit together."""
        if self.excel_ru and self.format != "csv":
            raise UsageError("--excel-ru is a kind of CSV.", "Say --format csv, or leave it out: xlsx needs none.")
        if self.incremental and self.since is not None:
            raise UsageError("--incremental knows where it ended.", "Leave --since out.")
        if self.incremental and self.where is not None:
            raise UsageError(
                "--where and --incremental do not go together: a row that fits no longer would stay in its part.",
                "Leave one of them out, or choose among the parts' rows when you read them.",
            )


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


@logged("export")
def export(
    context: Context, names: Sequence[str], folder: Path, options: ExportOptions, who: str | None = None
) -> ExportReport:
    """Write these views (`fct_*` stands for several) under `folder`, all as of one moment.

    Whole: FOLDER/VIEW.ext. From a change on: FOLDER/VIEW-since-N.ext. Incremental: parts under FOLDER/VIEW, see
    `onefold.export.parts`; what cannot be read on by change is written whole, in place of the file before. `who` takes
    the data away is written into `ops.access_log` before a row is read, and how many rows that were at the end.
    Raises NothingFound, UsageError, ConditionError, HubBusy.
    """
    options.check()
    with context.connection("onefold export") as conn:
        contract = describe(conn)
        views = _chosen(contract, names)
        # A condition that one of the views cannot answer stops the export before anything is written.
        conditions = {view.name: _condition(view, options) for view in views}
        how = "export" if options.where is None else "export where"
        with context.connection("onefold access log") as log, snapshot(conn, options.role) as last:
            done = []
            for view in views:
                taken = begin_taking(log, view.name, who=who or getuser(), how=how, at=context.clock())
                with context.progress.stage(f"export {view.name}", total=view.rows) as stage:
                    work = _Work(conn, view, options, conditions[view.name], last, stage)
                    done.append(_export(work, folder))
                end_taking(log, taken, rows=done[-1].rows)
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


def _condition(view: ServedView, options: ExportOptions) -> Composable | None:
    if options.where is None:
        return None
    return read_condition(options.where, [column.column_name for column in view.columns])


@dataclass(frozen=True, slots=True)
class _Work:
    """One view on its way."""

    conn: psycopg.Connection[Any]
    view: ServedView
    options: ExportOptions
    where: Composable | None
    last: int
    """The last change in the snapshot."""
    stage: Stage

    def write(self, span: Span | None, path: Path) -> Written:
        """The rows of these changes to a file."""
        options = self.options
        return write_file(
            self.conn,
            self.view,
            span,
            path,
            options.format,
            excel_ru=options.excel_ru,
            where=self.where,
            advance=self.stage.advance,
        )


def _export(work: _Work, folder: Path) -> ViewExport:
    began = time.monotonic()
    view, options = work.view, work.options
    try:
        if options.incremental and view.is_incremental:
            rows, files, notes = _parts(work, folder / view.name)
        else:
            span = None if options.since is None else Span(options.since, work.last)
            if span is not None and not view.is_incremental:
                raise UsageError(
                    f"{view.name} cannot be read on from a change: not every row of it carries one.",
                    "Leave --since out.",
                )
            name = view.name if span is None else f"{view.name}-since-{span.after}"
            rows, files, notes = _whole(work, span, folder / f"{name}.{options.format}")
    except _DOES_NOT_FIT as exc:
        if work.where is None:
            raise
        raise UsageError(
            f"--where does not fit {view.name}: {redact(exc)}.",
            "Compare each column with values of its own type: `onefold docs` says the types.",
        ) from None
    return ViewExport(view.name, rows, tuple(files), work.last, round(time.monotonic() - began, 3), tuple(notes))


def _whole(work: _Work, span: Span | None, path: Path) -> tuple[int, list[str], list[str]]:
    if work.options.excel_ru:
        rows, made = write_csv_for_excel(work.conn, work.view, span, path, where=work.where, advance=work.stage.advance)
        more = f"{rows} rows stand in {len(made)} files: a sheet of Excel holds {EXCEL_ROWS}"
        return rows, [str(one) for one in made], [more] if len(made) > 1 else []
    with whole_file(path) as temporary:
        written = work.write(span, temporary)
    return written.rows, [str(path)], _notes(written, work.options)


def _parts(work: _Work, folder: Path) -> tuple[int, list[str], list[str]]:
    view, options, last = work.view, work.options, work.last
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
        for span, _ in spans(work.conn, view, Span(state.changed_seq, last), options.part_rows):
            name = part_name(view.name, span, options.format)
            with whole_file(folder / name) as temporary:
                written = work.write(span, temporary)
            state = replace(state, changed_seq=span.upto, parts=(*state.parts, name))
            save(folder, state)
            rows += written.rows
            files.append(str(folder / name))
            notes += _notes(written, options)
        if state.changed_seq < last:
            save(folder, replace(state, changed_seq=last))
    return rows, files, notes


def _notes(written: Written, options: ExportOptions) -> list[str]:
    notes = []
    if written.sheets > 1:
        notes.append(f"{written.rows} rows stand on {written.sheets} sheets: a sheet of Excel holds {EXCEL_ROWS}")
    if written.cut:
        notes.append(f"{written.cut} texts were cut: a cell of Excel holds 32767 letters")
    if options.excel_ru and written.rows >= EXCEL_ROWS:
        notes.append(f"{written.rows} rows are more than a sheet of Excel holds ({EXCEL_ROWS})")
    return notes
