"""Mappings guessed from names and content, in three languages, with reasons."""

from __future__ import annotations

import pytest

from connectors.page import FieldInfo, StreamInfo
from onefold.configuration.proposals import propose_mapping
from onefold.configuration.sources import SourceConfiguration


def field(path: str, *samples: str, label: str | None = None) -> FieldInfo:
    return FieldInfo(path, "text", label, samples)


def stream(name: str, *fields: FieldInfo) -> StreamInfo:
    return StreamInfo(name, None, fields)


LANGUAGES = {
    "en": ("customers", ["id", "First Name", "Last Name", "Date of Birth", "E-mail", "Phone", "ZIP", "City"]),
    "de": (
        "kunden",
        ["id", "Vorname", "Nachname", "Geburtsdatum", "E-Mail-Adresse", "Telefon", "PLZ", "Ort"],
    ),
    "ru": (
        "клиенты",
        ["id", "Имя", "Фамилия", "Дата рождения", "Электронная почта", "Телефон", "Индекс", "Город"],
    ),
}


@pytest.mark.parametrize(("name", "columns"), LANGUAGES.values(), ids=LANGUAGES)
def test_a_sheet_of_persons_is_understood_in_three_languages(name: str, columns: list[str]) -> None:
    found = propose_mapping(stream(name, *map(field, columns)))
    assert (found.as_, found.key) == ("person", "id")
    wanted = ["given_name", "family_name", "birth_date", "email", "phone", "postcode", "city"]
    assert sorted(found.fields) == sorted(wanted)
    assert {guess.attribute for guess in found.guesses} == set(wanted)
    assert all(guess.because for guess in found.guesses)


def test_legal_forms_in_the_names_make_organisations() -> None:
    found = propose_mapping(stream("list", field("Код", "1", "2"), field("Наименование", "ООО Ромашка", "АО Василёк")))
    assert (found.as_, found.key, found.fields) == ("organisation", "Код", {"legal_name": ["Наименование"]})
    assert any("legal form" in reason for reason in found.reasons)


def test_custom_fields_are_known_by_their_label_and_content() -> None:
    found = propose_mapping(
        stream(
            "contacts",
            field("ID", "1", "2"),
            field("NAME", "Анна", "Пётр"),
            field("UF_CRM_1", "+7 916 123-45-67", "+7 495 765-43-21", label="Рабочий телефон"),
            field("UF_CRM_2", "7707083893", "7736050003", label="Реквизит"),
            field("UF_CRM_3", "a@b.example", "c@d.example"),
        )
    )
    assert found.fields["phone"] == ["UF_CRM_1"]
    assert found.fields["inn"] == ["UF_CRM_2"]
    assert found.fields["email"] == ["UF_CRM_3"]
    because = {guess.path: guess.because for guess in found.guesses}
    assert "checksum of INN" in because["UF_CRM_2"]
    assert "e-mail addresses" in because["UF_CRM_3"]


def test_a_stream_of_orders_becomes_interactions_and_asks_for_the_party() -> None:
    found = propose_mapping(
        stream("orders", field("order_no"), field("customer_id"), field("order_date"), field("total"))
    )
    assert found.as_ == "interaction"
    assert found.interaction == {
        "type": "sales_order",
        "occurred_at": "order_date",
        "amount": {"value": "total"},
    }
    assert any("party" in reason for reason in found.reasons)


def test_what_says_nothing_is_landed_only() -> None:
    found = propose_mapping(stream("log", field("a", "1"), field("b", "x")))
    assert (found.as_, found.key, found.fields) == (None, "content", {})


@pytest.mark.parametrize(("name", "columns"), LANGUAGES.values(), ids=LANGUAGES)
def test_a_proposal_is_a_valid_configuration(name: str, columns: list[str]) -> None:
    proposed = propose_mapping(stream(name, *map(field, columns))).as_config()
    SourceConfiguration.model_validate({"source": "x", "connector": "files", "streams": {name: proposed}})
