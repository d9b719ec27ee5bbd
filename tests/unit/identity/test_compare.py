"""Comparison levels and weights of single pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from identity.comparison.score import Scorer
from identity.features import Features
from identity.model import prior_model
from identity.settings import load_settings

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS)
ADDRESS = {"city": "moskva", "street": "tverskaia", "house": "12", "postcode": "125009"}


def levels(tables: Any, left: dict[str, Any], right: dict[str, Any]) -> dict[str, str]:
    """The level of every column that is not missing."""
    kind = "organisation" if "org" in left else "person"
    features = Features.of(*tables([{"key": "1", **left}, {"key": "2", **right}]))
    scorer = Scorer(features, kind, SETTINGS.kind(kind), MODEL.kind(kind))
    vectors = scorer.comparer.vectors(np.array([0]), np.array([1]))
    return {name: scorer.comparer.columns[name][code[0] - 1] for name, code in vectors.items() if code[0]}


def bits(tables: Any, left: dict[str, Any], right: dict[str, Any]) -> float:
    kind = "organisation" if "org" in left else "person"
    features = Features.of(*tables([{"key": "1", **left}, {"key": "2", **right}]))
    scorer = Scorer(features, kind, SETTINGS.kind(kind), MODEL.kind(kind))
    return int(scorer.score(np.array([0]), np.array([1])).weight[0]) / 1024


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("robert", "robert", "exact"),
        ("bob", "robert", "nickname"),
        ("sasha", "aleksandr", "nickname"),
        ("petr", "pyotr", "near"),
        ("anna", "anna maria", "near"),
        ("r", "robert", "initial"),
        ("r", "anna", "different"),
        ("b", "robert", "initial"),  # Bob
        ("robert", "olga", "other"),
        ("robert", "xqrl", "different"),
        ("sahra", "zara", "different"),
    ],
)
def test_given_names(tables: Any, one: str, two: str, level: str) -> None:
    left, right = {"given": one, "family": "smith"}, {"given": two, "family": "smith"}
    found = levels(tables, left, right)["name.given"]
    assert found == level or (level, found) == ("near", "nickname")
    assert levels(tables, right, left)["name.given"] == found


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("chaikovskii", "tchaikovsky", "near"),
        ("garcia lopez", "lopez", "part"),
        ("smith", "smyth", "near"),
        ("smith", "volkov", "different"),
    ],
)
def test_family_names(tables: Any, one: str, two: str, level: str) -> None:
    assert levels(tables, {"given": "eva", "family": one}, {"given": "eva", "family": two})["name.family"] == level


def test_twins_of_two_known_names_are_not_linked_and_a_garbled_name_is(tables: Any) -> None:
    twin = {"family": "smith", "born": "1980-01-07"}
    link = MODEL.person.link / 1024
    assert bits(tables, {**twin, "given": "robert"}, {**twin, "given": "linda"}) < link
    assert bits(tables, {**twin, "given": "robert"}, {**twin, "given": "rxbrtt"}) > link


def test_identifiers_of_different_types_say_nothing(tables: Any) -> None:
    base = {"given": "eva", "family": "smith"}
    assert "identifier" not in levels(tables, {**base, "ssn": "521212123"}, {**base, "domain": "x.com"})
    two_types = {**base, "ssn": "521212123"}
    found = levels(tables, two_types, {**base, "vat": "DE136695976"})
    assert "identifier" not in found
    both = levels(tables, two_types, {**base, "vat": "DE136695976", "ssn": "999999999"})
    assert both["identifier"] == "different"


def test_names_in_each_others_place_count_as_swapped(tables: Any) -> None:
    found = levels(tables, {"given": "ivan", "family": "sidorov"}, {"given": "sidorov", "family": "ivan"})
    assert (found["name.family"], found["name.given"]) == ("exact", "swapped")


def test_a_different_patronymic_speaks_against_and_a_missing_one_is_silent(tables: Any) -> None:
    base = {"given": "ivan", "family": "sidorov"}
    silent = bits(tables, base, {**base, "middle": "petrovich"})
    assert bits(tables, base, base) == silent
    assert bits(tables, {**base, "middle": "olegovich"}, {**base, "middle": "petrovich"}) < silent
    assert bits(tables, {**base, "middle": "petrovich"}, {**base, "middle": "petrovich"}) > silent
    assert levels(tables, {**base, "middle": "p"}, {**base, "middle": "petrovich"})["name.middle"] == "initial"


def test_a_name_that_could_not_be_parted_is_compared_as_a_whole(tables: Any) -> None:
    found = levels(tables, {"full": "sidorov ivan petrovich"}, {"given": "ivan", "family": "sidorov"})
    assert found == {"name.full": "contains"}


@pytest.mark.parametrize(
    ("one", "two", "family", "given"),
    [
        # the same words, divided differently; all words of one among the other's; written together
        (("isa", "salman", "al halifa"), ("salman", None, "isa halifa"), "near", "swapped"),
        (("nur", "mohamad hakani", "sakib"), ("hakani", None, "nur"), "part", "swapped"),
        (("alisher", None, "usmanov"), (None, None, "alisherusmanov"), "near", "swapped"),
        # a long part in common does not hide that there is another word in place of the last
        (("abdul gani", None, "baradar hasib"), ("abdul gani", None, "baradar ahmad"), "far", "exact"),
        # van, al and de are no evidence
        (("bart", None, "de vries"), ("bart", None, "de vever"), "different", "exact"),
    ],
)
def test_names_are_compared_by_their_words_however_they_were_divided(
    tables: Any, one: tuple[str | None, ...], two: tuple[str | None, ...], family: str, given: str
) -> None:
    rows = [
        {"given": name[0], "middle": name[1], "family": name[2], "full": " ".join(part for part in name if part)}
        for name in (one, two)
    ]
    for left, right in (rows, rows[::-1]):
        found = levels(tables, left, right)
        assert (found["name.family"], found["name.given"]) == (family, given)


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("karlson", "karlsen", "near"),  # one slip
        ("zukerman", "zukerberg", "far"),  # a common beginning is not enough
        ("lee", "leo", "far"),  # nor is a slip in a short word
    ],
)
def test_a_slip_of_the_pen_is_near_and_a_common_beginning_is_not(tables: Any, one: str, two: str, level: str) -> None:
    found = levels(tables, {"given": "eva", "family": one}, {"given": "eva", "family": two})
    assert found["name.family"] == level


HOUSEHOLD = {"family": "sidorov", "phone": "+74951234567", **ADDRESS}


def test_what_a_household_shares_does_not_make_two_of_its_members_one(tables: Any) -> None:
    link = MODEL.person.link / 1024
    assert bits(tables, {"given": "ivan", **HOUSEHOLD}, {"given": "olga", **HOUSEHOLD}) < link
    assert bits(tables, {"given": "ivan", **HOUSEHOLD}, {"given": "vania", **HOUSEHOLD}) > link
    father = {"given": "ivan", "middle": "petrovich", "born": "1950-02-01", **HOUSEHOLD}
    son = {"given": "ivan", "middle": "ivanovich", "born": "1979-07-13", **HOUSEHOLD}
    assert bits(tables, father, son) < link


def test_firms_of_one_accountant_are_not_one_firm(tables: Any) -> None:
    shared = {"phone": "+74951234567", **ADDRESS}
    link = MODEL.organisation.link / 1024
    assert bits(tables, {"org": "romashka", **shared}, {"org": "vasilek", **shared}) < link
    assert bits(tables, {"org": "romashka", **shared}, {"org": "romashka", **shared}) > link


def test_an_initial_in_the_name_of_a_sole_proprietor_stands_for_the_name(tables: Any) -> None:
    found = levels(tables, {"org": "l a sergeva"}, {"org": "larisa aleksandrovna sergeva"})
    assert found["name"] == "contained"


def test_two_transposed_digits_are_one_slip(tables: Any) -> None:
    assert levels(tables, {"ssn": "4210506"}, {"ssn": "4210560"})["identifier"] == "edits_1"


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("1980-05-01", "1980-05-01", "exact"),
        ("1980-05-01", "1980-01-05", "day_month_swapped"),
        ("1980-05-01", "1980-05-02", "edits_1"),
        ("1980-05-01", "1980-11-27", "same_year"),
        ("1980-05-01", "1961-12-28", "different"),
    ],
)
def test_birth_dates(tables: Any, one: str, two: str, level: str) -> None:
    assert levels(tables, {"born": one}, {"born": two})["birth_date"] == level


def test_the_best_pair_of_several_values_counts(tables: Any) -> None:
    found = levels(tables, {"email": ["a@x.ru", "ivan@home.ru"]}, {"email": ["b@y.ru", "ivan@work.ru"]})
    assert found["email"] == "same_local_part"
    found = levels(tables, {"email": ["a@x.ru", "b@x.ru"]}, {"email": ["c@y.ru", "b@x.ru"]})
    assert found["email"] == "exact"


def test_identifiers_without_a_comparison_of_their_own_are_evidence_too(tables: Any) -> None:
    assert levels(tables, {"ssn": "123"}, {"ssn": "123"})["identifier"] == "exact"
    assert "identifier" not in levels(tables, {"phone": "+7916"}, {"phone": "+7916"})


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "house"),
        ({"street": "tverskaya"}, "house"),
        ({"house": "14"}, "postcode"),
        ({"house": None}, "street"),
        ({"house": None, "street": "arbat", "postcode": "125001"}, "postcode_near"),
        ({"street": "arbat", "postcode": None}, "city"),
        ({"city": "tver", "postcode": "170000", "street": "mira"}, "different"),
    ],
)
def test_addresses(tables: Any, change: dict[str, Any], level: str) -> None:
    assert levels(tables, ADDRESS, {**ADDRESS, **change})["address"] == level


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("severnaia zvezda", "severnaia zvezda", "exact"),
        ("vector", "vector", "exact_common"),
        ("vanderbilt", "van der bilt", "strong"),
        ("zvezda severnaia", "severnaia zvezda", "strong"),
        ("siemens", "siemenns", "strong"),
        ("alpen optik", "alpen optik servise", "strong"),
        ("romashka", "vasilek", "different"),
        ("torgovi dom vostok", "torgovi dom zapad", "far"),
        ("filips", "filips elektroniks eindhoven", "contained"),
        ("filips gloilampen", "filips elektroniks", "far"),
        ("filips gloilampen draad", "filips koper mineral", "shared_word"),
        ("gist brokades delft", "gistbrokades delft", "strong"),
        ("interuniversitair mikro elektronika", "interuniversitair mikroelektronika nederland", "strong"),
        ("hunter douglas ind", "hunter douglas industres", "strong"),
        ("ib machines", "internatenal busines machines", "far"),
        ("ibm", "internatenal busines machines", "near"),
        ("bai", "baikal", "different"),
        ("tehnopark", "tehnopolis", "different"),
        ("stal 1", "stal 2", "different"),
    ],
)
def test_names_of_organisations(tables: Any, one: str, two: str, level: str) -> None:
    assert levels(tables, {"org": one}, {"org": two})["name"] == level
    assert levels(tables, {"org": two}, {"org": one})["name"] == level


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("华为技术", "华为技术", "exact_common"),
        ("华为技术", "花卫技术", "near"),
        ("华为技术", None, "exact_common"),
        ("abb", "ab", "near"),
        ("müller", "mueller", "exact_common"),
        ("müller", "мюллер", "exact_common"),
        ("öbb", "obb", "exact_common"),
    ],
)
def test_names_of_one_latin_key_are_told_apart_in_their_own_script(
    tables: Any, one: str, two: str | None, level: str
) -> None:
    left, right = ({"org": "huaveiiishu", "org_own": own} for own in (one, two))
    assert levels(tables, left, right)["name"] == level


def test_weights_do_not_depend_on_the_side_or_the_company_of_other_records(tables: Any) -> None:
    rows = [
        {
            "key": "1",
            "given": "bob",
            "family": "smith",
            "born": "1980-05-01",
            "email": ["a@x.ru", "b@x.ru"],
            **ADDRESS,
        },
        {
            "key": "2",
            "given": "robert",
            "family": "smyth",
            "born": "1980-01-05",
            "email": "b@y.ru",
            **ADDRESS,
        },
        {"key": "3", "full": "robert e smith", "phone": "+4930123456"},
        {"key": "4"},
    ]
    features = Features.of(*tables(rows))
    scorer = Scorer(features, "person", SETTINGS.person, MODEL.person)
    left, right = (side.astype(np.int64) for side in np.triu_indices(4, 1))
    forth, back = scorer.score(left, right), scorer.score(right, left)
    assert forth.weight.tolist() == back.weight.tolist()
    for a, b, weight in zip(left.tolist(), right.tolist(), forth.weight.tolist(), strict=True):
        assert bits(tables, rows[a], rows[b]) == weight / 1024
