"""Processes that are killed: forked from one that has imported everything, so that each begins with its work."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

IMPORTED = [
    "onefold.configuration",
    "onefold.context",
    "onefold.steps.backup",
    "onefold.steps.erase",
    "onefold.steps.judge",
    "onefold.steps.plan",
    "onefold.steps.run",
    "onefold.steps.standardise",
    "onefold.steps.train",
    "onefold.steps.write_back",
    "connectors.files.connector",
    "connectors.rest.connector",
    "warehouse.dump",
    "warehouse.migrate",
]
"""What takes long to import, and most commands need."""
LONGEST = 120.0
"""Seconds after which work that nobody killed counts as hanging."""


@dataclass(frozen=True)
class Ended:
    """How a process came to its end."""

    exit_code: int
    """-9: it was killed in the midst of its work."""
    seconds: float
    error: tuple[str, str, int, bool] | None = None
    """Of work that raised: class, what a person is told, exit code, whether that is an error we know."""


class Working:
    """A function at work in a process of its own, ready to be killed."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        mine, its = context.Pipe(duplex=False)
        self._process = context.Process(target=_perform, args=(its, work, arguments))
        self._process.start()
        its.close()
        self._said = mine
        with suppress(EOFError):
            assert mine.poll(LONGEST), "a process did not begin"
            mine.recv()
        self._began = time.monotonic()

    def kill(self) -> None:
        """SIGKILL, now."""
        self._process.kill()

    def end(self) -> Ended:
        """Wait until it has ended. AssertionError: it hangs."""
        self._process.join(LONGEST)
        seconds = time.monotonic() - self._began
        if self._process.exitcode is None:
            self._process.kill()
            raise AssertionError(f"it hangs: not ended after {LONGEST:.0f} s")
        error = None
        with suppress(EOFError, OSError):
            if self._said.poll():
                error = self._said.recv()
        self._said.close()
        return Ended(self._process.exitcode, seconds, error)


def _perform(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    from onefold.failures import describe, exit_code, is_expected

    pipe.send("begun")
    try:
        work(*arguments)
    except Exception as error:
        pipe.send((type(error).__name__, describe(error), exit_code(error), is_expected(error)))
        raise SystemExit(1) from None
