"""What a word of a person finds, and what it leaves alone: in Python here, in PostgreSQL in test_erasure_rules.py."""

from __future__ import annotations

import re

import pytest

from warehouse.erasure.needles import mentions, pattern, plain

WORDS = ("500100732259", "9165550199", "ija@example.ru", "ия сентинелова")
HITS = (
    "тел. +7 (916) 555-01-99", "8-916-555-01-99.", '{"phone": "9165550199"}', "инн500100732259", "ИНН 5001 0073 2259",
    "mailto:IJA@example.ru", r'"text": "x\nija@example.ru."', "пишет Ия  Сентинелова,", "(ija@example.ru)",
)  # fmt: skip
MISSES = (
    "19165550199", "+7 916 555-01-990", "pija@example.ru", "x.ija@example.ru", "ija@example.ru.com", "ija@example.rus",
    "4081781050010073225912", "Ия Сентинелованина", "Мария Сентинелова", "+7 916 555-01-98", "",
)  # fmt: skip


@pytest.mark.parametrize("text", HITS)
def test_a_word_is_found_in_every_spelling_and_encoding(text: str) -> None:
    assert mentions(text.encode(), WORDS)
    assert mentions(text.encode("utf-16-le"), WORDS)
    assert mentions(text.encode("cp1251"), WORDS)
    assert mentions(text.encode("ascii", "backslashreplace"), WORDS)


@pytest.mark.parametrize("text", MISSES)
def test_a_longer_word_of_somebody_else_is_not_the_persons(text: str) -> None:
    wanted = pattern(WORDS)
    assert wanted is not None and not re.search(wanted, text.lower()) and not mentions(text.encode(), WORDS)


def test_nobodys_words_are_found_nowhere() -> None:
    assert pattern(()) is None and not mentions(b"anything", ())


def test_spellings_of_one_number_are_one() -> None:
    assert {plain(text) for text in ("+7 (916) 555-01-99", "8 916 555 01 99", "9165550199")} == {"9165550199"}
    assert plain(" Ija@Example.RU ") == "ija@example.ru" and plain("DE123456789") == "de123456789"
