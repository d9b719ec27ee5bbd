"""Identifiers with rules of their own: tax and register numbers, bank accounts, papers.

Check digits are python-stdnum's. Only SNILS, OKPO and Kazakhstan's BIN and IIN, which it lacks, are computed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final

from stdnum import get_cc_module, iban, lei
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.ru import inn, ogrn
from stdnum.us import ein, ssn

from identity.standard.form import Form, Memo, invalid
from identity.standard.latin import latin_key
from identity.standard.numbers import REGISTER_NUMBERS
from identity.standard.text import clean, comparable, is_placeholder, is_placeholder_number

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d{1,2}")
_DECIMAL_TAIL = re.compile(r"(\d{5,})[.,]0+")
_SEPARATORS = re.compile(r"[\s\-–./_:№#]+")
_KPP = re.compile(r"\d{4}[0-9A-Z]{2}\d{3}", re.ASCII)
_HRB = re.compile(r"\b(HRA|HRB|GNR|PR|VR|GSR)\b[\s.:\-]*(?:NR\.?|NUMMER)?\s*(\d{1,7})\s*([A-Z]{1,3}\b)?", re.ASCII)
_COURT_WORDS: Final = frozenset({"amtsgericht", "ag", "handelsregister", "registergericht", "beim", "hr", "nr"})
_LOOKALIKE: Final = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
_REASONS: Final = (
    (InvalidLength, "length"),
    (InvalidChecksum, "checksum"),
    (InvalidComponent, "component"),
    (InvalidFormat, "format"),
)


def _reason(error: ValidationError) -> str:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "format")


def _by(module: Any) -> Callable[[str], str | None]:
    def check(number: str) -> str | None:
        try:
            module.validate(number)
        except ValidationError as error:
            return _reason(error)
        return None

    return check


def _ogrn(number: str) -> str | None:
    return "length" if len(number) != 13 else _by(ogrn)(number)


def _ogrnip(number: str) -> str | None:
    """Fifteen digits; the last is the last digit of the others modulo 13.

    stdnum compares the whole remainder, and so refuses every number whose remainder is ten or more.
    """
    if len(number) != 15:
        return "length"
    found = _by(ogrn)(number)
    if found == "checksum" and int(number[:-1]) % 13 % 10 == int(number[-1]):
        return None
    return found


def _kpp(number: str) -> str | None:
    if len(number) != 9:
        return "length"
    return None if _KPP.fullmatch(number) else "format"


def _snils(number: str) -> str | None:
    """Eleven digits; the last two are the weighted sum (9..1) of the others modulo 101, 100 written as 00."""
    if not number.isdigit():
        return "format"
    if len(number) != 11:
        return "length"
    total = sum(int(digit) * weight for digit, weight in zip(number[:9], range(9, 0, -1), strict=True)) % 101 % 100
    return None if total == int(number[9:]) else "checksum"


def _okpo(number: str) -> str | None:
    """Eight or ten digits; the last is the weighted sum modulo 11, a second row of weights replacing a
    ten."""
    if not number.isdigit():
        return "format"
    if len(number) not in {8, 10}:
        return "length"
    body = [int(digit) for digit in number[:-1]]
    for start in (0, 2):
        check = sum(digit * ((start + place) % 10 + 1) for place, digit in enumerate(body)) % 11
        if check < 10:
            break
    return None if check % 10 == int(number[-1]) else "checksum"


def _kazakh(number: str) -> str | None:
    """Twelve digits; the last is the weighted sum modulo 11, a second row of weights replacing a ten, which twice is
    never given out."""
    if not number.isdigit():
        return "format"
    if len(number) != 12:
        return "length"
    body = [int(digit) for digit in number[:-1]]
    for start in (0, 2):
        check = sum(digit * ((start + place) % 11 + 1) for place, digit in enumerate(body)) % 11
        if check < 10:
            break
    return None if check == int(number[-1]) else "checksum"


def _duns(number: str) -> str | None:
    if not number.isdigit():
        return "format"
    return None if len(number) == 9 else "length"


# type -> (check: reason or None, lengths to which a lost leading zero is restored when the check then holds)
_NUMBERS: Final[dict[str, tuple[Callable[[str], str | None], tuple[int, ...]]]] = {
    "inn": (_by(inn), (10, 12)),
    "kpp": (_kpp, ()),
    "ogrn": (_ogrn, ()),
    "ogrnip": (_ogrnip, ()),
    "snils": (_snils, (11,)),
    "okpo": (_okpo, (8, 10)),
    "lei": (_by(lei), ()),
    "ein": (_by(ein), (9,)),
    "ssn": (_by(ssn), ()),
    "iban": (_by(iban), ()),
    "bin": (_kazakh, ()),
    "iin": (_kazakh, ()),
    "duns": (_duns, (9,)),
}
_HAS_CHECK_DIGITS: Final = frozenset({"inn", "snils", "okpo"})


@cache
def _module(kind: str) -> Any:
    return import_module(f"stdnum.{REGISTER_NUMBERS[kind]}")


def _of_register(kind: str, text: str, compact: str) -> Form:
    """A number of another country's register, as its own rules write it."""
    try:
        standard = _module(kind).validate(compact)
    except ValidationError as error:
        return invalid(text, _reason(error))
    return Form(standard, standard)


