"""Estimates and intervals against what the literature and simulations say."""

from __future__ import annotations

import numpy as np
import pytest

from onefold.measures.intervals import Estimate, Sums, between_clients, estimate, student, wilson


def sums(totals: list[float], weights: list[float]) -> Sums:
    t, w = np.array(totals), np.array(weights)
    return Sums(int(w.sum()), len(t), t.sum(), w.sum(), (t * t).sum(), (t * w).sum(), (w * w).sum())


def test_wilson_gives_the_intervals_of_newcombe_1998() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    for came, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)):  # fmt: skip
        found = wilson(came / n, n)
        assert found == pytest.approx((low, high), abs=5e-5)


def test_a_mean_of_clients_with_one_observation_each_has_students_interval() -> None:
    values = [3.0, 5.0, 4.0, 8.0, 6.0]
    found = estimate("mean", sums(values, [1] * 5))
    half = student(4) * float(np.std(values, ddof=1)) / 5**0.5
    assert found.value == pytest.approx(5.2)
    assert (found.low, found.high) == pytest.approx((5.2 - half, 5.2 + half))


def test_alike_observations_of_one_client_count_for_less() -> None:
    alone = estimate("share", sums([1, 1, 0, 0] * 10, [1] * 40))
    alike = estimate("share", sums([10, 10, 0, 0], [10] * 4))
    assert alone.value == alike.value == 0.5
    assert alike.high is not None and alike.low is not None and alone.high is not None and alone.low is not None
    assert alike.high - alike.low > 2 * (alone.high - alone.low)


def test_where_all_agree_each_client_counts_once() -> None:
    assert estimate("share", sums([30, 20], [30, 20])) == Estimate(1.0, *wilson(1.0, 2))


def test_of_one_client_and_of_nobody_there_is_no_interval_between_clients() -> None:
    assert between_clients(sums([3], [4])) is None
    assert estimate("mean", sums([8], [2])) == Estimate(4.0)
    assert estimate("share", sums([1], [2])) == Estimate(0.5) and estimate("share", sums([9], [9])) == Estimate(1.0)
    assert estimate("ratio", Sums(0, 0, 0, 0, 0, 0, 0)) == Estimate(None)
    assert estimate("total", sums([3, 4], [1, 1])) == Estimate(7)


def test_intervals_hold_the_truth_in_95_of_100_samples_of_clients() -> None:
    rng, held = np.random.default_rng(3), {"share": 0, "mean": 0}
    for _ in range(400):
        weights = rng.integers(1, 12, 60)
        chance = rng.beta(6, 2, 60)
        totals = rng.binomial(weights, chance)
        found = estimate("share", sums(totals.tolist(), weights.tolist()))
        held["share"] += found.low <= 0.75 <= found.high  # type: ignore[operator]
        level = rng.normal(5, 2, 60)
        made = [rng.normal(one, 1, n).sum() for one, n in zip(level, weights, strict=True)]
        found = estimate("mean", sums(made, weights.tolist()))
        held["mean"] += found.low <= 5 <= found.high  # type: ignore[operator]
    assert all(0.92 <= count / 400 <= 0.98 for count in held.values()), held
