"""One attribute value as text, with what was mended where the mending is certain."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.paths import as_text
from onefold.configuration.attributes import AttributeType
from onefold.mapping.dates import date_value
from onefold.mapping.transforms import Unreadable

Cleaned = tuple[str, str | None] | None
"""The text, and what was mended; None when there is no value."""

_SCIENTIFIC: Final = re.compile(r"\+?\d(?:[.,]\d+)?[eE]\+?\d{1,2}$")
_DECIMAL_TAIL: Final = re.compile(r"\+?\d{5,}[.,]0+$")


def plain(value: Any) -> Cleaned:
    """A scalar as trimmed text. Raises Unreadable for objects and lists."""
    if isinstance(value, Decimal):
        return (format(value, "f") if value.is_finite() and abs(value.adjusted()) < 40 else str(value)), None
    text = as_text(value)
    if text is None:
        raise Unreadable("not-a-value", "an object stands where a single value should")
    text = text.strip()
    return (text, None) if text else None


def number_of_identity(value: Any) -> Cleaned:
    """A phone or identifier that a spreadsheet may have turned into a number.

    `5,05012E+11` becomes its digits, `79161234567.0` loses its tail; both are marked. A lost leading zero is
    restored by the standard form, which knows the checksum.
    """
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 40:
            raise Unreadable("unreadable-number", "the number has too many digits")
        as_written = str(value)
        if value == value.to_integral_value():
            digits = str(int(value))
            return digits, "scientific notation" if "E" in as_written else "decimal tail"
        return as_written, None
    cleaned = plain(value)
    if cleaned is None or len(cleaned[0]) > 40 or (text := cleaned[0]).isdigit():
        return cleaned
    if _SCIENTIFIC.match(text):
        return str(int(Decimal(text.replace(",", ".")))), "scientific notation"
    if _DECIMAL_TAIL.match(text):
        return re.split(r"[.,]", text)[0], "decimal tail"
    return cleaned


def cleaner(kind: AttributeType) -> Callable[[Any], Cleaned] | None:
    """How values of a type are cleaned; None: trimmed text needs nothing more."""
    if kind in ("phone", "identifier"):
        return number_of_identity
    if kind == "date":
        return date_value
    return None
