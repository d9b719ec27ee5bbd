"""Points in time and durations as sources write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connectors.times import as_duration, as_timestamp


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2024-07-01T12:00:00Z", "2024-07-01T12:00:00+00:00"),
        ("2024-07-01T12:00:00.123456+03:00", "2024-07-01T09:00:00.123456+00:00"),
        ("2024-07-01 12:00:00", "2024-07-01T12:00:00+00:00"),
        ("2024-07-01", "2024-07-01T00:00:00+00:00"),
        ("01.07.2024 12:30", "2024-07-01T12:30:00+00:00"),
        ("01.07.2024", "2024-07-01T00:00:00+00:00"),
        ("/Date(1719835200000)/", "2024-07-01T12:00:00+00:00"),
        ("/Date(1719835200000+0000)/", "2024-07-01T12:00:00+00:00"),
        (1719835200, "2024-07-01T12:00:00+00:00"),
        (1719835200000, "2024-07-01T12:00:00+00:00"),
        ("1719835200", "2024-07-01T12:00:00+00:00"),
        (date(2024, 7, 1), "2024-07-01T00:00:00+00:00"),
        ("1753-01-01T00:00:00", "1753-01-01T00:00:00+00:00"),
    ],
)
def test_times_are_read_in_the_ways_that_sources_write_them(value: Any, iso: str) -> None:
    moment = as_timestamp(value)
    assert moment is not None
    assert moment.isoformat() == iso


@pytest.mark.parametrize(
    "value",
    [
        "0000-00-00 00:00:00",
        "0000-00-00",
        "yesterday",
        "",
        None,
        True,
        5,
        [],
        "31.02.2024",
        "/Date(99999999999999999)/",
        1e300,
    ],
)
def test_absurd_times_are_none(value: Any) -> None:
    assert as_timestamp(value) is None


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    assert as_timestamp("0001-01-01T00:00:00", "Asia/Tokyo") is None
    assert as_timestamp("9999-12-31T23:59:59", "America/New_York") is None
    naive = datetime(9999, 12, 31, 23)  # noqa: DTZ001 - as drivers give it
    assert as_timestamp(naive, "America/New_York") is None


def test_durations_are_numbers_or_short_texts() -> None:
    assert as_duration("5m") == timedelta(minutes=5)
    assert as_duration("1.5h") == timedelta(minutes=90)
    assert as_duration(30) == timedelta(seconds=30)
    for wrong in ("soon", True, None, "5 parsecs"):
        with pytest.raises(ValueError, match="duration"):
            as_duration(wrong)
