from __future__ import annotations

import pytest

from identity.standard.dates import DateRules, any_date, birth_date
from identity.standard.values import boolean, gender, number, open_value, text_value, too_long

RULES = DateRules(None, "1850-01-01", "2026-11-23")


@pytest.mark.parametrize(
    ("written", "country", "iso"),
    [
        ("1980-03-12", "RU", "1980-03-12"),
        ("1980-03-12T00:00:00", "RU", "1980-03-12"),
        ("1980-03-12 00:00:00.000", None, "1980-03-12"),
        ("12.03.1980", "US", "1980-03-12"),
        ("12.3.80", "RU", "1980-03-12"),
        ("01.02.07", "RU", "2007-02-01"),
        ("12.03.1980 г.", "RU", "1980-03-12"),
        ("3/12/1980", "US", "1980-03-12"),
        ("3/12/1980", None, "1980-03-12"),
        ("12/03/1980", "GB", "1980-03-12"),
        ("31/12/1980", "US", "1980-12-31"),
        ("12/31/1980", "DE", "1980-12-31"),
        ("19800312", None, "1980-03-12"),
        ("1980/3/12", None, "1980-03-12"),
        ("12 марта 1980 г.", "RU", "1980-03-12"),
        ("12. März 1980", "DE", "1980-03-12"),
        ("March 12, 1980", "US", "1980-03-12"),
        ("12 Mar 1980", None, "1980-03-12"),
        ("24-May-11", "US", "2011-05-24"),
        ("12-Mar-80", None, "1980-03-12"),
    ],
)
def test_dates_are_read_as_they_are_written(written: str, country: str | None, iso: str) -> None:
    assert birth_date(written, country, RULES)[:3] == (iso, iso, None)


def test_the_profile_decides_about_ambiguous_dates() -> None:
    assert birth_date("3/4/1980", "US", RULES._replace(day_first=True)).value == "1980-04-03"
    assert birth_date("3/4/1980", "RU", RULES._replace(day_first=False)).value == "1980-03-04"


def test_a_spreadsheets_serial_number_is_repaired() -> None:
    assert birth_date("29292", None, RULES) == ("1980-03-12", "1980-03-12", None, "spreadsheet date")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("нет", "placeholder"), ("1900-01-01", "placeholder"), ("01.01.0001", "placeholder"),
        ("0001-01-01", "placeholder"), ("01.01.1753", "placeholder"), ("0000-00-00", "placeholder"),
        ("1980", "precision"), ("1980-03", "precision"), ("00.00.1980", "precision"), ("03.1980",
        "precision"),
        ("31.02.1980", "no such date"), ("1980-13-45", "no such date"), ("вчера", "not a date"),
        ("12.03.1649", "too early"), ("2031-01-01", "in the future"),
    ],
)  # fmt: skip
def test_absurd_dates_are_invalid_and_say_why(written: str, reason: str) -> None:
    form = birth_date(written, "RU", RULES)
    assert (form.value, form.invalid) == (None, reason)


def test_other_dates_may_lie_in_the_future() -> None:
    assert any_date("2031-01-01", None, RULES).value == "2031-01-01"


@pytest.mark.parametrize(
    ("written", "value"),
    [("М", "male"), ("жен.", "female"), ("F", "female"), ("Herr", "male"), ("divers", "other")],
)
def test_gender_words_of_three_languages(written: str, value: str) -> None:
    assert gender(written).value == value


def test_unknown_gender_words_are_invalid() -> None:
    assert gender("17").invalid == "unknown word"
    assert gender("не указан").invalid == "placeholder"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1 234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234,5", "1234.5"),
        ("-5", "-5"),
        ("1,234,567", "1234567"),
        ("0", "0"),
    ],
)
def test_numbers_keep_their_digits(written: str, value: str) -> None:
    assert number(written).value == value


def test_what_is_no_number_or_boolean_is_invalid() -> None:
    assert number("много").invalid == "not a number"
    assert number("-").invalid == "placeholder"
    assert boolean("да").value == "true"
    assert boolean("нет").value == "false"
    assert boolean("иногда").invalid == "not a boolean"


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [("text", " a  b ", "a b"), ("identifier", "a-1", "A1"), ("number", "1,5", "1.5"), ("boolean", "ja",
    "true"),
     ("date", "12.03.1980", "1980-03-12"), ("email", "A@B.de", "a@b.de"), ("phone", "8 495 123-45-67",
     "+74951234567"),
     ("url", "https://www.a.de/x", "a.de")],
)  # fmt: skip
def test_open_attributes_are_read_by_their_type(kind: str, written: str, value: str) -> None:
    assert open_value(kind, written, "RU", RULES).value == value  # type: ignore[arg-type]


def test_text_placeholders_and_endless_values_are_invalid() -> None:
    assert text_value("n/a").invalid == "placeholder"
    assert too_long("x" * 1000) is None
    form = too_long("x" * 10_000_000)
    assert form is not None
    assert form.invalid == "too long"
    assert len(form.display) < 1010
