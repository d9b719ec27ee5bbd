"""The words that people read are there in every language and say the same."""

from __future__ import annotations

from string import Formatter

import pytest

from identity.explanation.explain import probability_of
from identity.explanation.words import LANGUAGES, column_words, phrase, phrases
from identity.shipped import shipped


@pytest.mark.parametrize("name", sorted(shipped("words")["phrases"]))
def test_a_phrase_has_the_same_places_in_every_language(name: str) -> None:
    found = shipped("words")["phrases"][name]
    assert set(found) == set(LANGUAGES)
    places = [{place for _, place, _, _ in Formatter().parse(found[lang]) if place} for lang in LANGUAGES]
    assert places[0] == places[1]


def test_words_are_filled_in_and_unknown_columns_are_called_by_their_name() -> None:
    assert phrase("cut", "ru", more=3) == "ещё 3"
    assert phrases("judged_not_same", number=7)["en"] == "judgement 7: not same"
    assert column_words("birth_date", "ru") == "дата рождения"
    assert column_words("attributes.loyalty_card") == "attributes.loyalty_card"
    with pytest.raises(KeyError):
        phrase("no such phrase")


def test_odds_are_probabilities_also_where_no_power_of_two_is_a_float() -> None:
    assert probability_of(0) == 0.5
    assert probability_of(1024) == pytest.approx(2 / 3)
    assert probability_of(10**9) == 1.0
    assert 0 <= probability_of(-(10**9)) < 1e-300
