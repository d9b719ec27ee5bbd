"""Columns that tell of each row whether it is a person or an organisation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_WORDS: Final = {
    "person": {
        "person", "pers", "individual", "b2c", "private customer", "natural person", "private", "private person",
        "consumer", "p", "contact", "физлицо", "физ лицо", "физическое лицо", "фл", "частное лицо", "человек",
        "privatperson", "natürliche person", "privat", "privatkunde",
    },
    "organisation": {
        "organisation", "organization", "org", "entity", "business customer", "company", "business", "legal entity",
        "legal person", "corporate", "firm", "o", "b2b", "юрлицо", "юр лицо", "юридическое лицо", "юл", "организация",
        "компания", "ип", "индивидуальный предприниматель", "firma", "unternehmen", "juristische person",
        "geschäftskunde", "firmenkunde", "gewerblich",
    },
}  # fmt: skip
MOST: Final = 12
"""More different values than these are no kinds."""


def kind_of_word(word: str) -> str | None:
    """person | organisation, or None for any other word."""
    plain = " ".join(re.sub(r"[^\w]+|_", " ", word.casefold()).split())
    return next((kind for kind, words in _WORDS.items() if plain in words), None)


_NAMES: Final = re.compile(r"type|kind|тип|вид|лицо|\bart\b", re.IGNORECASE)


def by_likely_name(paths: Iterable[str]) -> list[str]:
    """Those first that are called like a column of kinds."""
    return sorted(paths, key=lambda path: not _NAMES.search(path))


def kinds_by_value(values: Iterable[str]) -> dict[str, str]:
    """Value -> kind of a column's different values; empty unless nearly all of them are kinds."""
    different = sorted({value.strip() for value in values if value.strip()})
    if not 1 <= len(different) <= MOST:
        return {}
    found = {value: kind for value in different if (kind := kind_of_word(value)) is not None}
    return found if len(found) * 5 >= len(different) * 4 else {}
