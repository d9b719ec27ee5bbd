"""Points in time and durations as sources and configurations write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

_odata = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_dotted = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_duration = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d|w)?\s*$")
_seconds = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800, None: 1}


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Europe/Moscow") from None


def as_timestamp(value: Any, timezone: str = "UTC") -> datetime | None:
    """An aware UTC time from ISO text, `dd.mm.yyyy hh:mm`, epoch seconds or milliseconds, `/Date(ms)/`;
    else None.

    Naive times are meant in `timezone`. Absurd values (0000-00-00, year 9999 beyond UTC) give None.
    """
    try:
        moment = _moment(value)
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone(timezone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, KeyError, TypeError):
        return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
        if found := _odata.match(text):
            return datetime.fromtimestamp(int(found[1]) / 1000, UTC)
        if found := _dotted.match(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the caller adds the zone
        return _epoch(float(text)) if text.replace(".", "", 1).isdigit() else None
    if isinstance(value, datetime):
        return value
    if isinstance(value, dict):
        return of_parts(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the caller adds the zone
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _epoch(float(value))
    return None


def of_parts(value: Mapping[str, Any]) -> datetime | None:
    """The naive time that Tryton's JSON writes as an object of its parts; None for any other object."""
    if value.get("__class__") not in ("datetime", "date"):
        return None
    try:
        hour, minute, second, micro = (int(value.get(part, 0)) for part in ("hour", "minute", "second", "microsecond"))
        return datetime(int(value["year"]), int(value["month"]), int(value["day"]), hour, minute, second, micro)  # noqa: DTZ001 - the caller adds the zone
    except (KeyError, TypeError, ValueError):
        return None


def _epoch(number: float) -> datetime | None:
    # Seconds until the year 5138; beyond that the source counts milliseconds. Small numbers are no times at
    # all.
    if number > 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC) if number > 1e8 else None


def as_duration(value: Any) -> timedelta:
    """A duration from seconds or from text such as `90s`, `5m`, `2h`, `7d`. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if isinstance(value, str) and (found := _duration.match(value)):
        return timedelta(seconds=float(found[1]) * _seconds[found[2]])
    raise ValueError("a duration is a number of seconds or a text such as 90s, 5m, 2h, 7d")
