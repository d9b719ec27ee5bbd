"""What people read, in English and Russian; the words themselves are in data/words.yaml."""

from __future__ import annotations

from typing import Final

from identity.shipped import shipped

LANGUAGES: Final = ("en", "ru")


def phrase(name: str, lang: str = "en", /, **values: object) -> str:
    """A phrase of words.yaml with its values filled in. KeyError: there is no such phrase."""
    found: str = shipped("words")["phrases"][name][lang]
    return found.format(**values)


def phrases(name: str, /, **values: object) -> dict[str, str]:
    """A phrase in every language."""
    return {lang: phrase(name, lang, **values) for lang in LANGUAGES}


def column_words(column: str, lang: str = "en") -> str:
    """What a compared column or a type of identifier is called; its own name where nobody has named it."""
    found: str = shipped("words")["columns"].get(column, {}).get(lang, column)
    return found
