from __future__ import annotations

from typing import Any

import pytest

from identity.standard import places
from identity.standard.addresses import parse_address, parse_street


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("123 Main Street, Las Vegas NV 89132", {"country": "US", "region": "NV", "city": "Las Vegas",
        "street": "Main Street", "house": "123", "postcode": "89132"}),
        ("1515 Adela Ln, LV, NV", {"region": "NV", "city": "LV", "street": "Adela Ln", "house": "1515"}),
        ("123456, г. Москва, ул. Ленина, д. 5, кв. 3", {"city": "Москва", "street": "ул. Ленина",
        "house": "5", "postcode": "123456"}),
        ("Россия, 190000, Санкт-Петербург, Невский проспект, 28", {"country": "RU",
        "city": "Санкт-Петербург", "street": "Невский проспект", "house": "28", "postcode": "190000"}),
        ("Московская обл., г. Химки, ул. Мира, д.5 корп. 2", {"region": "Московская обл", "city": "Химки",
        "street": "ул. Мира", "house": "5 корп. 2"}),
        ("Москва, Тверская 7", {"city": "Москва", "street": "Тверская", "house": "7"}),
        ("Hauptstr. 5, 80331 München, Deutschland", {"country": "DE", "city": "München",
        "street": "Hauptstr.", "house": "5", "postcode": "80331"}),
        ("10 Downing Street, London SW1A 2AA, UK", {"country": "GB", "city": "London",
        "street": "Downing Street", "house": "10", "postcode": "SW1A 2AA"}),
        ("Hughes Plaza, 100 Howard Hughes Way, Las Vegas, NV 89111", {"country": "US", "region": "NV",
        "city": "Las Vegas", "street": "Howard Hughes Way", "house": "100", "postcode": "89111"}),
        ("Tolmacheva Ul., bld. 8, appt. 71 Smolensk", {"city": "Smolensk", "street": "Tolmacheva Ul", "house": "8"}),
        ("нет", {}),
    ],
)  # fmt: skip
def test_free_text_addresses_fall_into_parts(written: str, parts: dict[str, Any]) -> None:
    assert {name: part for name, part in parse_address(written)._asdict().items() if part} == parts


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("123 Main St", {"street": "Main St", "house": "123"}),
        ("123 Main St #4", {"street": "Main St", "house": "123"}),
        ("1450 N City Rd Suite 900", {"street": "N City Rd", "house": "1450"}),
        ("Suite 900, 1450 N City Rd", {"street": "N City Rd", "house": "1450"}),
        ("Chrysler Building 405 Lexington Ave", {"street": "Lexington Ave", "house": "405"}),
        ("US Highway 61 Frontage Road", {"street": "US Highway 61 Frontage Road"}),
        ("3212 W. 32nd St Palm Harbor, FL 60527", {"country": "US", "region": "FL", "city": "Palm Harbor",
        "street": "W. 32nd St", "house": "3212", "postcode": "60527"}),
        ("9304 W 15th St La Blanca FL 60527", {"country": "US", "region": "FL", "city": "La Blanca",
        "street": "W 15th St", "house": "9304", "postcode": "60527"}),
        ("Ленина, 5", {"street": "Ленина", "house": "5"}),
        ("ул. Ленина, д. 5, кв. 3", {"street": "ул. Ленина", "house": "5"}),
        ("Нахимовский пр-т, 24к1 оф. 5", {"street": "Нахимовский пр-т", "house": "24к1"}),
        ("n/a", {}),
    ],
)  # fmt: skip
def test_a_street_field_may_hold_the_whole_address(written: str, parts: dict[str, Any]) -> None:
    assert {name: part for name, part in parse_street(written)._asdict().items() if part} == parts


@pytest.mark.parametrize(
    "spellings",
    [
        ["ул. Ленина", "Ленина ул.", "улица Ленина", "УЛ. ЛЕНИНА, д. 5"],
        ["пр-т Мира", "проспект Мира", "Мира пр-кт"],
        ["Hauptstraße", "Hauptstr.", "Hauptstrasse 5"],
        ["Berliner Straße", "Berliner Str.", "Berlinerstr."],
        ["Main Street", "123 Main St"],
        ["Abbey Road", "Abbey Rd."],
    ],
)
def test_kinds_of_street_are_folded(spellings: list[str]) -> None:
    assert len({places.street(spelling).value for spelling in spellings}) == 1


def test_an_avenue_is_no_street() -> None:
    assert places.street("проспект Ленина").value != places.street("улица Ленина").value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("д. 5 корп. 2 стр. 1", "5k2s1"),
        ("5/2", "5/2"),
        ("12-а", "12a"),
        ("12А", "12a"),
        ("12a", "12a"),
        ("5, кв. 3", "5"),
        ("№ 7", "7"),
    ],
)
def test_house_numbers_lose_their_words(written: str, value: str) -> None:
    assert places.house(written).value == value


@pytest.mark.parametrize(
    ("written", "country", "value"),
    [
        ("123456", "RU", "123456"),
        ("SW1A 2AA", "GB", "sw1a2aa"),
        ("89132-1234", "US", "89132"),
        ("80331", None, "80331"),
        ("101000.0", "RU", "101000"),
    ],
)
def test_postcodes_lose_their_spaces(written: str, country: str | None, value: str) -> None:
    assert places.postcode(written, country).value == value


@pytest.mark.parametrize(
    ("normaliser", "written", "reason"),
    [
        (places.country, "нет", "placeholder"), (places.country, "Нигдения", "unknown country"),
        (places.city, "-", "placeholder"), (places.city, "???", "placeholder"), (places.city, "★",
        "no letters"),
        (places.house, "б/н", "no number"), (places.house, "n/a", "placeholder"),
        (places.postcode, "000000", "placeholder"), (places.postcode, "12", "length"),
        (lambda raw: places.postcode(raw, "RU"), "12345", "format"),
        (lambda raw: places.postcode(raw, "DE"), "Berlin", "format"),
    ],
)  # fmt: skip
def test_invalid_places_are_kept_with_their_reason(normaliser: Any, written: str, reason: str) -> None:
    assert normaliser(written)[:3] == (written, None, reason)


@pytest.mark.parametrize("written", ["Россия", "РФ", "RU", "RUS", "Russian Federation", "Russland"])
def test_countries_are_known_by_name_and_code(written: str) -> None:
    assert places.country(written)[:2] == ("RU", "RU")


def test_towns_and_regions_lose_the_word_for_their_kind() -> None:
    assert places.city("г. Москва").value == places.city("Москва").value == "москва"
    assert places.city("спб").value == places.city("Санкт-Петербург").value
    assert places.city("Muenchen").value == places.city("München").value
    assert places.region("Московская обл.").value == places.region("область Московская").value
    assert places.region("Nevada").value == places.region("NV").value
