"""A Splink model read into ours. data/splink_5_trained.json is made by tests/support/make_splink_model.py."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from identity.comparison.score import Scorer
from identity.features import Features
from identity.imported.columns import UnknownAttribute, attribute_of, checked
from identity.imported.findings import Findings
from identity.imported.splink_file import NotSplink, read_splink
from identity.imported.splink_model import Imported, imported, model_of, settings_of
from identity.imported.splink_rules import blocking_rule, comparison_of
from identity.imported.splink_sql import Agreement, Crossed, columns_of, conditions
from identity.model import from_json, prior_model, to_json
from identity.schema import WEIGHT_ONE_BIT
from identity.settings import IDENTIFIER_TYPES, load_settings

TRAINED = (Path(__file__).parent / "data" / "splink_5_trained.json").read_text("utf-8")


def levels(*found: tuple[str, float | None, float | None], column: str = "x") -> dict[str, Any]:
    """A comparison of Splink: a null level, the levels given, and what is left."""
    null = {"sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL", "is_null_level": True}
    rest = [{"sql_condition": sql, "m_probability": m, "u_probability": u} for sql, m, u in found]
    return {"output_column_name": column, "comparison_levels": [null, *rest]}


def a_file(*comparisons: dict[str, Any], **more: Any) -> str:
    return json.dumps({"comparisons": list(comparisons), **more})


def taken(text: str, kind: str = "person", said: dict[str, str] | None = None) -> Imported:
    return imported(read_splink(text), kind, said or {}, {})


def fates(found: Imported, fate: str) -> dict[str, str]:
    return {one.place: one.why or one.ours or "" for one in found.findings.listed if one.fate == fate}


def test_every_rule_and_every_level_of_a_trained_model_is_told_once() -> None:
    model = read_splink(TRAINED)
    found = taken(TRAINED)
    places = [one.place for one in found.findings.listed]
    assert [place for place in places if place.startswith("blocking rule ")] == [
        f"blocking rule {n}" for n in range(1, 5)
    ]
    for comparison in model.comparisons:
        for level in comparison.levels:
            if not level.is_null and not level.is_else:
                assert places.count(f"comparison {comparison.name}, level {level.label}") == 1


def test_a_trained_model_becomes_settings_that_are_accepted_and_replace_the_shipped_comparisons() -> None:
    settings = settings_of(taken(TRAINED))
    assert [[str(value) for value in rule] for rule in settings.person.blocking] == [
        ["given_name", "birth_date"], ["family_name", "postcode.first(3)"], ["email"], ["city", "birth_date"],
    ]  # fmt: skip
    assert {name: [level.name for level in one.levels] for name, one in settings.person.compare.items()} == {
        "given_name": ["exact", "jaro_winkler_0.92", "jaro_winkler_0.88", "jaro_winkler_0.7"],
        "family_name": ["exact", "jaro_winkler_0.92", "jaro_winkler_0.8"],
        "birth_date": ["exact", "edits_1", "same_year"],
        "email": ["exact", "same_local_part", "jaro_winkler_0.88"],
        "postcode": ["exact", "same_first(4)", "same_first(3)", "same_first(2)"],
        "city": ["exact"],
    }
    assert settings.person.compare["family_name"].term_frequency
    assert settings.organisation == load_settings().organisation


def test_weights_are_those_of_splink_to_the_bit_of_a_thousandth(tables: Any) -> None:
    found = taken(TRAINED)
    settings = settings_of(found)
    model = model_of(found, settings, prior_model(settings))
    records, identifiers = tables(
        [
            {
                "key": "1",
                "given": "anna",
                "family": "marovi",
                "born": "1980-05-07",
                "city": "york",
                "email": "a@x.example",
            },
            {
                "key": "2",
                "given": "anna",
                "family": "marova",
                "born": "1980-05-08",
                "city": "leeds",
                "email": "a@y.example",
            },
        ]
    )
    scorer = Scorer(Features.of(records, identifiers), "person", settings.person, model.person)
    weight = int(scorer.score(np.array([0]), np.array([1])).weight[0])
    raw = {one["output_column_name"]: one["comparison_levels"] for one in json.loads(TRAINED)["comparisons"]}
    reached = {"first_name": 1, "surname": 2, "dob": 2, "city": 2, "email": 2}
    bits = sum(
        math.log2(raw[name][level]["m_probability"] / raw[name][level]["u_probability"])
        for name, level in reached.items()
    )
    assert weight == pytest.approx(bits * WEIGHT_ONE_BIT, abs=len(reached))
    odds = json.loads(TRAINED)["probability_two_random_records_match"]
    assert model.person.prior == pytest.approx(math.log2(odds / (1 - odds)) * WEIGHT_ONE_BIT, abs=1)


def test_an_imported_model_is_a_function_of_the_file_and_survives_its_json() -> None:
    one, two = (taken(TRAINED) for _ in range(2))
    settings = settings_of(one)
    model = model_of(one, settings, prior_model(settings))
    assert model == model_of(two, settings_of(two), prior_model(settings))
    assert from_json(to_json(model)) == model
    assert model.origin == "imported"
    assert model.organisation == prior_model(settings).organisation


def test_pairs_of_a_level_without_counterpart_fall_to_the_next_and_take_their_frequencies_along() -> None:
    found = taken(
        a_file(
            levels(
                ("surname_l = surname_r", 0.5, 0.01),
                ("jaccard(surname_l, surname_r) >= 0.9", 0.2, 0.02),
                ("jaro_winkler_similarity(surname_l, surname_r) >= 0.9", 0.1, 0.03),
                ("cosine_similarity(surname_l, surname_r) >= 0.8", 0.05, 0.04),
                ("ELSE", 0.15, 0.9),
                column="surname",
            )
        )
    )
    (one,) = found.comparisons
    assert [(str(level.rule), level.m, level.u) for level in one.levels] == [
        ("exact", 0.5, 0.01),
        ("{'jaro_winkler': 0.9}", pytest.approx(0.3), pytest.approx(0.05)),
    ]
    assert (one.different.m, one.different.u) == (pytest.approx(0.2), pytest.approx(0.94))
    assert len(fates(found, "none")) == 2


def test_a_level_that_training_did_not_see_gets_the_shipped_weight_between_its_neighbours() -> None:
    unseen = "level not observed in training dataset"
    raw = levels(
        ("surname_l = surname_r", 0.9, 0.001), ("levenshtein(surname_l, surname_r) <= 1", None, 0.001),
        ("levenshtein(surname_l, surname_r) <= 2", 0.09, 0.0009), ("ELSE", 0.01, 0.99), column="surname",
    )  # fmt: skip
    raw["comparison_levels"][2]["m_probability"] = unseen  # as Splink 3 writes it
    found = taken(a_file(raw))
    settings = settings_of(found)
    column = model_of(found, settings, prior_model(settings)).person.columns["family_name"]
    weights = [level.weight for level in column.levels]
    assert weights == sorted(weights, reverse=True)
    assert weights[1] == weights[2]
    assert "comparison family_name, weight of edits_1" in fates(found, "approximated")


def test_a_frequency_of_nought_makes_no_infinite_weight() -> None:
    found = taken(a_file(levels(("city_l = city_r", 0.0, 0.1), ("ELSE", 1.0, 0.0), column="city")))
    settings = settings_of(found)
    first, last = model_of(found, settings, prior_model(settings)).person.columns["city"].levels
    assert -40 * WEIGHT_ONE_BIT < first.weight < -30 * WEIGHT_ONE_BIT
    assert last.weight > 30 * WEIGHT_ONE_BIT


def test_settings_without_training_are_taken_without_a_model_of_their_own() -> None:
    found = taken(a_file(levels(("city_l = city_r", None, None), ("ELSE", None, None), column="city")))
    assert not found.is_trained
    assert settings_of(found).person.compare["city"].levels[0].name == "exact"


def test_settings_of_splink_3_with_bare_rules_and_prefixed_columns_are_read() -> None:
    found = taken(
        a_file(
            {
                "comparison_levels": levels(("dob_l = dob_r", 0.9, 0.01), ("ELSE", 0.1, 0.99), column="dob")[
                    "comparison_levels"
                ]
            },
            blocking_rules_to_generate_predictions=[
                "l.dob = r.dob and l.surname = r.surname",
                {"blocking_rule": "l.`surname` = r.`surname`", "sql_dialect": "spark", "salting_partitions": 4},
                "l.dob = r.dob and l.surname = r.surname",
            ],
            link_type="link_only",
            bayes_factor_column_prefix="bf_",
            mystery=7,
        )
    )
    assert found.settings["person"]["blocking"] == [["birth_date", "family_name"], ["family_name"]]
    assert "distinct: true" in fates(found, "none")["link_type"]
    assert fates(found, "none")["mystery"] == "no setting here"


def test_a_mapped_column_becomes_what_the_user_says_and_an_unknown_one_is_named() -> None:
    text = a_file(
        levels(("cluster_no_l = cluster_no_r", 0.9, 0.01), ("ELSE", 0.1, 0.99), column="cluster_no"),
        blocking_rules_to_generate_predictions=["l.cluster_no = r.cluster_no"],
    )
    found = taken(text)
    assert not found.comparisons
    assert "cluster_no" in fates(found, "none")["comparison cluster_no"]
    assert "cluster_no has no attribute here" in fates(found, "none")["blocking rule 1"]
    mapped = taken(text, said={"cluster_no": "attributes.cluster"})
    assert mapped.settings["person"]["blocking"] == [["attributes.cluster"]]
    assert settings_of(mapped).person.compare["attributes.cluster"].levels[0].name == "exact"


def test_names_compared_together_become_levels_of_the_full_name() -> None:
    found = taken(
        a_file(
            {
                "output_column_name": "first_name_surname",
                "comparison_levels": [
                    {
                        "sql_condition": "(first_name_l IS NULL OR first_name_r IS NULL) AND (surname_l IS NULL OR surname_r IS NULL)",
                        "is_null_level": True,
                    },
                    {
                        "sql_condition": "(first_name_l = first_name_r) AND (surname_l = surname_r)",
                        "m_probability": 0.6,
                        "u_probability": 0.001,
                    },
                    {
                        "sql_condition": "first_name_l = surname_r AND first_name_r = surname_l",
                        "m_probability": 0.1,
                        "u_probability": 0.0001,
                    },
                    {
                        "sql_condition": "jaro_winkler_similarity(first_name_l, first_name_r) >= 0.9 AND jaro_winkler_similarity(surname_l, surname_r) >= 0.9",
                        "m_probability": 0.1,
                        "u_probability": 0.002,
                    },
                    {"sql_condition": "surname_l = surname_r", "m_probability": 0.1, "u_probability": 0.01},
                    {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.9},
                ],
            }
        )
    )
    (one,) = found.comparisons
    assert one.attribute == "full_name"
    assert [level.rule for level in one.levels] == ["exact", {"same": "sorted"}, {"jaro_winkler": 0.9}]
    assert one.different.u == pytest.approx(0.91)


def test_two_comparisons_of_one_attribute_are_told_and_the_first_stays() -> None:
    twice = [
        levels((f"{name}_l = {name}_r", 0.9, 0.01), ("ELSE", 0.1, 0.99), column=name) for name in ("dob", "birth_date")
    ]
    found = taken(a_file(*twice))
    assert len(found.comparisons) == 1
    assert "another comparison" in fates(found, "none")["comparison birth_date"]


@pytest.mark.parametrize(
    ("sql", "dialect", "says"),
    [
        ('"x_l" = "x_r"', "duckdb", Agreement("x", "equal")),
        ("`x_l` = `x_r`", "spark", Agreement("x", "equal")),
        ("lower(trim(l.x)) = lower(trim(r.x))", "duckdb", Agreement("x", "equal")),
        ("substr(l.x, 1, 3) = substr(r.x, 1, 3)", "duckdb", Agreement("x", "equal", None, "first(3)")),
        ("SUBSTRING(l.x, 1, 3) = SUBSTRING(r.x, 1, 3)", "postgres", Agreement("x", "equal", None, "first(3)")),
        ("substr(l.x, -4) = substr(r.x, -4)", "duckdb", Agreement("x", "equal", None, "last(4)")),
        ("left(l.x, 2) = left(r.x, 2)", "duckdb", Agreement("x", "equal", None, "first(2)")),
        ("right(l.x, 2) = right(r.x, 2)", "duckdb", Agreement("x", "equal", None, "last(2)")),
        ("substr(l.x, 6, 5) = substr(r.x, 6, 5)", "duckdb", Agreement("x", "equal", None, "month_day")),
        ("year(l.x) = year(r.x)", "duckdb", Agreement("x", "equal", None, "year")),
        ("extract(year from l.x) = extract(year from r.x)", "postgres", Agreement("x", "equal", None, "year")),
        ("split_part(l.x, '@', 2) = split_part(r.x, '@', 2)", "duckdb", Agreement("x", "equal", None, "domain")),
        ("jaro_winkler_similarity(x_l, x_r) >= 0.9", "duckdb", Agreement("x", "jaro_winkler", 0.9)),
        ("jaro_winkler(x_l, x_r) >= 0.9", "spark", Agreement("x", "jaro_winkler", 0.9)),
        ("jaro_similarity(x_l, x_r) >= 0.9", "duckdb", Agreement("x", "jaro", 0.9)),
        ("levenshtein(x_l, x_r) <= 2", "postgres", Agreement("x", "levenshtein", 2)),
        ("levenshtein(x_l, x_r) < 2", "duckdb", Agreement("x", "levenshtein", 1)),
        ("damerau_levenshtein(x_l, x_r) <= 1", "duckdb", Agreement("x", "damerau_levenshtein", 1)),
        ("array_length(list_intersect(x_l, x_r)) >= 1", "duckdb", Agreement("x", "share", 1)),
        ("size(array_intersect(x_l, x_r)) >= 2", "spark", Agreement("x", "share", 2)),
        ("abs(datediff(x_l, x_r)) <= 30", "spark", Agreement("x", "date_within", 30 * 86400)),
        ("abs(date_diff('month', x_l, x_r)) <= 1", "duckdb", Agreement("x", "date_within", 30.4375 * 86400)),
        ("x_l = y_r", "duckdb", Crossed(("x", "y"))),
        ("x_l = x_r or y_l = y_r", "duckdb", None),
        ("x_l = 'unknown'", "duckdb", None),
        ("levenshtein(x_l, x_r) >= 2", "duckdb", None),
        ("abs(x_l - x_r) <= 5", "duckdb", None),
        ("x_l > x_r", "duckdb", None),
        ("strange(x_l, x_r) >= 0.9", "duckdb", None),
        ("((", "duckdb", None),
    ],
)  # fmt: skip
def test_conditions_are_understood_in_every_dialect_or_left_alone(sql: str, dialect: str, says: object) -> None:
    ((_, found),) = conditions(sql, dialect)
    assert found == says


def test_the_columns_of_a_condition_are_named_once_in_order() -> None:
    assert columns_of("b_l = b_r AND a_l = a_r AND b_l = 'x'", "duckdb") == ["b", "a"]
    assert columns_of("((", "duckdb") == []


def test_a_rule_with_more_than_equalities_proposes_more_and_says_so() -> None:
    findings = Findings()
    rule = "l.dob = r.dob and levenshtein(l.surname, r.surname) <= 1"
    found = blocking_rule(rule, "rule", "duckdb", lambda column: {"dob": "birth_date"}.get(column), findings)
    assert found == ["birth_date"]
    assert "proposes more" in findings.listed[0].why
    assert blocking_rule("l.a = r.b", "rule", "duckdb", lambda _: "email", findings) is None


def test_a_comparison_without_any_level_here_is_told() -> None:
    findings = Findings()
    model = read_splink(a_file(levels(("abs(x_l - x_r) <= 5", 0.5, 0.1), ("ELSE", 0.5, 0.9))))
    assert comparison_of(model.comparisons[0], "duckdb", lambda _: "city", findings) is None
    assert [one.fate for one in findings.listed] == ["none", "none"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1: it is no JSON"),
        ("[]", "no list of comparisons"),
        ("{}", "no list of comparisons"),
        ('{"comparisons": [7]}', "comparisons[0]: no comparison_levels"),
        ('{"comparisons": [{"comparison_levels": [{}]}]}', "comparisons[0].comparison_levels[0]: no sql_condition"),
        (a_file(levels(("a", 2.0, 0.1))), "comparisons[0].comparison_levels[1].m_probability: 2.0 is no probability"),
        (a_file(probability_two_random_records_match=-1), "probability_two_random_records_match: -1 is no probability"),
        (a_file(blocking_rules_to_generate_predictions=[5]), "blocking_rules_to_generate_predictions[0]"),
    ],
)
def test_a_file_that_is_no_splink_model_is_told_by_its_place(text: str, says: str) -> None:
    with pytest.raises(NotSplink) as caught:
        read_splink(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("column", "kind", "attribute"),
    [
        ("first_name", "person", "given_name"), ("Surname", "person", "family_name"), ("DateOfBirth", "person", "birth_date"),
        ("name", "person", "full_name"), ("name", "organisation", "org_name"), ("Post Code", "person", "postcode"),
        ("soc_sec_id", "person", "ssn"), ("vat", "organisation", "vat"), ("loyalty", "person", "attributes.loyalty"),
        ("cluster", "person", None),
    ],
)  # fmt: skip
def test_usual_column_names_are_known(column: str, kind: str, attribute: str | None) -> None:
    assert attribute_of(column, kind, {}, {"loyalty"}) == attribute


def test_what_a_user_maps_must_exist_and_be_whole() -> None:
    assert checked({"a": "email", "b": "attributes.card"}) == {"a": "email", "b": "attributes.card"}
    with pytest.raises(UnknownAttribute, match="did you mean 'email'"):
        checked({"mail": "emial"})
    with pytest.raises(UnknownAttribute, match="whole attribute"):
        checked({"mail": "email.domain"})
    assert all(checked({"x": name}) for name in IDENTIFIER_TYPES)
