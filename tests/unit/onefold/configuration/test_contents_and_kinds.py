"""What values say about a column, and which columns tell persons from organisations."""

from __future__ import annotations

import pytest

from connectors.page import FieldInfo, StreamInfo
from onefold.configuration.contents import by_content, contradiction
from onefold.configuration.kinds import by_likely_name, kinds_by_value
from onefold.configuration.proposals import propose_mapping

VALUES = {
    "email": ["a@b.example", "c@d.example", "E.F@g.example"],
    "inn": ["7707083893", "7736050003", "500100732259"],
    "ogrn": ["1027700132195", "1027739609391"],
    "vat": ["DE136695976", "FR40303265045"],
    "iban": ["DE89370400440532013000", "GB82WEST12345698765432"],
    "phone": ["+7 916 123-45-67", "8 (495) 765-43-21", "030 1234 5678"],
    "legal_name": ["ООО Ромашка", "Müller GmbH", "Acme Ltd"],
}


@pytest.mark.parametrize("attribute", VALUES)
def test_values_tell_the_attribute_whatever_the_column_is_called(attribute: str) -> None:
    told = by_content(VALUES[attribute])
    assert told is not None
    assert told.attribute == attribute
    # What was only seen, and not verified, stays a question.
    assert told.is_sure == (attribute not in ("phone", "legal_name"))


@pytest.mark.parametrize(
    "samples", [["a@b.example"], ["1", "2", "3"], ["2024-01-01", "2024-02-03"], ["19800101", "19900202"]]
)
def test_one_value_numbers_and_dates_tell_nothing(samples: list[str]) -> None:
    assert by_content(samples) is None


def test_some_bad_values_change_nothing() -> None:
    found = by_content([*VALUES["inn"], "7830002293", "1234567890"])
    assert found is not None
    assert found.attribute == "inn"


def test_values_may_contradict_a_name() -> None:
    assert contradiction("email", ["yes", "no", "no"]) is not None
    assert contradiction("birth_date", ["12.05.1980", "1990-01-02"]) is None
    assert contradiction("birth_date", []) is None
    assert contradiction("city", ["1", "2", "3"]) is not None


def test_a_foreign_personal_number_is_a_doubtful_national_id() -> None:
    found = propose_mapping(
        StreamInfo(
            "p",
            "id",
            (
                FieldInfo("surname", "text", None, ("Lee", "Ray")),
                FieldInfo("ssn", "text", None, ("5304218", "4066625")),
            ),
        )
    )
    guess = next(guess for guess in found.guesses if guess.path == "ssn")
    assert (guess.attribute, guess.is_doubtful) == ("national_id", True)


@pytest.mark.parametrize(
    "values",
    [
        ["ЮрЛицо", "ФизЛицо"],
        ["person", "organisation"],
        ["ORG", "PERSON"],
        ["Privat", "Firma"],
        ["Физическое лицо", "ИП"],
    ],
)
def test_kinds_are_known_in_three_languages(values: list[str]) -> None:
    assert set(kinds_by_value(values)) == set(values)


def test_other_words_are_no_kinds() -> None:
    assert kinds_by_value(["new", "old"]) == {}
    assert kinds_by_value([]) == {}
    assert by_likely_name(["group", "customer_type"]) == ["customer_type", "group"]
