"""One trace from the first page to the last golden record: W3C Trace Context, without a library that exports spans.

What starts the hub may hand on a trace (TRACEPARENT in the environment); else each opened context begins one. Steps,
threads and worker processes below it share it, `ops.run` keeps it, every line of the log bears it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "TRACEPARENT"
_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace that work belongs to, and this process's span in it; both in lower-case hexadecimal."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def parent(self) -> str:
        """As `traceparent` says it to whoever works below this one."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("onefold_trace", default=None)


def read(parent: str | None) -> Trace | None:
    """A span of its own in the trace that a `traceparent` names; None where it names none.

    >>> read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").trace_id
    '4bf92f3577b34da6a3ce929d0e0e4736'
    """
    found = _PARENT.fullmatch((parent or "").strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    # Version 00 ends there; ff is forbidden, and ids of zeros are no ids.
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Trace(trace_id, _new_id(8), flags)


def new() -> Trace:
    """A trace that begins here."""
    return Trace(_new_id(16), _new_id(8))


def current() -> Trace | None:
    """The trace of the work under way, if any."""
    return _current.get()


@contextmanager
def traced(environ: Mapping[str, str]) -> Iterator[Trace]:
    """Within the block, work belongs to the trace under way, else to the one that `environ` hands on, else to a new
    one."""
    before = _current.get()
    trace = before or read(environ.get(VARIABLE)) or new()
    _current.set(trace)
    try:
        yield trace
    finally:
        # Not by its token: a web server may leave the block in another context than it came in by.
        _current.set(before)


def handed_on() -> dict[str, str]:
    """What a process below this one finds in its environment."""
    trace = _current.get()
    return {} if trace is None else {VARIABLE: trace.parent}


def _new_id(size: int) -> str:
    found = secrets.token_hex(size)
    return found if int(found, 16) else _new_id(size)
