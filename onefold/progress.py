"""How a step tells that it is alive: stages with a size, advanced as work commits. Silent by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

MEGABYTE: Final = 1 << 20


class Stage(Protocol):
    """One piece of long work."""

    def advance(self, amount: int = 1) -> None:
        """`amount` more units are done (committed)."""

    def resize(self, total: int | None) -> None:
        """The number of units is known now, or has changed."""

    def note(self, text: str) -> None:
        """What it is doing or waiting for; ids and counts only, never client data."""


class Progress(Protocol):
    """Opens stages; the command line draws them, a DAG logs them."""

    def stage(self, title: str, total: int | None = None) -> AbstractContextManager[Stage]:
        """A stage, closed at the end of its `with` block."""


class _SilentStage:
    def advance(self, amount: int = 1) -> None:
        """Nothing is shown."""

    def resize(self, total: int | None) -> None:
        """Nothing is shown."""

    def note(self, text: str) -> None:
        """Nothing is shown."""


class SilentProgress:
    """Shows nothing: for tests, and for callers that only want the report."""

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        """A stage that shows nothing."""
        del title, total
        yield _SilentStage()


def megabytes(stage: Stage) -> Callable[[int], None]:
    """Bytes in, whole megabytes shown."""
    left = 0

    def advance(count: int) -> None:
        nonlocal left
        whole, left = divmod(left + count, MEGABYTE)
        if whole:
            stage.advance(whole)

    return advance
