"""matching.yaml: what it may say and how mistakes are told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from identity.settings import Level, load_settings, parse_value


def test_the_shipped_rules_are_valid_and_rich() -> None:
    shipped = load_settings()
    assert len(shipped.person.blocking) >= 16
    assert shipped.block_cap == 300
    assert "inn" in shipped.person.contradictions


def test_a_company_file_replaces_single_entries_only() -> None:
    ours = load_settings({"person": {"blocking": [["email"]], "compare": {"gender": None}}, "block_cap": 50})
    assert [[str(value) for value in rule] for rule in ours.person.blocking] == [["email"]]
    assert "gender" not in ours.person.compare
    assert "name" in ours.person.compare
    assert ours.organisation == load_settings().organisation


def test_the_documented_example_is_accepted() -> None:
    ours = load_settings(
        {
            "person": {
                "blocking": [["email"], ["family_name", "birth_date"], ["family_name.sound", "postcode"]],
                "compare": {
                    "name": {
                        "levels": ["exact", {"jaro_winkler": 0.92}, {"jaro_winkler": 0.8}],
                        "term_frequency": True,
                    },
                    "birth_date": {"levels": ["exact", {"edits": 1}, {"edits": 2}]},
                    "email": {"levels": ["exact", {"same": "local_part"}, {"jaro_winkler": 0.95}]},
                },
                "contradictions": ["inn", "snils"],
                "link_at": 0.98,
                "review_at": 0.60,
            }
        }
    )
    assert [level.name for level in ours.person.compare["name"].levels] == [
        "exact",
        "jaro_winkler_0.92",
        "jaro_winkler_0.8",
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"person": {"blocking": [["famly_name"]]}}, "did you mean 'family_name'"),
        ({"person": {"blocking": [["family_name.sond"]]}}, "did you mean 'sound'"),
        ({"person": {"blocking": [[]]}}, "every record with every other"),
        ({"person": {"blocking": [["postcode.first"]]}}, "first(3)"),
        ({"person": {"compare": {"emial": {"levels": ["exact"]}}}}, "did you mean 'email'"),
        ({"person": {"compare": {"email": {"levels": [{"jaro_winkler": 7}]}}}}, "above 0 and up to 1"),
        ({"person": {"compare": {"email": {"levels": ["exakt"]}}}}, "unknown level 'exakt'"),
        ({"person": {"compare": {"email": {}}}}, "email needs levels"),
        ({"person": {"contradictions": ["in"]}}, "did you mean 'inn'"),
        ({"organisation": {"contradictions": ["kpp"]}}, "never a contradiction"),
        ({"person": {"review_at": 0.99}}, "lies above link_at"),
        ({"persons": {}}, "persons"),
    ],
)
def test_a_mistake_is_told_with_the_nearest_known_name(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match="(?s)" + told.replace("(", r"\(").replace(")", r"\)")):
        load_settings(wrong)


def test_open_attributes_and_other_identifiers_have_a_prefix() -> None:
    assert parse_value("attributes.loyalty_card").field == "attributes.loyalty_card"
    assert parse_value("identifier.loyalty.last(4)").count == 4
    assert Level(method="edits", at_most=1).name == "edits_1"
