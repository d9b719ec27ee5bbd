"""Dates as sources write them -> ISO. Whatever has no day is no date."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from identity.standard.form import Form, Memo, invalid
from identity.standard.text import clean, is_placeholder

# Where databases, spreadsheets and people put "no date": year 1, FILETIME, SQL Server's and Excel's zero.
ZERO_DATES: Final = frozenset(
    {"0001-01-01", "0001-01-03", "1601-01-01", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31",
    "1900-01-01",
     "1900-01-02", "9999-12-31", "2999-12-31"}
)  # fmt: skip
_MONTH_FIRST: Final = frozenset({None, "US", "PH", "FM", "MH", "PW"})
_MONTHS: Final = {
    stem: number
    for number, stems in enumerate(
        ("jan янв jän", "feb фев", "mar mär мар", "apr апр", "may mai мая май", "jun июн", "jul июл",
        "aug авг",
         "sep сен", "oct okt окт", "nov ноя", "dec dez дек"), 1)
    for stem in stems.split()
}  # fmt: skip
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d\d.*)?", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?:\s*г\.?)?(?:,?[T ]\d{1,2}:\d\d.*)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\.0)?", re.ASCII)
_WORD_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|\.)?[ \-]*(?:of )?([^\W\d_]{3,9})\.?,?[ \-]*(\d{4}|\d{2})(?: ?г\w*)?\.?"
)
_WORD_MONTH_FIRST = re.compile(r"([^\W\d_]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})")
_YEAR = re.compile(
    r"\d{4}(?:[-/.](?:0?\d|1[0-2]))?(?:[-/.]00)?|(?:00[./-])?(?:0?\d|1[0-2])[./-]\d{4}|00[./-]00[./-]\d{4}"
)
_SERIAL = re.compile(r"([1-5]\d{4})(?:\.0+)?", re.ASCII)


class DateRules(NamedTuple):
    """What a reading of dates depends on beside the text."""

    day_first: bool | None
    earliest: str
    """ISO; before it a birth date is absurd."""
    today: str
    """ISO; after it a birth date is in the future. Two-digit years end here."""


def _full_year(written: str, rules: DateRules) -> int:
    """A year of four digits, or of two in the hundred years that end today."""
    year = int(written)
    if len(written) == 2:
        century = int(rules.today[:2]) * 100
        year += century if year <= int(rules.today[2:4]) else century - 100
    return year


def _parts(text: str, country: str | None, rules: DateRules) -> tuple[int, int, int] | None:
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _DAY_MONTH.fullmatch(text):
        first, separator, second = int(match[1]), match[2], int(match[3])
        year = _full_year(match[4], rules)
        day_first = separator == "." or (
            rules.day_first if rules.day_first is not None else country not in _MONTH_FIRST
        )
        if first > 12 >= second:
            day_first = True
        elif second > 12 >= first:
            day_first = False
        return (year, second, first) if day_first else (year, first, second)
    word = text.lower()
    if match := _WORD_DAY_FIRST.fullmatch(word):
        return _full_year(match[3], rules), _MONTHS.get(match[2][:3], 0), int(match[1])
    if match := _WORD_MONTH_FIRST.fullmatch(word):
        return int(match[3]), _MONTHS.get(match[1][:3], 0), int(match[2])
    return None


def _standard(key: tuple[str, str | None, DateRules, bool]) -> Form:
    raw, country, rules, is_birth = key
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    repaired = None
    if len(text) == 10 and text[4] == text[7] == "-" and text.isascii():
        iso = text
        try:
            date.fromisoformat(text)
        except ValueError:
            return invalid(text, "placeholder" if text[:4] == "0000" else "no such date")
    elif match := _SERIAL.fullmatch(text):
        iso = (date(1899, 12, 30) + timedelta(days=int(match[1]))).isoformat()
        repaired = "spreadsheet date"
    else:
        parts = _parts(text, country, rules)
        if parts is None:
            return invalid(text, "precision" if _YEAR.fullmatch(text) else "not a date")
        year, month, day = parts
        if not year or (not month and not day):
            return invalid(text, "placeholder" if not year else "precision")
        try:
            iso = date(year, month, day).isoformat()
        except ValueError:
            return invalid(text, "precision" if not day else "no such date")
    if iso in ZERO_DATES:
        return invalid(text, "placeholder")
    if is_birth and iso < rules.earliest:
        return invalid(iso, "too early")
    if is_birth and iso > rules.today:
        return invalid(iso, "in the future")
    return Form(iso, iso, None, repaired)


_memo = Memo(_standard, 200_000)


def birth_date(raw: str, country: str | None, rules: DateRules) -> Form:
    """A birth date in ISO. 03/04/1980 is read by `rules.day_first`, else by country; dotted dates are day
    first.

    Invalid as `placeholder` (zero dates of programs), `precision` (no day or month), `not a date`, `no such
    date`,
    `too early` or `in the future`.
    """
    return _memo((raw, country, rules, True))


def any_date(raw: str, country: str | None, rules: DateRules) -> Form:
    """A date in ISO, as `birth_date` but of any age and also in the future."""
    return _memo((raw, country, rules, False))
