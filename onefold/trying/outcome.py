"""What a trial gives: counts and examples for the terminal, `--json`, the page and the workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from onefold.steps.report import Report
from onefold.trying.columns import Column
from onefold.trying.examples import Example
from onefold.trying.findings import Conflict, FileCount
from onefold.trying.reading import LeftOut


@dataclass(frozen=True, slots=True)
class Outcome(Report):
    """Everything that was found. Client data stands in it: it is for the one who tried."""

    files: tuple[FileCount, ...]
    rows: int
    clients: int
    duplicates: int
    """Rows beyond the first of their client within one file."""
    in_several: int
    """Clients that stand in more than one file."""
    doubtful: int
    """Pairs of clients that a person would be asked about."""
    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    overlap: tuple[tuple[tuple[str, ...], int], ...]
    """Files, and how many clients stand in exactly these; most first."""
    shared: tuple[tuple[int, ...], ...]
    """File by file, how many clients stand in both."""
    conflicts: tuple[Conflict, ...]
    merges: tuple[Example, ...]
    questions: tuple[Example, ...]
    generic: tuple[dict[str, Any], ...]
    advice: tuple[str, ...]
    weights: dict[str, dict[int, int]]
    """Kind -> half bits of match weight -> plausible pairs."""
    thresholds: dict[str, dict[str, float]]
    """Kind -> link and review, in bits."""
    trained: tuple[str, ...]
    rejected: int
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage, and `total`."""
    memory_mib: int = 0
    """The most that the process held."""
    written: dict[str, str] = field(default_factory=dict)
    """report, out, save -> path."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @property
    def in_question(self) -> Sequence[Column]:
        """Columns that were guessed and may be meant otherwise."""
        return [column for column in self.columns if column.is_doubtful]


def as_word(column: Column) -> str:
    """What is typed to say what a column is: `--as 'clients.csv:Code=customer_number'`."""
    place = f"{column.title.replace(' / ', '/')}:{column.column}={column.becomes or 'ignore'}"
    quoted = place.replace("'", "'\\''")
    return f"--as '{quoted}'"
