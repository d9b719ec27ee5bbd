"""Amounts and quantities as exact decimal text, whatever separators the source writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from connectors.paths import as_text
from onefold.mapping.transforms import Unreadable

DECIMAL_POINT: Final = frozenset(
    {
        "US",
        "GB",
        "IE",
        "CA",
        "AU",
        "NZ",
        "IN",
        "CN",
        "JP",
        "KR",
        "MX",
        "TH",
        "IL",
        "SG",
        "HK",
        "MY",
        "PH",
        "TW",
    }
)
"""Countries that write 1,234 for one thousand two hundred and thirty-four."""
MAX_DIGITS: Final = 30

CURRENCY_WORDS: Final = {
    "643": "RUB", "810": "RUB", "RUR": "RUB", "₽": "RUB", "РУБ": "RUB", "РУБ.": "RUB", "РУБЛЬ": "RUB",
    "840": "USD", "$": "USD",
    "978": "EUR", "€": "EUR", "£": "GBP", "826": "GBP", "156": "CNY", "398": "KZT", "933": "BYN",
}  # fmt: skip
"""What registers write for a currency beside its ISO 4217 letters: numeric codes, signs, abolished codes."""

_SPACES: Final = re.compile(r"[\s\u00a0\u2007\u2009\u202f'’_]+")
_UNIT: Final = re.compile(r"^(?:[$€£₽]|[A-Z]{3})|(?:[$€£₽]|[A-Z]{3}|руб\.?|р\.)$", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[+-]?\d+(?:\.\d+)?$")
_GROUPED: Final = {
    ",": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"),
    ".": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?$"),
}


def amount_text(value: Any, *, decimal_point: bool = False) -> tuple[str, str | None] | None:
    """An amount as decimal text and what was mended (`decimal comma`, ...); None for an empty value.

    `decimal_point`: a single comma before three digits groups thousands. Raises Unreadable.
    """
    if isinstance(value, list):
        found = (amount_text(one, decimal_point=decimal_point) for one in value if one is not None)
        return next((one for one in found if one is not None), None)
    if isinstance(value, bool | dict):
        raise Unreadable("unreadable-amount", "the value is no number")
    if isinstance(value, Decimal):
        return _exact(value), None
    text = as_text(value)
    if text is None or not text.strip():
        return None
    if _PLAIN.match(text):
        return _exact(Decimal(text)), None
    return _written(text, decimal_point)


def added_up(
    parse: Callable[[Any], tuple[str, str | None] | None], values: Sequence[Any]
) -> tuple[str, str | None] | None:
    """The sum of all values that are filled, each read by `parse`, and what was mended; None when none is.
    Raises Unreadable."""
    found = [one for value in values if (one := parse(value)) is not None]
    if not found:
        return None
    return _exact(sum((Decimal(text) for text, _ in found), Decimal(0))), next((one for _, one in found if one), None)


def currency_code(text: str) -> str:
    """The ISO 4217 code that a text means. Raises Unreadable."""
    word = text.strip().upper()
    word = CURRENCY_WORDS.get(word, word)
    if not re.fullmatch(r"[A-Z]{3}", word):
        raise Unreadable("unreadable-currency", "the value is no ISO 4217 currency code")
    return word


@lru_cache(maxsize=50_000)
def _written(text: str, decimal_point: bool) -> tuple[str, str | None]:
    bare = _SPACES.sub("", text).replace("−", "-").replace("–", "-")
    bare = _UNIT.sub("", bare)
    negative = bare.startswith("(") and bare.endswith(")")
    if negative:
        bare = bare[1:-1]
    elif len(bare) > 1 and bare.endswith("-"):  # SAP writes the sign behind
        negative, bare = True, bare[:-1]
    bare, repair = _separators(bare, decimal_point)
    if repair is None:
        repair = "grouped digits" if _SPACES.search(text.strip()) else "number format"
    try:
        number = Decimal(bare)
    except InvalidOperation:
        raise Unreadable("unreadable-amount", "the value is no number") from None
    return _exact(-number if negative else number), repair


def _separators(text: str, decimal_point: bool) -> tuple[str, str | None]:
    comma, dot = text.rfind(","), text.rfind(".")
    if comma < 0 and dot < 0:
        return text, None
    if comma >= 0 and dot >= 0:
        if comma > dot and _GROUPED["."].match(text):
            return text.replace(".", "").replace(",", "."), "decimal comma"
        if dot > comma and _GROUPED[","].match(text):
            return text.replace(",", ""), "grouped digits"
        raise Unreadable("unreadable-amount", "the separators of the number contradict each other")
    if comma >= 0:
        if text.count(",") > 1 or (decimal_point and _GROUPED[","].match(text)):
            if not _GROUPED[","].match(text):
                raise Unreadable("unreadable-amount", "the number has several commas")
            return text.replace(",", ""), "grouped digits"
        return text.replace(",", "."), "decimal comma"
    if text.count(".") > 1:
        if not _GROUPED["."].match(text):
            raise Unreadable("unreadable-amount", "the number has several points")
        return text.replace(".", ""), "grouped digits"
    return text, None


def _exact(number: Decimal) -> str:
    if not number.is_finite() or len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise Unreadable("unreadable-amount", f"the number has more than {MAX_DIGITS} digits")
    return format(number, "f")
