"""Quality by threshold, what blocking misses, what cannot be linked, and drift, each against its definition."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.evaluation.blocking_quality import blocking_quality
from identity.evaluation.drift import BINS_PER_BIT, drift
from identity.evaluation.pair_quality import pair_quality
from identity.evaluation.truth import KnownRecords
from identity.evaluation.unlinkable import self_evidence
from identity.generic import generic_values
from identity.model import prior_model
from identity.population import Population, Rules
from identity.resolve import resolve
from identity.schema import JUDGEMENT
from identity.settings import load_settings

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS)
ANNA = {"given": "anna", "family": "kern", "born": "1990-02-11"}
LEV = {"given": "lev", "family": "tolstoy", "born": "1828-09-09"}
ROWS = [
    *({"key": f"a{number}", **ANNA, "email": "anna@x.com"} for number in range(4)),
    {"key": "a8", **ANNA, "phone": "+79161112233"},
    {"key": "a9", "given": "anna", "family": "kern", "city": "klin"},
    {"key": "b1", **LEV, "city": "tula"},
    {"key": "b2", **LEV, "city": "tula", "email": "lev@x.com"},
    {"key": "b3", "given": "leo", "family": "nikolaevich", "phone": "+79165550101"},
    {"key": "c1", "family": "kern"},
]


def of_people(table: tuple[pa.Table, pa.Table], distinct: tuple[str, ...] = ()) -> Population:
    """The persons of a table, under the shipped rules."""
    generic = generic_values(*table, SETTINGS.generic_names)
    return Population("person", *table, Rules(MODEL, SETTINGS, JUDGEMENT.empty_table(), distinct, generic))


def truth_of(table: tuple[pa.Table, pa.Table]) -> pa.Table:
    """Records are one entity whose keys begin with the same letter."""
    keys = table[0]["source_key"].to_pylist()
    return pa.table({"record_id": table[0]["record_id"], "entity_id": [key[0] for key in keys]})


def test_quality_by_threshold_counts_every_pair_of_records_also_of_those_that_are_alike(tables: Any) -> None:
    table = tables(ROWS)
    population, truth = of_people(table), truth_of(table)
    pairs = resolve(*table, None, MODEL, SETTINGS).pairs
    found = pair_quality(population, KnownRecords.of(population, truth), pairs)
    entity = truth["entity_id"].to_pylist()
    everything = list(combinations(range(len(entity)), 2))
    assert found.true_pairs == sum(entity[one] == entity[two] for one, two in everything)
    left, right = np.array(everything).T
    weight = population.score(left, right).weight
    for point in found.curve:
        reached = [pair for pair, bits in zip(everything, weight.tolist(), strict=True) if bits >= point.threshold]
        assert point.found == len(reached)
        assert point.right == sum(entity[one] == entity[two] for one, two in reached)
    thresholds = [point.threshold for point in found.curve]
    assert thresholds == sorted(set(thresholds))
    assert {found.plausible, found.review, found.link} <= set(thresholds)
    assert found.curve[-1].found == 0
    assert found.best.quality.f1 == max(point.quality.f1 for point in found.curve)


def test_records_without_truth_count_neither_as_right_nor_as_wrong(tables: Any) -> None:
    table = tables(ROWS)
    population = of_people(table)
    truth = truth_of(table).filter(pa.array([key.startswith("b") for key in table[0]["source_key"].to_pylist()]))
    found = pair_quality(population, KnownRecords.of(population, truth), resolve(*table, None, MODEL, SETTINGS).pairs)
    assert (found.records, found.true_pairs) == (3, 3)
    assert all(point.found == point.right for point in found.curve)


def test_pairs_that_a_distinct_register_forbids_reach_no_threshold(tables: Any) -> None:
    table = tables(ROWS)
    population = of_people(table, distinct=("crm",))
    pairs = resolve(*table, None, MODEL, SETTINGS, distinct_sources=["crm"]).pairs
    found = pair_quality(population, KnownRecords.of(population, truth_of(table)), pairs)
    assert {point.found for point in found.curve} == {0}


def test_blocking_quality_names_what_no_rule_proposes(tables: Any, record_id: Any) -> None:
    table = tables(ROWS)
    population = of_people(table)
    found = blocking_quality(population, KnownRecords.of(population, truth_of(table)))
    missed = {frozenset((pair.left_id, pair.right_id)) for pair in found.missed}
    assert frozenset((record_id("b1"), record_id("b3"))) in missed
    assert found.true_pairs == 15 + 3
    assert found.proposed == found.true_pairs - len(missed)
    assert found.recall == pytest.approx(found.proposed / 18)
    assert found.alike == 6
    assert found.lost == 0
    by_rule = {rule.rule: rule for rule in found.rules}
    assert by_rule["full_name.sorted"].true_pairs >= 1
    assert all(rule.alone <= rule.true_pairs for rule in found.rules)
    assert [pair.weight for pair in found.missed] == sorted((pair.weight for pair in found.missed), reverse=True)
    assert blocking_quality(population, KnownRecords.of(population, truth_of(table)), examples=1).missed == (
        found.missed[0],
    )


def test_a_record_that_says_too_little_cannot_be_linked(tables: Any, record_id: Any) -> None:
    found = self_evidence(of_people(tables(ROWS)))
    assert found.records == len(ROWS)
    assert record_id("c1") in dict(found.examples)
    assert record_id("a0") not in dict(found.examples)
    below = dict(zip(found.thresholds, found.below, strict=True))
    assert below[found.link] == found.unlinkable == len(found.examples)
    assert found.unseen <= found.unlinkable
    assert list(found.below) == sorted(found.below)
    assert found.below[0] == 0
    silent = {column.column: column for column in found.silent}
    assert silent["email"].unlinkable == found.unlinkable
    assert all(column.unlinkable <= column.records for column in found.silent)


def test_measures_of_no_records_are_empty(tables: Any) -> None:
    population = of_people(tables([]))
    known = KnownRecords.of(
        population, pa.table({"record_id": pa.array([], pa.int64()), "entity_id": pa.array([], pa.string())})
    )
    assert blocking_quality(population, known).recall == 1.0
    assert self_evidence(population).unlinkable == 0
    nothing = resolve(*tables([]), None, MODEL, SETTINGS).pairs
    assert pair_quality(population, known, nothing).best.quality.f1 == 1.0


COUNTS = st.dictionaries(st.integers(20, 60), st.integers(0, 300), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(before=COUNTS, now=COUNTS)
def test_drift_is_symmetric_in_sign_and_nothing_for_the_same(before: dict[int, int], now: dict[int, int]) -> None:
    assert drift(before, before).index == pytest.approx(0, abs=1e-12)
    found = drift(before, now)
    assert found.index >= 0
    assert sum(one.before for one in found.bins) == pytest.approx(1 if sum(before.values()) else 0)
    assert sum(one.now for one in found.bins) == pytest.approx(1 if sum(now.values()) else 0)
    assert all(one.high == two.low for one, two in zip(found.bins, found.bins[1:], strict=False))


def test_drift_tells_a_shift_from_chance() -> None:
    generator = np.random.default_rng(5)

    def sample(mean: float, size: int) -> dict[int, int]:
        values, counts = np.unique(np.floor(generator.normal(mean, 4, size) * BINS_PER_BIT), return_counts=True)
        return dict(zip(values.astype(int).tolist(), counts.tolist(), strict=True))

    assert drift(sample(20, 20_000), sample(20, 20_000)).verdict == "same"
    moved = drift(sample(20, 20_000), sample(24, 20_000))
    assert moved.verdict == "drifted"
    assert moved.mean_now - moved.mean_before == pytest.approx(4, abs=0.2)
    assert drift(sample(20, 20_000), sample(21.6, 20_000)).verdict == "slight"
    # By chance alone the index of 120 pairs is larger than that.
    assert drift(sample(20, 120), sample(20, 120)).verdict == "same"
    assert drift(sample(20, 50), sample(30, 20_000)).verdict == "too_few"
    exceeded = [drift(sample(20, 400), sample(20, 400)) for _ in range(200)]
    assert np.mean([one.index > one.by_chance for one in exceeded]) < 0.12
