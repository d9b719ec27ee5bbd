"""The log: one line for each event, as JSON for machines or in words for a terminal, on standard error.

Every part of the hub logs by the standard library, by whatever name it has; this module says what a line holds. A line
holds time, level, event, and what the work belongs to: trace, run, step, source, stream. Ids and counts, never client
data or secrets: of an exception its frames and its kind, of another library's line its place only, since what it says
may quote what it worked on.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Final, ParamSpec, TypeVar

from onefold import tracing
from onefold.errors import UsageError
from onefold.failures import frames

VARIABLE: Final = "ONEFOLD_LOG"
FORMATS: Final = ("json", "text")
LEVELS: Final = ("debug", "info", "warning", "error")
_OURS: Final = ("onefold", "connectors", "identity", "warehouse", "dags")
_BELONGS: Final = ("run_id", "step", "source", "stream")
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({})))
"""What every record of the standard library has; the rest was given with `extra`."""

P = ParamSpec("P")
T = TypeVar("T")
_NONE: Final[Mapping[str, object]] = MappingProxyType({})
_fields: ContextVar[Mapping[str, object]] = ContextVar("onefold_log", default=_NONE)


@dataclass(frozen=True, slots=True)
class Choice:
    """How the log is written, by what was asked for."""

    format: str
    level: str
    is_asked: bool
    """The format was asked for; else it follows from where standard error leads."""


def choose(
    asked_format: str | None,
    asked_level: str | None,
    environ: Mapping[str, str],
    *,
    terminal: bool,
    quiet: bool = False,
) -> Choice:
    """Options over ONEFOLD_LOG (`json`, `text`, a level, or both: `json:debug`) over the place: warnings in words on a
    terminal, every event in JSON elsewhere; of those warnings only where somebody else reads that place (`quiet`).
    Raises UsageError."""
    words = [word for word in re.split(r"[:,\s]+", environ.get(VARIABLE, "").lower()) if word]
    for word in (*words, *filter(None, (asked_format, asked_level))):
        if word not in (*FORMATS, *LEVELS):
            known = f"Formats: {', '.join(FORMATS)}; levels: {', '.join(LEVELS)}."
            raise UsageError(f"The log knows no {word!r}.", known)
    written = asked_format or next((word for word in words if word in FORMATS), None)
    level = asked_level or next((word for word in words if word in LEVELS), None)
    chosen = written or ("text" if terminal else "json")
    is_seen = terminal and chosen == "text"
    is_quiet = is_seen or (quiet and written is None)
    return Choice(chosen, level or ("warning" if is_quiet else "info"), written is not None)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Within the block every line bears these fields; None takes one away."""
    before = _fields.get()
    _fields.set({**before, **fields})
    try:
        yield
    finally:
        _fields.set(before)


def belongs_to(run_id: int) -> None:
    """From here to the end of the `bound` block around it, lines are of this run."""
    _fields.set({**_fields.get(), "run_id": run_id})


def run_under_way() -> int | None:
    """The run that lines are of here."""
    run_id = _fields.get().get("run_id")
    return run_id if isinstance(run_id, int) else None


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """`work` for another thread, with this one's trace and fields. For one call: a copy cannot be entered twice."""
    return partial(copy_context().run, work)


def tell(log: logging.Logger, level: int, event: str, message: str, **fields: object) -> None:
    """Log an event with its fields: ids, names of the configuration and counts."""
    log.log(level, message, extra={"event": event, "fields": fields}, stacklevel=2)


class _Handler(logging.Handler):
    """Writes to whatever standard error is when the line comes."""

    choice: Choice

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (as_json if self.choice.format == "json" else as_text)(record)
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk or a closed pipe ends no run, and the standard library would print the record."""


_handler: _Handler | None = None


def start(choice: Choice) -> None:
    """Write the log of this process to standard error from now on."""
    global _handler  # noqa: PLW0603 - the log of a process is one
    stop()
    _handler = _Handler(choice.level.upper())
    _handler.choice = choice
    _handler.addFilter(lambda record: is_ours(record) or record.levelno >= logging.WARNING)
    logging.getLogger().addHandler(_handler)
    for name in _OURS:
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() > _handler.level:
            logger.setLevel(_handler.level)


def stop() -> None:
    """Write no log any more."""
    global _handler  # noqa: PLW0603
    if _handler is not None:
        logging.getLogger().removeHandler(_handler)
        _handler = None


def is_json_asked() -> bool:
    """Whether all of standard error is to be JSON, what a command says to people among it."""
    return _handler is not None and _handler.choice.is_asked and _handler.choice.format == "json"


def handed_on() -> dict[str, str]:
    """What a process below this one finds in its environment: the trace, and how to log."""
    how = {} if _handler is None else {VARIABLE: f"{_handler.choice.format}:{_handler.choice.level}"}
    return {**tracing.handed_on(), **how}


@contextmanager
def of_worker() -> Iterator[None]:
    """The log of a process that `handed_on` reached, in its trace; without it, none."""
    if os.environ.get(VARIABLE):
        start(choose(None, None, os.environ, terminal=False))
    with tracing.traced(os.environ):
        yield


def take_over() -> None:
    """In a process that was handed how to log, log so; where the log is written already nothing changes."""
    if _handler is None and os.environ.get(VARIABLE):
        start(choose(None, None, os.environ, terminal=False))


def is_ours(record: logging.LogRecord) -> bool:
    """Whether a line is the hub's own, not another library's."""
    return record.name.partition(".")[0] in _OURS


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line holds, in its order; nothing that is None."""
    ours, trace = is_ours(record), tracing.current()
    found: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": getattr(record, "event", None) or f"{record.name}.{record.funcName}",
        "message": record.getMessage() if ours else "told by a library; its text may hold data and is left out",
        "trace_id": trace.trace_id if trace else None,
        "span_id": trace.span_id if trace else None,
        **{name: _fields.get().get(name) for name in _BELONGS},
        **{name: value for name, value in _fields.get().items() if name not in _BELONGS},
    }
    if ours:
        found |= getattr(record, "fields", {})
        found |= {name: value for name, value in vars(record).items() if name not in {*_PLAIN, "event", "fields"}}
    else:
        found["place"] = f"{record.module}.{record.funcName}:{record.lineno}"
    if record.exc_info and record.exc_info[0]:
        found["error"] = record.exc_info[0].__name__
        found["frames"] = frames(record.exc_info[2])
    found["pid"] = record.process
    return {name: value for name, value in found.items() if value is not None}


def as_json(record: logging.LogRecord) -> str:
    """The line for machines."""
    return json.dumps(fields_of(record), ensure_ascii=False, default=str)


def as_text(record: logging.LogRecord) -> str:
    """The line for people: time of day, level, where, what, and its counts."""
    found = fields_of(record)
    time, level, message = (str(found.pop(name)) for name in ("time", "level", "message"))
    where = ":".join(str(found.pop(name)) for name in ("source", "stream") if name in found)
    step = str(found.pop("step", ""))
    trace = found.pop("frames", None)
    for name in ("event", "trace_id", "span_id", "pid"):
        found.pop(name, None)
    counts = " ".join(f"{name}={value}" for name, value in found.items())
    line = " ".join(part for part in (time[11:19], f"{level:<7}", step, where, message, counts) if part)
    return f"{line}\n{trace}".rstrip() if trace else line
