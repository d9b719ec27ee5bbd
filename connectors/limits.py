"""Rate budgets and the source's own signals about when to come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.paths import as_text, compile_path
from connectors.settings import Duration, Settings
from connectors.times import as_timestamp


class Budget(Settings):
    """So many requests in so long a time; `burst` of them may come at once."""

    rate: float = Field(gt=0, description="Requests per `per`.")
    per: Duration = timedelta(seconds=1)
    burst: int = Field(default=1, ge=1)


class Signal(Settings):
    """Where the source says how long to wait, and in what unit."""

    header: str | None = None
    path: str | None = Field(default=None, description="Path in the body.")
    unit: Literal["s", "ms", "epoch", "epoch_ms", "date"] = "s"
    remaining: str | None = Field(
        default=None, description="Header or path of what is left of the budget: at 0 the wait comes before a refusal."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Signal:
        if (self.header is None) == (self.path is None):
            raise ValueError("give either `header` or `path`")
        return self


class Limits(Settings):
    """What the source allows, and how patient a run is."""

    budgets: tuple[Budget, ...] = ()
    rate: float | None = Field(default=None, gt=0, description="Short for one budget: requests per `per`.")
    per: Duration = timedelta(seconds=1)
    burst: int = Field(default=1, ge=1)
    parallel: int = Field(default=1, ge=1, description="Requests under way at once.")
    signals: tuple[Signal, ...] = Field(default=(), description="Beside `Retry-After`, which is always understood.")
    max_wait: Duration = Field(
        default=timedelta(minutes=2),
        description="Longest wait for one page; beyond it the run comes back later.",
    )
    attempts: int = Field(default=6, ge=1, le=20)
    backoff: Duration = Field(
        default=timedelta(seconds=0.5),
        description="First pause when the source does not say how long; doubles.",
    )
    timeout: Duration = Field(default=timedelta(seconds=60), description="Longest silence of the source.")
    max_body: int = Field(default=128 * 1024 * 1024, ge=1024, description="Bytes of one answer, unpacked.")
    max_duration: Duration = Field(default=timedelta(minutes=10), description="Longest time one answer may take.")

    def all_budgets(self) -> tuple[Budget, ...]:
        """The budgets, the short form included."""
        short = (Budget(rate=self.rate, per=self.per, burst=self.burst),) if self.rate else ()
        return short + self.budgets


class Bucket:
    """A token bucket: over any span of t seconds at most `burst + rate * t` weight passes."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._interval = budget.per.total_seconds() / budget.rate
        self._burst, self._clock = budget.burst, clock
        self._due = clock()
        self._lock = threading.Lock()

    def due(self) -> float:
        """How many seconds to wait now; nothing is booked."""
        with self._lock:
            return max(0.0, self._due - self._clock())

    def take(self, weight: float = 1) -> float:
        """Book `weight` and return how many seconds to wait before using it."""
        with self._lock:
            now = self._clock()
            # The bucket is full at `_due`; a full bucket allows `burst` at once.
            start = max(self._due, now - (self._burst - 1) * self._interval)
            self._due = start + weight * self._interval
            return max(0.0, start - now)


class BudgetSpent(Exception):
    """The next request would have to wait longer than `max_wait`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the budget allows the next request in {seconds:.0f} s")
        self.seconds = seconds


class Throttle:
    """All budgets of a source together, and what the source itself says is left."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = [Bucket(budget, clock) for budget in limits.all_budgets()]
        self._slots = threading.BoundedSemaphore(limits.parallel)
        self._longest, self._clock, self._closed_until = limits.max_wait.total_seconds(), clock, clock()

    def hold(self, seconds: float) -> None:
        """Let nothing pass for so long: the source's own budget is spent."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    @contextmanager
    def slot(self, weight: float, pause: Callable[[float], None]) -> Iterator[None]:
        """Hold one of the parallel slots, after a `pause` until every budget allows `weight`.

        Raises BudgetSpent instead of pausing beyond `max_wait`; nothing is booked then.
        """
        with self._slots:
            waits = [bucket.due() for bucket in self._buckets]
            wait = max([*waits, self._closed_until - self._clock(), 0.0])
            if wait > self._longest:
                raise BudgetSpent(wait)
            wait = max([*(bucket.take(weight) for bucket in self._buckets), wait])
            if wait > 0:
                pause(wait)
            yield


def seconds_until_refill(limits: Limits, headers: Mapping[str, str], data: Any, now: datetime) -> float:
    """How long to hold the next request because the source says that nothing is left of its budget; 0: go on."""
    theirs, waits = _http_date(headers.get("date")) or now, [0.0]
    for signal in limits.signals:
        if signal.remaining is None:
            continue
        left = headers.get(signal.remaining) or as_text(compile_path(signal.remaining).get(data))
        if left is not None and _number(left) <= 0:
            value = headers.get(signal.header) if signal.header else compile_path(signal.path or "").get(data)
            waits.append(_wait(value, signal.unit, theirs) or 0.0)
    return max(waits)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def seconds_asked_for(limits: Limits, headers: Mapping[str, str], data: Any, now: datetime) -> float | None:
    """How long the source asks to wait, by `Retry-After` (seconds or date) and the manifest's signals; None
    if it does not say."""
    # A date is meant by the source's own clock, which may be off.
    theirs = _http_date(headers.get("date")) or now
    asked = [_wait(headers.get("retry-after"), "s", theirs)]
    for signal in limits.signals:
        value = headers.get(signal.header) if signal.header else compile_path(signal.path or "").get(data)
        asked.append(_wait(value, signal.unit, theirs))
    known = [seconds for seconds in asked if seconds is not None]
    return max(known) if known else None


def _wait(value: Any, unit: str, now: datetime) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        moment = _http_date(str(value)) or as_timestamp(value)
        return max(0.0, (moment - now).total_seconds()) if moment else None
    if unit in ("epoch", "epoch_ms"):
        return max(0.0, number / (1000 if unit == "epoch_ms" else 1) - now.timestamp())
    return max(0.0, number / 1000 if unit == "ms" else number)


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError):
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
