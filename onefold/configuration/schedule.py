"""Cron schedules in UTC: five fields or @hourly, @daily, ...; checked, when they are due, and their longest pause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)
_NAMES: Final = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}


class ScheduleError(ValueError):
    """Not a cron schedule; the message says which field cannot be read."""


def check(text: str) -> None:
    """Raise ScheduleError when `text` is not a schedule."""
    _parse(text)


def longest_pause(text: str) -> timedelta:
    """The longest time between two runs, looked at over 400 days to the hour (exact for pauses of days)."""
    minutes, hours, days, months, weekdays, any_day = _parse(text)
    start = datetime(2023, 1, 1, tzinfo=UTC)
    last, longest = None, timedelta(0)
    is_daily = all(any_day) and len(months) == 12
    for day in range(2 if is_daily else 400):  # where every day is like another, two tell
        date = start + timedelta(days=day)
        if date.month not in months or not _day_matches(date, days, weekdays, any_day):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                now = date.replace(hour=hour, minute=minute)
                if last is not None:
                    longest = max(longest, now - last)
                last = now
    return longest or timedelta(days=366)


def last_due(text: str, now: datetime) -> datetime | None:
    """The latest moment of the schedule that is not behind `now`; None where it has none within eight years."""
    return next(_moments(text, now.astimezone(UTC), -1), None)


def next_due(text: str, now: datetime) -> datetime | None:
    """The earliest moment of the schedule behind `now`; None where it has none within eight years."""
    return next(_moments(text, now.astimezone(UTC), 1), None)


def _moments(text: str, now: datetime, step: int) -> Iterator[datetime]:
    """Moments of the schedule behind `now` (step 1), or up to `now` and backwards (step -1)."""
    minutes, hours, days, months, weekdays, any_day = _parse(text)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # The 29th of February is up to eight years away.
    for number in range(8 * 366):
        day = start + step * timedelta(days=number)
        if day.month not in months or not _day_matches(day, days, weekdays, any_day):
            continue
        moments = [day.replace(hour=hour, minute=minute) for hour in sorted(hours) for minute in sorted(minutes)]
        yield from (moment for moment in moments[::step] if (moment > now) == (step > 0))


def _day_matches(date: datetime, days: set[int], weekdays: set[int], any_day: tuple[bool, bool]) -> bool:
    in_days, in_week = date.day in days, (date.isoweekday() % 7) in weekdays
    # Cron's own rule: when both day fields are restricted, either of them suffices.
    return (in_days or in_week) if not any(any_day) else (in_days and in_week)


def _parse(text: str) -> tuple[set[int], set[int], set[int], set[int], set[int], tuple[bool, bool]]:
    text = text.strip()
    if text.startswith("@"):
        if text not in ALIASES:
            raise ScheduleError(f"allowed words are {', '.join(ALIASES)}.")
        text = ALIASES[text]
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise ScheduleError(
            f"a schedule has five fields (minute, hour, day, month, day of week), this has {len(parts)}."
        )
    read = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    weekdays = {day % 7 for day in read[4]}
    return read[0], read[1], read[2], read[3], weekdays, (parts[2] == "*", parts[4] == "*")


def _field(text: str, name: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            if span == "*":
                begin, end = low, high
            else:
                begin = _number(first, name)
                end = _number(last, name) if dash else (high if step else begin)
            stride = int(step) if step else 1
        except ValueError:
            raise ScheduleError(f"`{part}` is no {name}.") from None
        if not low <= begin <= end <= high or stride < 1:
            raise ScheduleError(f"`{part}` is no {name}; it goes from {low} to {high}.")
        found.update(range(begin, end + 1, stride))
    return found


def _number(text: str, name: str) -> int:
    names = _NAMES.get(name, ())
    if text in names:
        return names.index(text) + (1 if name == "month" else 0)
    return int(text)
