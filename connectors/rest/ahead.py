"""The next page's answer is on its way while the rows of this one are made."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextvars import copy_context
from typing import Any

from connectors.http import Answer, Call
from connectors.paging import Position
from connectors.rest.asking import Asking

SENDING = 0.005
"""Seconds within which a question has left; hidden in the time that its answer takes."""

Question = tuple[Asking, Position, Mapping[str, Any], int]
"""As `Asking.fetch` takes it: position, moments, number of the page."""


class Ahead:
    """At most one question at a time is asked before its answer is wanted."""

    def __init__(self) -> None:
        self._asked: _Asked | None = None

    def ask(self, question: Question) -> None:
        """Send the question now, to be taken later."""
        self._asked = _Asked(question)
        # Who makes rows keeps the interpreter for 5 ms at a time, and sending takes it several times: without this
        # pause a question leaves 15 ms late.
        self._asked.wait(SENDING)

    def take(self, question: Question) -> tuple[Call, Answer]:
        """The answer: the one that was asked for ahead, where it is that question. Raises what the request raised."""
        asked, self._asked = self._asked, None
        if asked is not None and asked.question == question:
            return asked.result()
        if asked is not None:
            asked.wait(None)
        asking, position, moments, number = question
        return asking.fetch(position, moments, number)

    def forget(self, patience: float | None = None) -> None:
        """The answer is not wanted; wait until it has come, at most `patience` seconds."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.wait(patience)


class _Asked:
    """A question under way in a thread of its own, which must not keep a process from ending."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._found: tuple[Call, Answer] | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name="onefold-ahead", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asking, position, moments, number = self.question
        try:
            self._found = asking.fetch(position, moments, number)
        except BaseException as error:
            self._error = error

    def wait(self, patience: float | None) -> None:
        self._thread.join(patience)

    def result(self) -> tuple[Call, Answer]:
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found
