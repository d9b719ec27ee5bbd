"""Training from judgements, and which judgements to ask for, on a small world in which one comparison misleads."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from identity.generic import GENERIC
from identity.model import MatchModel, from_json, prior_model, to_json
from identity.resolve import resolve
from identity.schema import CROSSWALK, WEIGHT_ONE_BIT
from identity.settings import load_settings
from identity.training.active import teaching_pairs
from identity.training.changes import compare_resolutions
from identity.training.supervised import LEAST_JUDGEMENTS, train_from_judgements

SETTINGS = load_settings()
PRIOR = prior_model(SETTINGS)
NO_PAIRS = pa.table({"left_id": pa.array([], pa.int64()), "right_id": pa.array([], pa.int64())})
Judgement = tuple[str, list[int], list[int]]


@pytest.fixture(scope="module")
def households(tables: Any) -> tuple[pa.Table, pa.Table]:
    """Pairs of records by number: of one person, whose name is written otherwise; of two who share name and phone."""
    draw = random.Random(5)
    families = draw.sample(["".join(word) for word in product(["ba", "ki", "ro", "su", "te", "lo"], repeat=4)], 60)
    rows = []
    for number in range(60):
        family = families[number]
        same = number % 2 == 0
        given = draw.choice(["ivan", "anna", "olga", "petr"])
        one = {"key": f"{number:03d}-a", "given": given, "family": family, "phone": f"+7916{number:07d}"}
        two = {**one, "key": f"{number:03d}-b"}
        if same:
            one["email"] = two["email"] = f"{family}{number}@example.ru"
            two["given"], two["phone"] = given[:-1], None
        rows += [one, two]
    return tables(rows)


@pytest.fixture
def said(make: Callable[..., list[Judgement]]) -> list[Judgement]:
    return make(range(60))


@pytest.fixture
def make(record_id: Callable[..., int]) -> Callable[[Sequence[int]], list[Judgement]]:
    def judgements_on(numbers: Sequence[int]) -> list[Judgement]:
        return [
            ("same" if n % 2 == 0 else "not_same", [record_id(f"{n:03d}-a")], [record_id(f"{n:03d}-b")])
            for n in numbers
        ]

    return judgements_on


def trained(households: tuple[pa.Table, pa.Table], judgements: pa.Table, **more: Any) -> tuple[MatchModel, Any]:
    model, (person, organisation) = train_from_judgements(*households, judgements, SETTINGS, PRIOR, 7, **more)
    assert organisation.status == "too_few"
    return model, person


def test_judgements_that_the_model_gets_wrong_correct_it(households: Any, said: Any, judgements: Any) -> None:
    model, outcome = trained(households, judgements(*said))
    assert (outcome.status, outcome.same, outcome.not_same) == ("better", 30, 30)
    assert outcome.supervised.log_loss < outcome.unsupervised.log_loss / 2
    assert outcome.supervised.f1 > outcome.unsupervised.f1
    assert (model.version, model.origin) == (7, "supervised")

    def weight(of: MatchModel) -> int:
        return next(level.weight for level in of.person.columns["phone"].levels if level.name == "exact")

    assert weight(model) < weight(PRIOR) - WEIGHT_ONE_BIT
    resolution = resolve(*households, None, model, SETTINGS)
    assert resolution.report.clusters == 30 + 60


def test_it_is_an_ordinary_model_of_whole_numbers(households: Any, said: Any, judgements: Any) -> None:
    model, _ = trained(households, judgements(*said))
    assert from_json(to_json(model)) == model
    # Documents in common follow the prior.
    levels, shipped = (
        [level for name, column in one.person.columns.items() if name != "documents" for level in column.levels]
        for one in (model, PRIOR)
    )
    assert all(isinstance(level.weight, int) for level in levels)
    assert [level.u for level in levels] == [level.u for level in shipped]


def test_the_same_judgements_give_the_same_bits_in_any_order(households: Any, said: Any, judgements: Any) -> None:
    records, identifiers = households
    model, _ = trained(households, judgements(*said))
    backwards = records.take(list(range(records.num_rows))[::-1])
    swapped = [(verdict, right, left) for verdict, left, right in said]
    again, _ = trained((backwards, identifiers), judgements(*swapped))
    assert to_json(again) == to_json(model)


def test_too_few_judgements_leave_the_weights_as_they_are(households: Any, make: Any, judgements: Any) -> None:
    model, outcome = trained(households, judgements(*make(range(LEAST_JUDGEMENTS - 1))))
    assert outcome.status == "too_few"
    assert model.person == PRIOR.person


def test_judgements_of_one_kind_only_teach_nothing(households: Any, make: Any, judgements: Any) -> None:
    _, outcome = trained(households, judgements(*make(range(0, 60, 2))))
    assert (outcome.status, outcome.same, outcome.not_same) == ("too_few", 30, 0)


def test_judgements_without_any_rule_in_them_are_refused(households: Any, said: Any, judgements: Any) -> None:
    draw = random.Random(2)
    noise = [(draw.choice(["same", "not_same"]), left, right) for verdict, left, right in said if verdict == "not_same"]
    _, outcome = trained(households, judgements(*noise, *noise))
    assert outcome.status in ("not_better", "too_few")


def test_one_judgement_counts_once_however_many_records_it_names(households: Any, said: Any, judgements: Any) -> None:
    records = households[0]["record_id"].to_pylist()
    crowd = ("not_same", records[2::4], records[3::4])
    _, outcome = trained(households, judgements(*said, crowd))
    assert outcome.not_same == 31
    assert outcome.pairs <= 60 + 50


def test_records_of_one_client_are_never_on_both_sides_of_the_cross_validation(
    households: Any, said: Any, judgements: Any
) -> None:
    ids = households[0]["record_id"].to_pylist()
    everybody = pa.table({"record_id": ids, "client_id": ["one"] * len(ids)}, CROSSWALK)
    _, outcome = trained(households, judgements(*said), clients=everybody)
    # All in one group: nothing is left to learn from, and what is foretold is what the model says itself.
    assert outcome.supervised.log_loss == pytest.approx(outcome.unsupervised.log_loss, abs=0.05)


def asked(households: Any, settled: pa.Table = NO_PAIRS, count: int = 10, **more: Any) -> list[Any]:
    pairs = resolve(*households, None, PRIOR, SETTINGS).pairs
    return teaching_pairs(*households, pairs, settled, PRIOR, SETTINGS, count, generic=GENERIC.empty_table(), **more)


def test_the_pairs_asked_first_show_different_patterns(households: Any) -> None:
    found = asked(households)
    assert len({tuple(sorted(pair.levels.items())) for pair in found}) > 1
    assert len({(pair.left_id, pair.right_id) for pair in found}) == len(found) == 10
    assert found == sorted(found, key=lambda pair: -pair.teaches)
    assert asked(households) == found


def test_a_judged_pair_is_not_asked_again(households: Any) -> None:
    first = asked(households, count=1)[0]
    settled = pa.table({"left_id": [first.right_id], "right_id": [first.left_id]})
    assert (first.left_id, first.right_id) not in [(p.left_id, p.right_id) for p in asked(households, settled)]


def test_what_a_distinct_register_decides_is_not_asked(households: Any) -> None:
    assert asked(households, distinct_sources=["crm"]) == []


def test_a_change_of_the_model_is_told_by_clients_and_pairs(households: Any, said: Any, judgements: Any) -> None:
    model, _ = trained(households, judgements(*said))
    before, after = (resolve(*households, None, used, SETTINGS) for used in (PRIOR, model))
    diff = compare_resolutions(before, after)
    assert diff.clients_before == before.report.clusters
    assert diff.clients_after == after.report.clusters == 90
    assert diff.unchanged + diff.merged + diff.split + diff.regrouped == diff.clients_before
    assert diff.split > 0
    assert diff.pairs_parted == diff.split
    change = next(change for change in diff.largest if change.kind == "split")
    assert (change.before, change.after, change.flips) == ((2,), (1, 1), 1)
    assert change.weight_before is not None
    back = compare_resolutions(after, before)
    assert (back.pairs_joined, back.pairs_parted) == (diff.pairs_parted, diff.pairs_joined)
    assert back.merged == 2 * diff.split
    same = compare_resolutions(before, before)
    assert (same.unchanged, same.largest) == (diff.clients_before, ())


def test_a_stricter_model_of_the_same_weights_only_splits(households: Any) -> None:
    strict = replace(PRIOR, person=replace(PRIOR.person, link=10**6, plausible=10**6))
    before, after = (resolve(*households, None, used, SETTINGS) for used in (PRIOR, strict))
    diff = compare_resolutions(before, after, largest=3)
    assert diff.merged == diff.regrouped == diff.pairs_joined == 0
    assert diff.clients_after == households[0].num_rows
    assert len(diff.largest) == 3
