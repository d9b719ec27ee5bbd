"""Training without labels on a small world that is known."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from identity.evaluation.evaluate import compare_partitions
from identity.model import MatchModel, prior_model, to_json
from identity.register import Register
from identity.resolve import resolve, resolve_register
from identity.settings import load_settings
from identity.training.counting import Counts, counts_of
from identity.training.em import expect_matches, patterns_of, shrunk
from identity.training.train import blocked_columns, pairs_for_chance, random_pairs, train, train_register

SETTINGS = load_settings()
PRIOR = prior_model(SETTINGS)


@pytest.fixture(scope="module")
def world() -> list[dict[str, Any]]:
    """400 persons with one to three records each; a third of the persons is called Sidorov."""
    draw = random.Random(11)
    rows = []
    for person in range(400):
        syllables = ["ba", "ki", "ro", "su", "te", "lo", "mi", "ge", "nu", "va", "zo", "pe"]
        family = "sidorov" if draw.random() < 0.3 else "".join(draw.choice(syllables) for _ in range(4))
        base = {
            "given": draw.choice(["ivan", "anna", "olga", "petr", "maria", "boris", "vera", "oleg"]),
            "family": family,
            "born": f"{draw.randrange(1940, 2004)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
            "postcode": str(draw.randrange(100000, 100400)),
        }
        for copy in range(draw.randrange(1, 4)):
            row = {**base, "key": f"{person:04d}-{copy}"}
            if draw.random() < 0.3:
                row["family"] = row["family"][:3] + row["family"][4:]
            if draw.random() < 0.3:
                row["born"] = None
            if draw.random() < 0.3:
                row["postcode"] = str(draw.randrange(100000, 100400))
            rows.append(row)
    return rows


@pytest.fixture(scope="module")
def trained(world: list[dict[str, Any]], tables: Any) -> MatchModel:
    return train(*tables(world), SETTINGS, PRIOR, 2)


def weight(model: MatchModel, column: str, level: str) -> int:
    return next(entry.weight for entry in model.person.columns[column].levels if entry.name == level)


def test_what_is_common_here_says_less_than_the_prior_thinks(trained: MatchModel) -> None:
    assert weight(trained, "name.given", "exact") < weight(PRIOR, "name.given", "exact")
    terms = trained.person.columns["name.family"].terms
    assert terms["sidorov"] < -1024
    assert trained.person.columns["name.family"].unseen_term > 0


def test_a_trained_model_finds_the_persons(world: list[dict[str, Any]], trained: MatchModel, tables: Any) -> None:
    records, identifiers = tables(world)
    resolution = resolve(records, identifiers, None, trained, SETTINGS)
    truth = np.array([key[:4] for key in records["source_key"].to_pylist()])
    measured = compare_partitions(resolution.labels["label"].to_numpy(), truth)
    assert measured.pairwise.precision > 0.95
    assert measured.pairwise.recall > 0.65


def test_training_gives_the_same_bits_in_any_order(
    world: list[dict[str, Any]], trained: MatchModel, tables: Any
) -> None:
    records, identifiers = tables(world)
    backwards = records.take(list(range(records.num_rows))[::-1])
    again = train(backwards, identifiers, SETTINGS, PRIOR, 2)
    assert to_json(again) == to_json(trained)


def test_a_register_without_relatives_has_fewer_kin_than_shipped(trained: MatchModel) -> None:
    assert trained.person.kin < PRIOR.person.kin


def test_pairs_within_a_distinct_register_are_known_not_to_match(world: list[dict[str, Any]], tables: Any) -> None:
    two = [{**row, "source": "a" if row["key"].endswith("-0") else "b"} for row in world]
    free = train(*tables(two), SETTINGS, PRIOR, 2)
    apart = train(*tables(two), SETTINGS, PRIOR, 2, distinct_sources=("a",))
    assert apart.person.prior > free.person.prior
    assert apart.person.link < free.person.link


def test_too_few_records_leave_the_priors(tables: Any) -> None:
    model = train(*tables([{"key": "1", "given": "a"}, {"key": "2", "given": "b"}]), SETTINGS, PRIOR, 7)
    assert model.version == 7
    assert model.person == PRIOR.person


def test_a_register_of_one_firm_alone_has_a_model_of_numbers(tables: Any) -> None:
    rows = [{"key": f"{n:03d}", "org": "romashka", "form": "ooo", "inn": "7707083893"} for n in range(220)]
    model = train(*tables(rows), SETTINGS, PRIOR, 2)
    told = [level.weight for column in model.organisation.columns.values() for level in column.levels]
    assert model.organisation != PRIOR.organisation and all(isinstance(weight, int) for weight in told)


def test_em_recovers_the_levels_of_the_matches() -> None:
    draw = np.random.default_rng(3)
    matched = draw.random(20_000) < 0.3

    def column(m: float, u: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
        agree = draw.random(len(matched)) < np.where(matched, m, u)
        return np.where(agree, 1, 2).astype(np.uint8)

    vectors = {"a": column(0.9, 0.05), "b": column(0.8, 0.1), "c": column(0.7, 0.02)}
    u = {name: np.array([rate, 1 - rate]) for name, rate in (("a", 0.05), ("b", 0.1), ("c", 0.02))}
    m = {name: np.array([0.6, 0.4]) for name in vectors}
    found = expect_matches(patterns_of(vectors), m, u, ["a", "b", "c"])
    for name, rate in (("a", 0.9), ("b", 0.8), ("c", 0.7)):
        assert shrunk(found[name], m[name], 1)[0] == pytest.approx(rate, abs=0.03)


def test_a_rule_says_nothing_of_the_columns_it_blocks_on() -> None:
    rules = {" + ".join(map(str, rule)): rule for rule in SETTINGS.person.blocking}
    assert "name.family" in blocked_columns(rules["family_name.sound + city"], SETTINGS.person)
    assert "address" in blocked_columns(rules["family_name.sound + city"], SETTINGS.person)
    assert {"email", "phone", "inn", "identifier"} <= blocked_columns(rules["identifier"], SETTINGS.person)


def test_random_pairs_are_the_same_every_time_and_never_of_one_record() -> None:
    left, right = random_pairs(50, 10_000)
    again = random_pairs(50, 10_000)
    assert (left != right).all()
    assert (left == again[0]).all()
    assert len(np.unique(left)) == 50


def test_u_is_known_to_a_third_of_a_bit_where_one_pair_of_ten_thousand_agrees() -> None:
    drawn = [pairs_for_chance(count) for count in (200, 5_000, 8_000, 10_000, 1_000_000)]
    assert drawn == sorted(drawn)
    assert drawn[0] == drawn[1] < drawn[2] < drawn[3] == drawn[4]  # more records, more strangers; but bounded
    rate = 1e-4
    assert np.log2(np.e) * np.sqrt((1 - rate) / (drawn[0] * rate)) < 1 / 3


def test_training_and_resolving_one_register_is_the_same_as_each_by_itself(world: Any, tables: Any) -> None:
    records, identifiers = tables(world)
    register = Register(records, identifiers, SETTINGS)
    before = resolve_register(register, None, PRIOR)
    model = train_register(register, PRIOR, 2)
    after = resolve_register(register, None, model)
    assert model == train(records, identifiers, SETTINGS, PRIOR, 2)
    assert before.labels.equals(resolve(records, identifiers, None, PRIOR, SETTINGS).labels)
    apart = resolve(records, identifiers, None, model, SETTINGS)
    assert all(getattr(after, name).equals(getattr(apart, name)) for name in ("labels", "pairs", "keys", "points"))
    assert after.report == apart.report


@pytest.mark.parametrize("widest", [50, 1 << 62])
def test_counts_are_of_distinct_rows_in_order_wherever_they_come_from(widest: int) -> None:
    draw = np.random.default_rng(4)
    columns = [draw.integers(-3, 4, 900).astype(np.int32) for _ in range(3)]
    about = draw.integers(0, 3, 900) * (widest // 2)
    whole = counts_of(about, columns)
    rows = list(zip(about.tolist(), *(column.tolist() for column in columns), strict=True))
    assert list(zip(whole.about.tolist(), *whole.seen.T.tolist(), strict=True)) == sorted(set(rows))
    assert whole.pairs.tolist() == [rows.count(row) for row in sorted(set(rows))]
    asked = int(whole.about[-1])
    assert whole.only(asked).pairs.sum() == sum(row[0] == asked for row in rows)
    backwards = Counts.of_table(whole.table().take(np.arange(len(whole.pairs))[::-1]), 3)
    assert all((getattr(backwards, name) == getattr(whole, name)).all() for name in ("about", "seen", "pairs"))
    assert Counts.of_table(counts_of(about[:0], [column[:0] for column in columns]).table(), 3).seen.shape == (0, 3)
