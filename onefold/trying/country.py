"""Of which country a table's phones, numbers and addresses are, where they do not say so themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from onefold.configuration.countries import country_defaults

if TYPE_CHECKING:
    from onefold.trying.columns import Understood

_CANDIDATES: Final = ("RU", "DE", "US", "GB", "AT", "CH", "FR", "IT", "ES", "NL", "PL", "AU", "IN", "BR")
_POSTCODES: Final = {"GB": re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$", re.I), "US": re.compile(r"\d{5}-\d{4}$")}
_AMERICAN: Final = re.compile(r"\(?[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[.-]\d{4}$")
"""As numbers are written there; as mere digits they are numbers in many countries."""
_CYRILLIC: Final = re.compile("[А-Яа-яЁё]")
_GERMAN: Final = re.compile(r"vorname|nachname|strasse|straße|geburt|\bplz\b|\bort\b|firma|anschrift|kunde", re.I)
_CLEAR: Final = 0.6
_FULL: Final = 0.9
_AHEAD: Final = 0.15
"""By so much the best country's share of valid numbers is ahead of the next, or none is guessed."""


def defaults_of(understood: Understood, country: str | None = None) -> dict[str, str]:
    """`defaults` of the table's source: of `country` where somebody has said it, else as values look; or nothing."""
    found = country or _guessed(understood)
    return country_defaults(found) if found else {}


def _guessed(understood: Understood) -> str | None:
    full = {field.path for field in understood.table.info.fields if (field.filled or 0) >= _FULL}
    if full.intersection(understood.proposal.fields.get("country", ())):
        return None  # the rows say it themselves
    samples = {
        attribute: [text for field in understood.table.info.fields if field.path in paths for text in field.samples]
        for attribute, paths in understood.proposal.fields.items()
    }
    if found := _by_phones(samples.get("phone", ())):
        return found
    for country, pattern in _POSTCODES.items():
        postcodes = samples.get("postcode", ())
        if postcodes and sum(bool(pattern.match(one.strip())) for one in postcodes) >= _CLEAR * len(postcodes):
            return country
    names = " ".join(field.path for field in understood.table.info.fields)
    words = " ".join(text for texts in samples.values() for text in texts[:20])
    if _CYRILLIC.search(names) or len(_CYRILLIC.findall(words)) * 3 > len(words):
        return "RU"
    return "DE" if _GERMAN.search(names) else None


def _by_phones(samples: Sequence[str]) -> str | None:
    """The country in which most of the numbers without a country code are numbers at all."""
    from phonenumbers import NumberParseException, is_valid_number, parse

    national = [text for text in samples if not text.strip().startswith(("+", "00"))][:40]
    if len(national) < 5:
        return None

    if sum(bool(_AMERICAN.match(text.strip())) for text in national) >= _CLEAR * len(national):
        return "US"

    def is_number(text: str, country: str) -> bool:
        try:
            return is_valid_number(parse(text, country))
        except NumberParseException:
            return False

    shares = sorted(
        ((sum(is_number(text, country) for text in national) / len(national), country) for country in _CANDIDATES),
        reverse=True,
    )
    best, second = shares[0], shares[1]
    return best[1] if best[0] >= _CLEAR and best[0] >= second[0] + _AHEAD else None
