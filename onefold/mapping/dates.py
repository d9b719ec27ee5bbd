"""Dates and times as registers write them: ISO, dotted, slashed, Excel's day numbers, epochs, /Date(ms)/."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from connectors.paths import as_text
from connectors.times import of_parts
from onefold.mapping.transforms import Unreadable

MONTH_FIRST: Final = frozenset({"US", "PH", "FM", "PW", "GU", "PR"})
"""Countries whose 03/04/2024 is the fourth of March."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's day numbers know no zone
_MICROSECOND: Final = timedelta(microseconds=1)
_DMY: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:,?[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_YMD: Final = re.compile(r"(\d{4})([./])(\d{1,2})\2(\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_ODATA: Final = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?$")
_EMPTY: Final = re.compile(r"0001-01-01|01\.01\.0001|0?1/0?1/0001")
"""How 1C and .NET write a date that was never filled: silence, not a mistake."""
_ABSURD: Final = re.compile(r"0000|00[./-]00|1753-01-01|01\.01\.1753|1899-12-3[01]|3[01]\.12\.1899|9999-|31\.12\.9999")
_TIME: Final = re.compile(r"[T ]\d{2}:?\d{2}")
_SECONDS: Final = re.compile(r"[T ]\d{2}:?\d{2}:?\d{2}")


class Moment(NamedTuple):
    """When something happened."""

    micros: int
    """Microseconds since 1970 in UTC; a date alone is its local midnight."""
    day: int
    """Days from 1970-01-01 to the local date at the source."""
    precision: str
    """day | minute | second."""


MomentReader = Callable[[Any], Moment | None]


@lru_cache(maxsize=100)
def moment_reader(timezone: str, month_first: bool = False) -> MomentReader:
    """A function `value -> Moment`; None for an empty value, Unreadable for one that is no date.

    Naive times are meant in `timezone` (IANA); `month_first` reads 03/04/2024 as the fourth of March.
    """
    zone = ZoneInfo(timezone)

    @lru_cache(maxsize=50_000)
    def read(text: str) -> Moment | None:
        if _EMPTY.match(text):
            return None
        if _ABSURD.match(text):
            raise Unreadable("absurd-date", "the date cannot be meant (an empty or an extreme date of the source)")
        found, precision = _parse(text, month_first)
        if not 1900 <= found.year <= 2200:
            raise Unreadable("absurd-date", "the year lies outside 1900 to 2200")
        try:
            local = found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
            micros = (local - _EPOCH) // _MICROSECOND
        except (OverflowError, ValueError):
            raise Unreadable("absurd-date", "the time lies outside the calendar") from None
        return Moment(micros, (local.date() - _EPOCH_DAY).days, precision)

    def moment(value: Any) -> Moment | None:
        text = as_text(value)
        if text is None and isinstance(value, dict) and (found := of_parts(value)) is not None:
            text = found.isoformat()
        if text is None:
            if isinstance(value, list):
                return next((one for one in map(moment, value) if one is not None), None)
            if value is not None:
                raise Unreadable("unreadable-date", "an object stands where a date should")
            return None
        text = text.strip()
        return read(text) if text else None

    return moment


def _parse(text: str, month_first: bool) -> tuple[datetime, str]:
    try:
        if _NUMBER.match(text):
            return _number(text)
        if (found := _ODATA.match(text)) is not None:
            return _EPOCH + timedelta(milliseconds=int(found[1])), "second"
        if (found := _DMY.match(text)) is not None:
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            day, month = (second, first) if found[2] == "/" and month_first else (first, second)
            if month > 12 >= day and found[2] == "/":  # only one reading exists
                day, month = month, day
            year += 0 if len(found[4]) == 4 else (2000 if year < 69 else 1900)
            return _clock(year, month, day, found[5], found[6], found[7])
        if (found := _YMD.match(text)) is not None:
            return _clock(int(found[1]), int(found[3]), int(found[4]), found[5], found[6], found[7])
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise Unreadable("unreadable-date", 'the value is no date that is known here; see `| date "..."`') from None
    if not _TIME.search(text) or (moment.tzinfo is None and not (moment.hour or moment.minute or moment.second)):
        return moment, "day"  # databases and 1C write a date as its midnight
    return moment, "second" if _SECONDS.search(text) else "minute"


def _clock(
    year: int, month: int, day: int, hour: str | None, minute: str | None, second: str | None
) -> tuple[datetime, str]:
    moment = datetime(year, month, day, int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001 - zone follows
    if hour is None or not (moment.hour or moment.minute or moment.second):
        return moment, "day"
    return moment, "second" if second else "minute"


def _number(text: str) -> tuple[datetime, str]:
    if len(text) == 8 and text.isdigit() and text[:2] in ("19", "20", "21"):
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:])), "day"  # noqa: DTZ001 - the zone follows
    number = Decimal(text)
    if 10_000 <= number < 100_000:
        return excel_day(number)
    if abs(number) > 100_000_000_000:
        return _EPOCH + timedelta(milliseconds=float(number)), "second"
    if number >= 100_000_000:
        return _EPOCH + timedelta(seconds=float(number)), "second"
    raise ValueError(text)


def excel_day(number: Decimal) -> tuple[datetime, str]:
    """The time that Excel's day number stands for (naive), and its precision."""
    days = int(number)
    seconds = round(float(number - days) * 86400)
    return _EXCEL_EPOCH + timedelta(days=days, seconds=seconds), "second" if seconds else "day"


_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?$")


def date_value(value: Any) -> tuple[str, str | None] | None:
    """A date attribute as the standard form reads it, and what was mended; None when it was left empty.

    Text stays as the source wrote it, but for Excel's day numbers. Raises Unreadable.
    """
    text = as_text(value)
    if text is None:
        raise Unreadable("not-a-value", "an object stands where a date should")
    text = text.strip()
    if not text or _EMPTY.match(text):
        return None
    if _ABSURD.match(text):
        raise Unreadable("absurd-date", "the date cannot be meant (an empty or an extreme date of the source)")
    if _SERIAL.match(text):
        moment, _ = excel_day(Decimal(text))
        return moment.date().isoformat(), "excel day number"
    return text, None
