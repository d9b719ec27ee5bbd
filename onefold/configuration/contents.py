"""What the values of a field say about its meaning, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple


class Told(NamedTuple):
    """What values tell."""

    attribute: str
    because: str
    is_sure: bool
    """They were verified (a checksum, an address), and do not only look like it."""


_LONGEST_EMAIL: Final = 320
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}$")
_PHONE: Final = re.compile(r"(?:\+|00|8|0)?[\d\s().-]{9,20}$")
_DATE: Final = re.compile(r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{8})(?:[T ].*)?$")
_KPP: Final = re.compile(r"\d{4}[\dA-Z]{2}\d{3}$")
_FIRM: Final = re.compile(r"\b(?:ООО|АО|ПАО|ЗАО|ИП|GmbH|AG|KG|Ltd|LLC|Inc|Corp|PLC|S\.?A\.?|B\.?V\.?)\b", re.IGNORECASE)
_CLEAR: Final = 0.8
_POOR: Final = 0.3
"""Fewer values than this that fit, and what the field is called is doubted."""


def holds_legal_form(name: str) -> bool:
    """The name of an organisation, by its legal form."""
    return bool(_FIRM.search(name))


def by_content(samples: Sequence[str]) -> Told | None:
    """What at least four of five values are; None where fewer than two are given or nothing fits."""
    return _told(tuple(samples))


@lru_cache(maxsize=512)
def _told(samples: tuple[str, ...]) -> Told | None:
    if len(samples) < 2:
        return None
    if _share(samples, _is_email) >= _CLEAR:
        return Told("email", "its values are e-mail addresses", True)
    for attribute, name, is_valid in _checksums():
        if _share(samples, is_valid) >= _CLEAR:
            return Told(attribute, f"its values pass the checksum of {name}", True)
    digits = [re.sub(r"\D", "", sample) for sample in samples]
    is_plain = all(sample.isdigit() for sample in samples)
    looks_alike = _share(samples, lambda sample: bool(_PHONE.match(sample)) and not _DATE.match(sample)) >= _CLEAR
    if looks_alike and all(10 <= len(one) <= 15 for one in digits) and not is_plain:
        return Told("phone", "its values look like phone numbers", False)
    if _share(samples, holds_legal_form) >= _CLEAR:
        return Told("legal_name", "its values hold legal forms", False)
    return None


def contradiction(attribute: str, samples: Sequence[str]) -> str | None:
    """Why a field can hardly be what its name says; None while its values do not speak against it."""
    fits = _fit(attribute)
    if fits is None or not samples or _share(samples, fits) >= _POOR:
        return None
    return f"few of its values are such as {attribute} has"


def _fit(attribute: str) -> Callable[[str], bool] | None:
    from stdnum.us import ssn

    simple: dict[str, Callable[[str], bool]] = {
        "email": _is_email,
        "phone": lambda sample: 5 <= len(re.sub(r"\D", "", sample)) <= 17,
        "birth_date": lambda sample: bool(_DATE.match(sample)),
        "kpp": lambda sample: bool(_KPP.match(sample)),
        "ssn": ssn.is_valid,
        # A column of numbers is nobody's name.
        **dict.fromkeys(
            ("name", "full_name", "given_name", "family_name", "middle_name", "legal_name", "city"),
            lambda sample: any(letter.isalpha() for letter in sample),
        ),
    }
    return simple.get(attribute) or {name: is_valid for name, _, is_valid in _checksums()}.get(attribute)


def _is_email(sample: str) -> bool:
    # No address is longer, and the pattern tries every dot of what is.
    return len(sample) <= _LONGEST_EMAIL and bool(_EMAIL.match(sample))


def _share(samples: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, samples)) / len(samples)


def _checksums() -> tuple[tuple[str, str, Callable[[str], bool]], ...]:
    from stdnum import iban, lei
    from stdnum.eu import vat
    from stdnum.ru import inn, ogrn

    return (
        # Excel's numbers have lost the zeros before them.
        ("inn", "INN", lambda sample: inn.is_valid(sample) or inn.is_valid(sample.zfill(10))),
        ("ogrn", "OGRN", ogrn.is_valid),
        ("iban", "IBAN", iban.is_valid),
        ("lei", "LEI", lei.is_valid),
        ("vat", "a VAT number", lambda sample: sample[:2].isalpha() and vat.is_valid(sample)),
    )
