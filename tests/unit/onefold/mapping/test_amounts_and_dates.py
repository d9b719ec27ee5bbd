"""Amounts and dates as registers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.mapping.amounts import amount_text, currency_code
from onefold.mapping.dates import date_value, moment_reader
from onefold.mapping.transforms import Unreadable
from onefold.mapping.values import number_of_identity, plain

NBSP, NARROW = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("value", "text", "repair"),
    [
        (5, "5", None),
        (Decimal("100.50"), "100.50", None),
        (Decimal("1E+3"), "1000", None),
        ("100.50", "100.50", None),
        ("-7", "-7", None),
        (f"1{NBSP}234,50", "1234.50", "decimal comma"),
        (f"1{NARROW}234{NARROW}567,5", "1234567.5", "decimal comma"),
        ("1.234,50", "1234.50", "decimal comma"),
        ("1,234.50", "1234.50", "grouped digits"),
        ("1,234,567", "1234567", "grouped digits"),
        ("1.234.567", "1234567", "grouped digits"),
        ("12'345.60", "12345.60", "grouped digits"),
        ("0,1", "0.1", "decimal comma"),
        ("1,234", "1.234", "decimal comma"),
        ("1 234,50 ₽", "1234.50", "decimal comma"),
        ("1 234,50 руб.", "1234.50", "decimal comma"),
        ("€ 99,00", "99.00", "decimal comma"),
        ("(15,00)", "-15.00", "decimal comma"),
        ("15,00-", "-15.00", "decimal comma"),
        ("−15", "-15", "number format"),
        ("12-", "-12", "number format"),
        ("1 000", "1000", "grouped digits"),
        ([None, "5"], "5", None),
    ],
)
def test_an_amount_is_exact_decimal_text(value: Any, text: str, repair: str | None) -> None:
    assert amount_text(value) == (text, repair)


def test_a_comma_groups_thousands_where_the_point_is_the_decimal_sign() -> None:
    assert amount_text("1,234", decimal_point=True) == ("1234", "grouped digits")
    assert amount_text("1,23", decimal_point=True) == ("1.23", "decimal comma")


@pytest.mark.parametrize("value", [None, "", "  ", [], [None]])
def test_an_absent_amount_is_none(value: Any) -> None:
    assert amount_text(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "1.2.3",
        "1,2,3",
        "1,234.5,6",
        True,
        {"a": 1},
        "9" * 40,
        Decimal("1E+50"),
        Decimal("NaN"),
        "1e5x",
    ],
)
def test_what_is_no_amount_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        amount_text(value)
    assert caught.value.reason == "unreadable-amount"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15))
def test_an_amount_keeps_its_value_to_the_last_digit(number: Decimal) -> None:
    for written in (
        str(number),
        f"{number:,}".replace(",", " ").replace(".", ","),
        f"{number:,}".replace(",", NBSP),
    ):
        found = amount_text(written)
        assert found is not None
        assert Decimal(found[0]) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [("rub", "RUB"), (" EUR ", "EUR"), ("643", "RUB"), ("руб.", "RUB"), ("€", "EUR"), ("RUR", "RUB")],
)
def test_a_currency_as_registers_write_it(text: str, code: str) -> None:
    assert currency_code(text) == code


def moment(value: Any, zone: str = "Europe/Moscow", month_first: bool = False) -> tuple[str, str, str] | None:
    found = moment_reader(zone, month_first)(value)
    if found is None:
        return None
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found.micros)
    return (
        at.strftime("%Y-%m-%dT%H:%M:%S"),
        (date(1970, 1, 1) + timedelta(days=found.day)).isoformat(),
        found.precision,
    )


@pytest.mark.parametrize(
    ("value", "utc", "day", "precision"),
    [
        ("2026-01-31", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("2026-01-31T00:00:00", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("2026-01-31T10:05", "2026-01-31T07:05:00", "2026-01-31", "minute"),
        ("2026-01-31 10:05:07", "2026-01-31T07:05:07", "2026-01-31", "second"),
        ("2026-01-31T22:30:00Z", "2026-01-31T22:30:00", "2026-02-01", "second"),
        ("2026-01-31T22:30:00+05:00", "2026-01-31T17:30:00", "2026-01-31", "second"),
        ("31.01.2026", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("31.01.26", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("31.01.2026 10:05", "2026-01-31T07:05:00", "2026-01-31", "minute"),
        ("31.01.2026 00:00:00", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("3/4/2026", "2026-04-02T21:00:00", "2026-04-03", "day"),
        ("1/31/2026", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("2026/01/31", "2026-01-30T21:00:00", "2026-01-31", "day"),
        ("20260131", "2026-01-30T21:00:00", "2026-01-31", "day"),
        (20260131, "2026-01-30T21:00:00", "2026-01-31", "day"),
        (46053, "2026-01-30T21:00:00", "2026-01-31", "day"),
        (Decimal("46053.5"), "2026-01-31T09:00:00", "2026-01-31", "second"),
        (1769878800, "2026-01-31T17:00:00", "2026-01-31", "second"),
        (1769878800000, "2026-01-31T17:00:00", "2026-01-31", "second"),
        ("/Date(1769878800000)/", "2026-01-31T17:00:00", "2026-01-31", "second"),
        ({"__class__": "date", "year": 2026, "month": 1, "day": 31}, "2026-01-30T21:00:00", "2026-01-31", "day"),
        ([None, "2026-01-31"], "2026-01-30T21:00:00", "2026-01-31", "day"),
    ],
)
def test_a_moment_has_utc_local_day_and_precision(value: Any, utc: str, day: str, precision: str) -> None:
    assert moment(value) == (utc, day, precision)


def test_the_month_stands_first_where_people_write_so() -> None:
    found = moment("3/4/2026", "America/New_York", month_first=True)
    assert found is not None
    assert found[1] == "2026-03-04"


@pytest.mark.parametrize("value", [None, "", "  ", "0001-01-01T00:00:00", "01.01.0001 0:00:00", []])
def test_an_empty_date_is_silence(value: Any) -> None:
    assert moment(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0000-00-00", "absurd-date"),
        ("0000-00-00 00:00:00", "absurd-date"),
        ("00.00.0000", "absurd-date"),
        ("1753-01-01", "absurd-date"),
        ("9999-12-31", "absurd-date"),
        ("1899-12-30", "absurd-date"),
        ("1601-01-01", "absurd-date"),
        ("31.02.2026", "unreadable-date"),
        ("yesterday", "unreadable-date"),
        ("12", "unreadable-date"),
        ({"a": 1}, "unreadable-date"),
        (True, "unreadable-date"),
    ],
)
def test_a_date_that_cannot_be_meant_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        moment(value)
    assert caught.value.reason == reason


@given(st.text(max_size=30) | st.integers() | st.decimals())
def test_no_value_breaks_the_reading_of_dates(value: Any) -> None:
    for read in (moment_reader("UTC"), date_value, number_of_identity, plain, amount_text):
        try:
            read(value)
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("5,05012E+11", ("505012000000", "scientific notation")),
        ("7.9161234567E+10", ("79161234567", "scientific notation")),
        (Decimal("5.05012E+11"), ("505012000000", "scientific notation")),
        ("79161234567.0", ("79161234567", "decimal tail")),
        (Decimal("79161234567.0"), ("79161234567", "decimal tail")),
        ("79161234567,00", ("79161234567", "decimal tail")),
        (79161234567, ("79161234567", None)),
        (" +7 916 123-45-67 ", ("+7 916 123-45-67", None)),
        ("12.5", ("12.5", None)),
        ("0123456789", ("0123456789", None)),
        (" ", None),
    ],
)
def test_a_number_of_identity_is_mended_where_that_is_certain(value: Any, cleaned: Any) -> None:
    assert number_of_identity(value) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("12.03.1984", ("12.03.1984", None)),
        ("1984-03-12", ("1984-03-12", None)),
        ("1984", ("1984", None)),
        (30753, ("1984-03-12", "excel day number")),
        ("30753.0", ("1984-03-12", "excel day number")),
        ("0001-01-01T00:00:00", None),
        ("", None),
    ],
)
def test_a_date_attribute_stays_as_written_but_for_excels_numbers(value: Any, cleaned: Any) -> None:
    assert date_value(value) == cleaned