def _number(kind: str, text: str, compact: str) -> Form:
    check, lengths = _NUMBERS[kind]
    reason = check(compact)
    if reason is None:
        return Form(compact, compact)
    if kind in _HAS_CHECK_DIGITS and compact.isdigit() and len(compact) + 1 in lengths and check(f"0{compact}") is None:
        return Form(f"0{compact}", f"0{compact}", None, "leading zero")
    return invalid(text, reason)


def _vat(text: str, compact: str, country: str | None) -> Form:
    prefix = compact[:2]
    if prefix.isalpha() and (module := get_cc_module("gr" if prefix == "EL" else prefix.lower(), "vat")) is not None:
        code, number = prefix, compact if prefix == "CH" else compact[2:]
    elif country and (module := get_cc_module(country.lower(), "vat")) is not None:
        code, number = ("EL" if country == "GR" else country), compact
    else:
        # No rule is known for this country: taken as written, if it looks like a number at all.
        plausible = compact.isalnum() and sum(ch.isdigit() for ch in compact) >= 5
        return Form(compact, compact) if plausible else invalid(text, "format")
    try:
        standard = module.validate(number)
    except ValidationError as error:
        return invalid(text, _reason(error))
    standard = standard.removeprefix(code)
    return Form(f"{code}{standard}", f"{code}{standard}")


def _register(text: str) -> Form:
    """German commercial register: kind and number, with the court where it is named: `HRB 12345 munchen`."""
    match = _HRB.search(text.upper())
    if match is None:
        return invalid(text, "format")
    rest = text[: match.start()] + " " + text[match.end() :]
    court = " ".join(word for word in comparable(rest).split() if word not in _COURT_WORDS)
    value = " ".join(part for part in (f"{match[1]} {int(match[2])}{match[3] or ''}", latin_key(court)) if part)
    return Form(text, value)


def _standard(key: tuple[str, str, str | None]) -> Form:
    kind, raw, country = key
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    if _SCIENTIFIC.fullmatch(text):
        return invalid(text, "scientific notation")
    if kind == "hrb":
        return _register(text)
    tail = _DECIMAL_TAIL.fullmatch(text)
    source = tail[1] if tail else text
    compact = _SEPARATORS.sub("", source).upper()
    if kind not in {"passport", "drivers_license"} and compact.isdigit() and is_placeholder_number(compact):
        return invalid(text, "placeholder")
    if kind == "vat":
        form = _vat(text, compact, country)
    elif kind in REGISTER_NUMBERS:
        form = _of_register(kind, text, compact)
    elif kind in _NUMBERS:
        form = _number(kind, text, compact)
    elif kind in {"bank_account", "passport", "national_id", "drivers_license"}:
        compact = compact.translate(_LOOKALIKE)
        digits = sum(ch.isdigit() for ch in compact)
        if digits and is_placeholder_number(compact) and len(compact) > 4:
            return invalid(text, "placeholder")
        form = Form(text, compact) if compact.isalnum() and digits >= 3 else invalid(text, "format")
    else:  # a number that the source itself gives out: no rule but its characters
        form = Form(text, compact) if compact else invalid(text, "format")
    return form._replace(repaired="decimal tail") if tail and form.value is not None and not form.repaired else form


_memo = Memo(_standard, 200_000)


def identifier(kind: str, raw: str, country: str | None = None) -> Form:
    """An identifier in standard form: separators out, upper case, checked; `country` helps a VAT number
    without one.

    Invalid as `placeholder`, `scientific notation`, `length`, `checksum`, `component` or `format`.
    """
    return _memo((kind, raw, country if kind == "vat" else None))
