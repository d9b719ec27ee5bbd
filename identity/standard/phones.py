"""Telephone numbers in E.164. Validity is the one of `phonenumbers`, always.

The library takes 20 microseconds a number. Numbers of plain shape are decided here from the library's own
metadata,
compiled once per calling code; whatever is not plain goes to the library. A test compares both on many
numbers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

import phonenumbers as library
from phonenumbers.phonemetadata import PhoneMetadata

from identity.standard.form import Form, Memo, invalid
from identity.standard.text import clean, is_placeholder, is_placeholder_number

_PLAIN = re.compile(r"[(]?(\+?)[0-9 ().\-]{7,30}", re.ASCII)
_DIGITS: Final = str.maketrans("", "", "+ ().-")
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d{1,2}")
_DECIMAL_TAIL = re.compile(r"(\+?\d{7,15})[.,]0+")
_DESCRIPTIONS: Final = (  # the frequent ones first
    "mobile", "fixed_line", "toll_free", "voip", "uan", "shared_cost", "premium_rate", "personal_number",
    "pager",
    "voicemail",
)  # fmt: skip


class _Description(NamedTuple):
    lengths: frozenset[int]
    pattern: re.Pattern[str]

    def holds(self, number: str) -> bool:
        return (not self.lengths or len(number) in self.lengths) and self.pattern.fullmatch(number) is not None


class _Region(NamedTuple):
    calling_code: str
    leading: re.Pattern[str] | None
    general: _Description
    kinds: tuple[_Description, ...]
    international_prefix: re.Pattern[str] | None
    national_prefix: re.Pattern[str] | None

    def has(self, number: str) -> bool:
        return self.general.holds(number) and any(kind.holds(number) for kind in self.kinds)


def _description(desc: Any) -> _Description | None:
    if desc is None or not desc.national_number_pattern:
        return None
    return _Description(
        frozenset(length for length in desc.possible_length if length > 0),
        re.compile(desc.national_number_pattern),
    )


def _compile(metadata: Any) -> _Region | None:
    general = _description(metadata.general_desc) if metadata is not None else None
    if metadata is None or general is None:
        return None
    kinds = (_description(getattr(metadata, name)) for name in _DESCRIPTIONS)
    return _Region(
        str(metadata.country_code),
        re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        general,
        tuple(kind for kind in kinds if kind is not None),
        re.compile(metadata.international_prefix) if metadata.international_prefix else None,
        re.compile(metadata.national_prefix_for_parsing) if metadata.national_prefix_for_parsing else None,
    )


@lru_cache(maxsize=300)
def _region(code: str) -> _Region | None:
    return _compile(PhoneMetadata.metadata_for_region(code, None))


@lru_cache(maxsize=300)
def _numbering_plan(calling_code: str) -> tuple[_Region, ...] | None:
    """The regions of one calling code, main region first; None when there is none or it is not
    geographical."""
    codes = library.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code), ())
    regions = tuple(_region(code) for code in codes)
    return None if not regions or None in regions else regions  # type: ignore[return-value]


def _valid(number: str, plan: tuple[_Region, ...]) -> bool:
    if len(plan) == 1:
        return plan[0].has(number)
    for region in plan:
        if region.leading is not None:
            if region.leading.match(number):
                return region.has(number)
        elif region.has(number):
            return True
    return False


def _without_national_prefix(number: str, region: _Region) -> str | None:
    """The number as the library would go on with it; None where only the library can tell."""
    prefix = region.national_prefix
    match = prefix.match(number) if prefix is not None else None
    if match is None:
        return number
    rest = number[match.end() :]
    is_viable, rest_is_viable = (region.general.pattern.fullmatch(n) is not None for n in (number, rest))
    if is_viable and not rest_is_viable:
        return number
    if match.re.groups or is_viable or len(rest) not in region.general.lengths:
        return None
    return rest


def _plain(text: str, country: str | None) -> tuple[str, bool] | None:
    """E.164 and validity of a number of plain shape; None where only the library can tell."""
    shape = _PLAIN.fullmatch(text)
    if shape is None:
        return None
    digits = text.translate(_DIGITS)
    if shape[1]:
        for width in (1, 2, 3):
            plan = _numbering_plan(digits[:width]) if digits[0] != "0" else None
            if plan is not None:
                break
        else:
            return None
        rest: str | None = _without_national_prefix(digits[width:], plan[0])
    else:
        region = _region(country) if country else None
        plan = _numbering_plan(region.calling_code) if region is not None else None
        if (
            region is None
            or plan is None
            or (region.international_prefix and region.international_prefix.match(digits))
        ):
            return None
        code = region.calling_code
        if digits.startswith(code):
            rest = digits[len(code) :]
            if region.general.pattern.fullmatch(digits) or not region.general.pattern.fullmatch(rest):
                return None
            if region.national_prefix is not None and region.national_prefix.match(rest):
                return None
        else:
            rest = _without_national_prefix(digits, region)
    if rest is None or rest[:1] == "0" or len(rest) not in plan[0].general.lengths:
        return None
    return f"+{plan[0].calling_code}{rest}", _valid(rest, plan)


def _by_library(text: str, country: str | None) -> tuple[str | None, str | None]:
    """E.164 and None, or what could be made of it and the reason why it is invalid."""
    try:
        number = library.parse(text, country)
    except library.NumberParseException as error:
        if error.error_type == library.NumberParseException.INVALID_COUNTRY_CODE:
            return None, "no country" if "+" not in text else "unknown country code"
        return None, "not a number"
    e164 = library.format_number(library.PhoneNumber(number.country_code, number.national_number,
        italian_leading_zero=number.italian_leading_zero,
        number_of_leading_zeros=number.number_of_leading_zeros),
        library.PhoneNumberFormat.E164)  # fmt: skip
    if library.is_valid_number(number):
        return e164, None
    why = library.is_possible_number_with_reason(number)
    too_short = library.ValidationResult.TOO_SHORT, library.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    reasons = dict.fromkeys(too_short, "too short") | {
        library.ValidationResult.TOO_LONG: "too long",
        library.ValidationResult.INVALID_LENGTH: "length",
    }
    return e164, reasons.get(why, "not in the numbering plan")


def _is_mask(digits: str) -> bool:
    """Filled in for form's sake: 1234567890, or 8 (999) 999-99-99 (one digit in the subscriber's part)."""
    if not digits.isdigit():
        return False
    return is_placeholder_number(digits) or (len(digits) > 8 and digits[-9:] == digits[-1] * 9)


def _standard(key: tuple[str, str | None]) -> Form:
    raw, country = key
    text = clean(raw)
    repaired = None
    if is_placeholder(text):
        return invalid(text, "placeholder")
    if _SCIENTIFIC.fullmatch(text):
        return invalid(text, "scientific notation")
    if tail := _DECIMAL_TAIL.fullmatch(text):
        text, repaired = tail[1], "decimal tail"
    quick = _plain(text, country)
    if quick is not None and quick[1]:
        e164: str | None = quick[0]
        reason = None
    else:
        e164, reason = _by_library(text, country)
    if any(_is_mask(number.translate(_DIGITS)) for number in (text, e164 or text)):
        return invalid(text, "placeholder")
    if reason is not None or e164 is None:
        return invalid(text, reason or "not a number")
    return Form(e164, e164, None, repaired)


_memo = Memo(_standard, 200_000)


def phone(raw: str, country: str | None = None) -> Form:
    """A number in E.164; `country` (ISO alpha-2) reads numbers without a country code. Extensions are
    dropped.

    Invalid as `placeholder`, `scientific notation`, `no country`, `unknown country code`, `not a number`,
    `too short`,
    `too long`, `length` or `not in the numbering plan`.
    """
    return _memo((raw, country.upper() if country else None))
