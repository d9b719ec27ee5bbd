"""What a file format hands to the connector: numbered records, rejects, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from connectors.canonical import canonical
from connectors.files.settings import FileOptions
from connectors.page import RejectedRow


@dataclass(slots=True)
class Batch:
    """Records of one page with their line or row numbers."""

    records: list[tuple[int, Any]]
    position: int
    """The last line or row that this batch has dealt with; reading resumes after it."""
    rejects: list[tuple[int, RejectedRow]] = field(default_factory=list)
    bytes_read: int = 0
    total_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One file (or one sheet of it), opened with what was detected."""

    columns: Sequence[str]
    """Empty where records name their own fields."""
    batches: Iterator[Batch]
    place: Callable[[int], str]
    encode: Callable[[Any], bytes] = canonical
    """How its records become canonical JSON."""
    on_reject: Callable[[Any, RejectedRow], RejectedRow] | None = None
    is_deleted: Callable[[Any], bool] | None = None
    """Which records say that they are deleted."""


class Reader(Protocol):
    """Opens a file of one format; `start` is a position to go on after (0: from the beginning)."""

    def __call__(self, path: Path, options: FileOptions, start: int) -> Part: ...


def unique_names(cells: Sequence[str]) -> list[str]:
    """Column names without gaps and repetitions: an empty one is `column_3`, a second `Phone` is
    `Phone_2`."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        base = " ".join(str(cell).split()) or f"column_{place}"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names.append(name)
    return names
