"""Every form that Russian gives the words of needs.yaml, so that a search by stems finds what a stem alone does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

_WORD: Final = re.compile(r"\w+")
_RUSSIAN: Final = re.compile(r"[а-яё]")


def phrase_forms(phrase: str) -> Sequence[Sequence[str]]:
    """The words of a phrase in their order, each with all its forms, ё written as е.

    Stems alone tell `подобрать` from `подберите`, and `стоит` from `стояла`; a dictionary knows that they are one
    word. English words are left to the stems of the database.
    """
    return [_forms(word) for word in _WORD.findall(phrase.lower())]


def _forms(word: str) -> list[str]:
    found = {word}
    if _RUSSIAN.search(word):
        found |= {form.word for parse in _russian().parse(word) for form in parse.lexeme}
    return sorted({form.replace("ё", "е") for form in found})


@cache
def _russian() -> MorphAnalyzer:
    # Not at the top: its dictionary takes half a second and is needed by new rules only.
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru")
