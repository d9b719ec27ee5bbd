"""Segments by composition: what decides, what must not, and what the gate lets through."""

from __future__ import annotations

import numpy as np
import pytest

from onefold.segments.assign import CLOSE, DECLARED, FEW, NONE, Compositions, SchemeRules, assign
from onefold.segments.discover import Feature, discover
from onefold.segments.gate import check, eta_squared
from tests.support.planted_needs import planted, sample_of

RULES = SchemeRules(["urgent", "advised"], [[0], [1]], minimum=6, lift=2.5, margin=0.8, declared_bits=3)


def of(dealings: list[int], seen: list[list[float]], expected: float = 0.15, **more: list[list[float]]) -> Compositions:
    count = np.array(dealings, float)
    nought = np.zeros((len(dealings), 2))
    return Compositions(
        count,
        np.array(seen, float),
        np.repeat(count[:, None] * expected, 2, axis=1),
        np.array(more.get("against", nought)),
        nought if "against" not in more else np.repeat(count[:, None] * 0.1, 2, axis=1),
        np.array(more.get("said", nought)),
    )


def test_a_segment_needs_more_than_its_dealings_let_expect() -> None:
    done = assign(of([20, 20, 20], [[10, 3], [3, 3], [9, 9]]), RULES)
    assert done.segment.tolist() == [0, -1, -1]
    assert done.reason.tolist()[1:] == [NONE, CLOSE]
    assert done.best.tolist()[0] == 0 and done.probability[0] > 0.98


def test_too_few_dealings_are_unknown_whatever_they_show() -> None:
    assert assign(of([5], [[5, 0]]), RULES).reason.tolist() == [FEW]


def test_more_of_the_same_changes_no_segment() -> None:
    once = of([12, 15, 9, 30], [[7, 2], [1, 8], [1, 1], [6, 5]])
    thrice = Compositions(*(value * 3 if name != "said" else value for name, value in vars(once).items()))
    before, after = assign(once, RULES), assign(thrice, RULES)
    assigned = before.segment >= 0
    assert assigned.tolist() == [True, True, False, False]
    assert (after.segment[assigned] == before.segment[assigned]).all()


def test_what_speaks_against_a_need_and_the_clients_own_word_count() -> None:
    seen = [[8.0, 3.0]]
    assert assign(of([20], seen), RULES).segment.tolist() == [0]
    assert assign(of([20], seen, against=[[8, 2]]), RULES).segment.tolist() == [-1]
    said = assign(of([20], [[4, 3]], said=[[1, 0]]), RULES)
    silent = assign(of([20], [[4, 3]]), RULES)
    assert silent.segment.tolist() == [-1] and said.reason.tolist() in ([DECLARED], [CLOSE])
    assert assign(of([20], seen, said=[[-1, 0]]), RULES).probability[0] < assign(of([20], seen), RULES).probability[0]


def test_eta_squared_is_the_share_between_groups() -> None:
    values, group = np.array([1.0, 1.0, 3.0, 3.0, 9.0]), np.array([0, 0, 1, 1, -1])
    assert eta_squared(values, group) == pytest.approx(1.0)
    assert eta_squared(np.array([1.0, 3.0, 1.0, 3.0]), np.array([0, 0, 1, 1])) == pytest.approx(0.0)
    assert eta_squared(values, np.full(5, -1)) is None


@pytest.mark.parametrize("seed", range(3))
def test_planted_needs_pass_and_are_found_and_nothing_is_found_where_nothing_is(seed: int) -> None:
    world = planted(seed, clients=1500)
    sample, rules = sample_of(world)
    gate = check(sample, rules, rounds=8)
    assert gate.passes, gate.why
    found = assign(sample.found, rules).segment
    assigned = found >= 0
    assert (found[assigned] == world.need[assigned]).mean() >= 0.9
    nothing = check(*sample_of(planted(seed, clients=1500, lift=1.0)), rounds=8)
    assert not nothing.passes and nothing.false_share > 0.5


@pytest.mark.scale
def test_a_null_data_set_is_refused_in_at_least_19_of_20_seeds() -> None:
    passed = [seed for seed in range(20) if check(*sample_of(planted(seed, lift=1.0))).passes]
    assert len(passed) <= 1, passed
    missed = []
    for seed in range(20):
        world = planted(seed)
        sample, rules = sample_of(world)
        found = assign(sample.found, rules).segment
        precision = (found[found >= 0] == world.need[found >= 0]).mean()
        if precision < 0.9 or not check(sample, rules).passes:
            missed.append((seed, precision))
    assert missed == []


def test_a_scheme_that_follows_the_amount_of_dealings_is_refused() -> None:
    world = planted(1, clients=1500, volume_by_need=True)
    gate = check(*sample_of(world), rounds=4)
    assert not gate.passes and gate.volume is not None and gate.volume > 0.1
    assert any("amount of dealings" in why for why in gate.why)


def test_features_that_come_together_are_suggested_and_noise_is_not() -> None:
    world = planted(2, clients=600)
    features = [Feature("order", f"detail.f{at}", "yes", False, 0.1) for at in range(8)]
    rng = np.random.default_rng(3)
    # Two features for each need, which rise together with it.
    first, column = np.nonzero(world.shows)
    again = rng.random(len(first)) < 0.7
    client = np.concatenate([world.client[first], world.client[first[again]]])
    feature = np.concatenate([column * 2, column[again] * 2 + 1])
    dealings = np.bincount(world.client, minlength=600).astype(float)
    expected = dealings[:, None] * np.bincount(feature, minlength=8)[None, :] / len(world.client)
    found = discover(client, feature, np.ones(len(client)), expected, features)
    pairs = {frozenset(f.looked for f in one.features[:2]) for one in found.suggested}
    assert pairs >= {frozenset((f"detail.f{2 * at}", f"detail.f{2 * at + 1}")) for at in range(4)}
    assert found.agreement is not None and found.agreement > 0.2
    assert discover(client[:0], feature[:0], np.ones(0), expected[:30], features).suggested == []
