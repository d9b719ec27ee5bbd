"""Loyalty: a planted effect is found, and where there is none, none is told, whatever volume does."""

from __future__ import annotations

import numpy as np
import pytest

from onefold.measures.loyalty import Verdict, difference, judge, trend


def company(seed: int, effect: float, clients: int = 2_000) -> Verdict:
    """Who buys more has more promises made, is in another band for it, and comes back more often anyway."""
    rng = np.random.default_rng(seed)
    stratum = rng.choice(5, clients, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    kept = np.clip(rng.normal(0.55 + 0.07 * stratum, 0.25), 0, 1)
    band = np.digitize(kept, [0.5, 0.8, 1.0])
    chance = 0.2 + 0.12 * stratum + effect * (band >= 2)
    back = rng.random(clients) < np.clip(chance, 0, 1)
    tables = [np.zeros((5, 4), np.int64) for _ in range(2)]
    np.add.at(tables[0], (stratum, band), 1)
    np.add.at(tables[1], (stratum, band), back)
    return judge(*tables)


def test_without_an_effect_none_is_told_in_19_of_20_companies() -> None:
    found = [company(seed, 0.0).verdict for seed in range(20)]
    assert sum(one in ("no effect", "cannot tell") for one in found) >= 19


def test_a_planted_effect_is_found_with_an_interval_that_holds_it() -> None:
    found = [company(seed, 0.15) for seed in range(20)]
    assert sum(one.verdict == "effect" for one in found) >= 19
    assert sum(one.low <= 0.15 <= one.high for one in found) >= 18  # type: ignore[operator]


def test_with_very_many_clients_and_no_effect_it_says_so() -> None:
    assert company(1, 0.0, clients=40_000).verdict == "no effect"


def test_unadjusted_the_same_companies_would_look_as_if_promises_bound_clients() -> None:
    rng = np.random.default_rng(2)
    stratum = rng.choice(2, 4_000)
    band = np.where(rng.random(4_000) < 0.2 + 0.6 * stratum, 3, 0)
    back = rng.random(4_000) < 0.2 + 0.5 * stratum
    tables = [np.zeros((2, 4), np.int64) for _ in range(2)]
    np.add.at(tables[0], (stratum, band), 1)
    np.add.at(tables[1], (stratum, band), back)
    assert judge(tables[0].sum(axis=0, keepdims=True), tables[1].sum(axis=0, keepdims=True)).verdict == "effect"
    assert judge(*tables).verdict != "effect"


def test_in_one_stratum_the_trend_is_cochran_armitage() -> None:
    # Agresti 2002, Categorical Data Analysis, 5.3.5: malformation and alcohol by scores 0 to 3 of four of its rows.
    n, a = np.array([[17114, 14502, 793, 127]]), np.array([[48, 38, 5, 1]])
    x, p = np.arange(4), a.sum() / n.sum()
    slope = (a @ x)[0] - p * (n @ x)[0]
    variance = p * (1 - p) * ((n @ x**2)[0] - (n @ x)[0] ** 2 / n.sum())
    from scipy.stats import norm

    # Mantel's variance has N-1 where Cochran's has N.
    assert trend(n, a) == pytest.approx(2 * norm.sf(abs(slope) / variance**0.5), rel=1e-3)


def test_in_one_stratum_the_difference_is_the_plain_one() -> None:
    found = difference(np.array([50]), np.array([30]), np.array([40]), np.array([16]))
    assert found is not None and found[0] == pytest.approx(0.2)
    assert found[1] == pytest.approx((0.6 * 0.4 / 50 + 0.4 * 0.6 / 40) ** 0.5, rel=0.05)


def test_too_few_clients_tell_nothing() -> None:
    few = np.array([[5, 10, 40, 60]])
    assert judge(few, few // 2) == Verdict("cannot tell", is_few=True)
    # Nobody is to be compared with but one with one.
    apart = np.array([[100, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 100]])
    assert judge(apart, np.array([[40, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 90]])) == Verdict("cannot tell", is_few=True)
    steady = judge(np.array([[50, 0, 0, 50], [50, 0, 0, 50]]), np.array([[50, 0, 0, 50], [0, 0, 0, 0]]))
    assert steady.verdict == "cannot tell"
    rare = np.array([[25, 43, 5, 16]])
    assert judge(rare, np.array([[1, 1, 0, 0]])).is_few
    assert difference(np.array([5, 0]), np.array([1, 0]), np.array([0, 7]), np.array([0, 2])) is None
