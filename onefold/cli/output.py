"""What the command line shows: tables and progress for people on a terminal, one JSON document for machines.

Results go to standard output; progress, warnings and errors to standard error, so that output can be piped.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from onefold import logs

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

    from onefold.progress import Stage


log = logging.getLogger(__name__)


def _jsonable(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"cannot show {type(value).__name__} as JSON")


class Output:
    """Where a command writes. `as_json` silences everything on standard output but `data`."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._out: Console | None = None
        self._err: Console | None = None

    @property
    def out(self) -> Console:
        """Standard output; tables keep a readable width when piped."""
        if self._out is None:
            from rich.console import Console

            self._out = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 120)
        return self._out

    @property
    def err(self) -> Console:
        """Standard error."""
        if self._err is None:
            from rich.console import Console

            self._err = Console(stderr=True, highlight=False)
        return self._err

    def data(self, document: object) -> None:
        """The command's result for machines: one JSON document, only with `--json`."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, default=_jsonable, indent=2) + "\n")

    def line(self, document: object) -> None:
        """One of many results for machines: one JSON document in a line, at once, only with `--json`."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, default=_jsonable) + "\n")
            sys.stdout.flush()

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line for people. Client data is never read as markup."""
        if not self.as_json:
            self.out.print(text, style=style, markup=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """A line that opens a section."""
        if not self.as_json:
            self.out.print()
            self.out.print(text, style="bold", markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A line on standard error, also with `--json`; a line of the log where all of it is to be JSON."""
        if logs.is_json_asked():
            logs.tell(log, logging.WARNING, "command.warning", text)
            return
        self.err.print(text, style="yellow", markup=False, soft_wrap=True)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        title: str | None = None,
        right: Iterable[int] = (),
    ) -> None:
        """A table for people; columns listed in `right` are aligned right."""
        if self.as_json:
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        aligned = set(right)
        for position, name in enumerate(columns):
            table.add_column(name, justify="right" if position in aligned else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(value)) for value in row))
        self.out.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return f"{value:,.2f}".replace(",", "\u202f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)


class _BarStage:
    def __init__(self, bars: RichBars, task: TaskID, title: str) -> None:
        self._bars, self._task, self._title = bars, task, title

    def advance(self, amount: int = 1) -> None:
        """Move the bar on."""
        self._bars.advance(self._task, amount)

    def resize(self, total: int | None) -> None:
        """Give the bar its length."""
        self._bars.update(self._task, total=total)

    def note(self, text: str) -> None:
        """Show what it waits for beside the bar."""
        self._bars.update(self._task, description=f"{self._title} [dim]{text}[/dim]" if text else self._title)


class TerminalProgress:
    """Rich bars on standard error: count, rate and time left."""

    def __init__(self, output: Output) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class Rate(ProgressColumn):
            """Units a second."""

            def render(self, task: Any) -> Text:
                return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=output.err,
            transient=True,
        )

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        """A bar that stays while its work goes on."""
        self._bars.start()
        task = self._bars.add_task(title, total=total)
        try:
            yield _BarStage(self._bars, task, title)
        finally:
            self._bars.remove_task(task)
            if not self._bars.tasks:
                self._bars.stop()
