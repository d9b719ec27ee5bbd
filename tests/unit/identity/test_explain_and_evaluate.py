"""Evidence in words and bits; measures against a truth; the model as JSON."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.blocking.keys import blocking_keys
from identity.evaluation.evaluate import blocking_recall, compare_partitions, evaluate
from identity.explanation.explain import explain_pair, words_of
from identity.model import from_json, prior_model, to_json
from identity.resolve import resolve
from identity.settings import load_settings

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS)


def test_the_evidence_adds_up_to_the_pairs_weight(tables: Any, record_id: Any) -> None:
    table = tables(
        [
            {"key": "1", "given": "bob", "family": "smith", "email": "bob@x.com", "born": "1980-05-01"},
            {"key": "2", "given": "robert", "family": "smith", "email": "bob@x.com"},
        ]
    )
    resolution = resolve(*table, None, MODEL, SETTINGS)
    evidence = explain_pair(*table, (record_id("1"), record_id("2")), MODEL, SETTINGS)
    assert evidence.total == resolution.pairs["weight"][0].as_py()
    assert evidence.verdict == "link"
    assert evidence.missing_bits <= 0
    found = {finding.column: finding for finding in evidence.findings}
    assert found["name.given"].level == "nickname"
    assert (found["name.given"].left, found["name.given"].right) in {("bob", "robert"), ("robert", "bob")}
    assert found["name.given"].words == {
        "en": "given name: forms of one name",
        "ru": "имя: формы одного имени",
    }
    assert found["birth_date"].level == "missing"
    assert found["birth_date"].weight == 0


def test_a_pair_that_was_never_proposed_is_told_what_stood_in_the_way(tables: Any, record_id: Any) -> None:
    table = tables(
        [
            {"key": "1", "given": "anna", "family": "li"},
            {"key": "2", "given": "olga", "family": "li", "postcode": "101000"},
        ]
    )
    evidence = explain_pair(*table, (record_id("1"), record_id("2")), MODEL, SETTINGS)
    assert not evidence.is_candidate
    assert evidence.verdict == "apart"
    assert evidence.missing_bits > 0
    rules = {rule.rule: rule for rule in evidence.rules}
    assert rules["family_name.sound + given_name.sound"].outcome == "differs"
    assert rules["family_name.sound + given_name.sound"].hindrances == ("given_name.sound",)
    assert rules["family_name.sound + city"].outcome == "missing"


def test_a_shared_block_over_the_cap_is_named(tables: Any, record_id: Any) -> None:
    table = tables([{"key": "1", "given": "anna", "family": "li"}, {"key": "2", "given": "anna", "family": "li"}])
    sizes = dict.fromkeys(blocking_keys(*table, SETTINGS)["key"].to_pylist(), 500)
    evidence = explain_pair(*table, (record_id("1"), record_id("2")), MODEL, SETTINGS, block_sizes=sizes)
    over = [rule for rule in evidence.rules if rule.outcome == "over_cap"]
    assert {rule.size for rule in over} == {500}
    assert "family_name.sound + given_name.sound" in {rule.rule for rule in over}
    assert not evidence.is_candidate


def test_a_contradiction_is_told(tables: Any, record_id: Any) -> None:
    table = tables([{"key": "1", "org": "x", "inn": "7707083893"}, {"key": "2", "org": "x", "inn": "7728168971"}])
    evidence = explain_pair(*table, (record_id("1"), record_id("2")), MODEL, SETTINGS)
    assert evidence.verdict == "forbidden"
    assert evidence.contradictions == ("inn",)


def test_an_unknown_record_is_named(tables: Any, record_id: Any) -> None:
    with pytest.raises(KeyError, match="not among the standard records"):
        explain_pair(*tables([{"key": "1"}]), (record_id("1"), 7), MODEL, SETTINGS)


def test_every_column_and_level_of_the_shipped_rules_has_words() -> None:
    for kind in ("person", "organisation"):
        for column, model in MODEL.kind(kind).columns.items():
            for level in model.levels:
                words = words_of(column, level.name)
                column_words, _, level_words = words["ru"].partition(": ")
                assert re.search("[а-я]", level_words)
                assert re.search("[А-Яа-я]", column_words) or column in ("lei", "ein")


def test_a_model_survives_its_json() -> None:
    text = to_json(MODEL)
    assert from_json(text) == MODEL
    assert from_json(json.loads(text)) == MODEL
    assert to_json(from_json(text)) == text


def test_weights_and_thresholds_are_whole_numbers() -> None:
    for kind in (MODEL.person, MODEL.organisation):
        assert isinstance(kind.link, int)
        assert kind.review < kind.link
        assert all(isinstance(level.weight, int) for column in kind.columns.values() for level in column.levels)


LABELS = st.lists(st.integers(0, 5), min_size=0, max_size=30)


@settings(max_examples=200, deadline=None)
@given(found=LABELS, data=st.data())
def test_measures_equal_their_definition(found: list[int], data: Any) -> None:
    true = data.draw(st.lists(st.integers(0, 5), min_size=len(found), max_size=len(found)))
    measured = compare_partitions(np.array(found, dtype=np.int64), np.array(true, dtype=np.int64))
    said = {pair for pair in combinations(range(len(found)), 2) if found[pair[0]] == found[pair[1]]}
    real = {pair for pair in combinations(range(len(found)), 2) if true[pair[0]] == true[pair[1]]}
    assert (measured.found_pairs, measured.true_pairs, measured.right_pairs) == (
        len(said),
        len(real),
        len(said & real),
    )
    if found:
        n = len(found)
        precision = sum(
            sum(found[i] == found[j] and true[i] == true[j] for j in range(n)) / found.count(found[i]) for i in range(n)
        )
        assert measured.b_cubed.precision == pytest.approx(precision / n)


def test_records_in_only_one_table_are_left_out() -> None:
    labels = pa.table({"record_id": [1, 2, 3], "label": [1, 1, 3]})
    truth = pa.table({"record_id": [1, 2, 9], "entity_id": ["a", "a", "b"]})
    measured = evaluate(labels, truth)
    assert measured.records == 2
    assert measured.pairwise.f1 == 1.0
    assert measured.clusters.f1 == 1.0


def test_blocking_recall_counts_true_pairs_held() -> None:
    truth = pa.table({"record_id": [1, 2, 3, 4], "entity_id": ["a", "a", "a", "b"]})
    pairs = pa.table({"left_id": [1, 3, 1], "right_id": [2, 1, 4]})
    assert blocking_recall(pairs, truth) == pytest.approx(2 / 3)
