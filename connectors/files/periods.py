"""Periods that files restate: which one a row is of, and what a file that has been read whole replaces."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from connectors.errors import SourceConfigurationError
from connectors.files import datev
from connectors.files.batch import Batch
from connectors.files.settings import FileOptions, Replaces
from connectors.page import RejectedRow, Scope
from connectors.paths import as_text, compile_path
from connectors.rows import reject
from connectors.times import as_timestamp

MEMBER = "$period"
"""What a row gets beside what it says, unless its own members tell its period."""
_LENGTHS = {"year": 4, "month": 7, "day": 10}


def scope_ahead(path: Path, options: FileOptions) -> Scope | None:
    """What a file restates, told before it is read; None where only its rows tell.

    Raises SourceConfigurationError for a name without a period, SourceDataError for a file that is no DATEV export.
    """
    rule = options.mode
    if not isinstance(rule, Replaces) or rule.column is not None:
        return None
    if rule.name is not None:
        found = re.search(rule.name, path.name)
        if found is None:
            hint = f"Names are to fit `{rule.name}`; narrow `path` to those that do"
            raise SourceConfigurationError("the file's name tells no period", place=path.name, hint=hint)
        return Scope({}, MEMBER, ("/".join(group or "" for group in found.groups()),), path.name)
    if options.preset == "datev":
        return datev.scope_of(path, options)
    hint = "Say `column`, or `name` with a group for the period"
    raise SourceConfigurationError("nothing tells of which period a file is", place=path.name, hint=hint)


class Periods:
    """The periods of one file, gathered while it is read; `seen` are those of the part that was read before."""

    def __init__(self, path: Path, options: FileOptions, seen: list[str]) -> None:
        rule = options.mode
        assert isinstance(rule, Replaces)
        self._ahead, self._origin, self._by = scope_ahead(path, options), path.name, rule.by
        self._read = compile_path(rule.column).get if rule.column is not None else None
        self.seen = list(seen)

    @property
    def changes_rows(self) -> bool:
        """Rows get a member of their own."""
        return self._ahead is None or self._ahead.member == MEMBER

    def take(self, batch: Batch) -> None:
        """Give every record its period; one without any becomes a reject `no-period`."""
        if self._read is None:
            if self._ahead is not None and self._ahead.member == MEMBER:
                for _, record in batch.records:
                    if isinstance(record, dict):
                        record[MEMBER] = self._ahead.values[0]
            return
        kept = []
        for number, record in batch.records:
            period = self._period(self._read(record)) if isinstance(record, dict) else None
            if period is None:
                detail = f"the value that tells the period is no {'date' if self._by != 'value' else 'text'}"
                batch.rejects.append((number, _without_period(record, detail)))
                continue
            if period not in self.seen:
                self.seen.append(period)
            record[MEMBER] = period
            kept.append((number, record))
        batch.records[:] = kept

    def _period(self, value: Any) -> str | None:
        if self._by == "value":
            return (as_text(value) or "").strip() or None
        moment = as_timestamp(f"{value}-01" if isinstance(value, str) and re.match(r"\d{4}-\d{2}$", value) else value)
        if moment is None:
            return None
        if self._by == "quarter":
            return f"{moment.year:04}-Q{(moment.month + 2) // 3}"
        return moment.date().isoformat()[: _LENGTHS[self._by]]

    def scope(self) -> Scope:
        """What the file replaces, once it has been read whole."""
        return self._ahead or Scope({}, MEMBER, tuple(sorted(self.seen)), self._origin)


def _without_period(record: Any, detail: str) -> RejectedRow:
    return reject(record, "no-period", detail, "")
