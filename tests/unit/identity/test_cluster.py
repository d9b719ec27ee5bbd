"""Average link over components, as a function of weights alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.clustering.cluster import Clusters, Constraints, cluster
from identity.clustering.linkage import Thresholds
from identity.comparison.score import Scores

BIT = 1024
LIMITS = Thresholds(plausible=8 * BIT, link=12 * BIT, bound=100)


def clusters_of(
    count: int,
    weights: dict[tuple[int, int], float],
    forbidden: set[tuple[int, int]] = frozenset(),  # type: ignore[assignment]
    *,
    limits: Thresholds = LIMITS,
    constraints: Constraints | None = None,
    sizes: list[int] | None = None,
) -> Clusters:
    """Cluster points whose pair weights (in bits) are given; -10 bits where not."""
    matrix = np.full((count, count), -10 * BIT, dtype=np.int32)
    barred = np.zeros((count, count), dtype=np.bool_)
    for (a, b), bits in weights.items():
        matrix[a, b] = matrix[b, a] = int(bits * BIT)
    for a, b in forbidden:
        barred[a, b] = barred[b, a] = True
    left, right = np.triu_indices(count, 1)
    keep = (matrix[left, right] >= limits.plausible) & ~barred[left, right]
    edges = left[keep], right[keep], matrix[left, right][keep]
    return cluster(
        np.array(sizes or [1] * count, dtype=np.int64),
        edges,
        lambda l, r: Scores(matrix[l, r], barred[l, r]),  # noqa: E741
        limits,
        constraints,
    )


def pairs(*ends: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    return np.array([a for a, _ in ends]), np.array([b for _, b in ends])


def test_a_strong_pair_links_and_a_plausible_one_does_not() -> None:
    assert clusters_of(4, {(0, 1): 12, (2, 3): 11.9}).label.tolist() == [0, 0, 2, 3]


def test_a_bridge_does_not_join_what_the_other_pairs_deny() -> None:
    left = {(a, b): 20.0 for a in range(3) for b in range(a + 1, 3)}
    right = {(a, b): 20.0 for a in range(3, 6) for b in range(a + 1, 6)}
    assert clusters_of(6, {**left, **right, (2, 3): 15}).label.tolist() == [0, 0, 0, 3, 3, 3]


def test_where_weights_are_no_estimates_weak_pairs_do_not_add_up() -> None:
    weak = {(a, b): 11.5 for a in range(3) for b in range(a + 1, 3)}
    limits = Thresholds(plausible=8 * BIT, link=12 * BIT, bound=100, pooled=False, review=10 * BIT)
    assert clusters_of(3, weak, limits=limits).label.tolist() == [0, 1, 2]
    # One link is enough where the other pairs are worth a look on average, and not where they speak against it.
    strong = {(0, 1): 20.0, (0, 2): 14.0, (1, 2): 6.0}
    assert clusters_of(3, strong, limits=limits).label.tolist() == [0, 0, 0]
    assert clusters_of(3, {**strong, (1, 2): 5.0}, limits=limits).label.tolist() == [0, 0, 2]


def test_many_plausible_pairs_are_more_evidence_than_one() -> None:
    weights = {(a, b): 20.0 for a in range(4) for b in range(a + 1, 4)}
    weights |= {(a, 4): 9.0 for a in range(4)}
    assert clusters_of(5, weights).label.tolist() == [0] * 5
    assert clusters_of(2, {(0, 1): 9}).label.tolist() == [0, 1]


def test_a_forbidden_pair_keeps_its_clusters_apart() -> None:
    weights = {(0, 1): 30.0, (1, 2): 25.0, (0, 2): 25.0}
    assert clusters_of(3, weights, {(0, 2)}).label.tolist() == [0, 0, 2]


def test_a_judgement_outranks_what_forbids() -> None:
    weights = {(0, 1): 30.0, (1, 2): 25.0, (0, 2): 25.0}
    same = Constraints(same=pairs((0, 2)))
    assert clusters_of(3, weights, {(0, 2)}, constraints=same).label.tolist() == [0, 0, 0]
    apart = Constraints(not_same=pairs((1, 0)))
    assert clusters_of(3, weights, constraints=apart).label.tolist() == [0, 1, 0]


def test_same_joins_components_that_share_no_pair() -> None:
    assert clusters_of(4, {}, constraints=Constraints(same=pairs((3, 0)))).label.tolist() == [0, 1, 2, 0]


def test_equal_means_merge_the_smaller_natural_keys_first() -> None:
    weights = {(0, 1): 20.0, (1, 2): 20.0}
    assert clusters_of(3, weights).label.tolist() == [0, 0, 2]


def test_a_point_counts_as_many_times_as_it_has_records() -> None:
    weights = {(0, 1): 20.0, (0, 2): 20.0, (1, 2): -4.0}
    assert clusters_of(3, weights, sizes=[1, 1, 1]).label.tolist() == [0, 0, 2]
    assert clusters_of(3, weights, sizes=[9, 1, 1]).label.tolist() == [0, 0, 0]


def test_a_component_over_the_bound_is_split_and_named() -> None:
    weights = {(a, b): 20.0 for a in range(4) for b in range(a + 1, 4)}
    weights |= {(a, b): 20.0 for a in range(4, 8) for b in range(a + 1, 8)}
    weights |= {(a, b): 9.5 for a in range(4) for b in range(4, 8)}
    whole = clusters_of(8, weights)
    assert whole.split == ()
    found = clusters_of(8, weights, limits=Thresholds(8 * BIT, 12 * BIT, 5))
    assert found.label.tolist() == [0] * 4 + [4] * 4
    assert [(split.first, split.size) for split in found.split] == [(0, 8)]
    assert found.split[0].threshold == 10 * BIT


def test_a_component_that_cannot_be_split_falls_apart_instead_of_exploding() -> None:
    weights = {(a, b): 13.0 for a in range(9) for b in range(a + 1, 9)}
    found = clusters_of(9, weights, limits=Thresholds(8 * BIT, 12 * BIT, 5))
    assert found.label.tolist() == list(range(9))
    assert len(found.split) == 1


COUNT = 7
UPPER = [(a, b) for a in range(COUNT) for b in range(a + 1, COUNT)]


def slow(weights: dict[tuple[int, int], float], forbidden: set[tuple[int, int]]) -> list[int]:
    """The same rule written plainly with fractions, over the connected components."""
    from fractions import Fraction

    groups = {p: [p] for p in range(COUNT)}

    def total(one: list[int], two: list[int]) -> int:
        return sum(int(weights[min(a, b), max(a, b)] * BIT) for a in one for b in two)

    while True:
        best = None
        for a in sorted(groups):
            for b in sorted(groups):
                if a >= b or any((min(x, y), max(x, y)) in forbidden for x in groups[a] for y in groups[b]):
                    continue
                sum_, m, n = total(groups[a], groups[b]), len(groups[a]), len(groups[b])
                mean = Fraction(sum_, m * n)
                if 2 * sum_ < LIMITS.link * (m + n) or mean < LIMITS.plausible:
                    continue
                if best is None or mean > best[0]:
                    best = mean, a, b
        if best is None:
            return [next(g for g, members in groups.items() if p in members) for p in range(COUNT)]
        groups[best[1]] += groups.pop(best[2])


@settings(max_examples=300, deadline=None)
@given(
    bits=st.lists(st.sampled_from([-4.0, 5.0, 9.0, 11.0, 12.0, 13.0, 20.0]), min_size=len(UPPER), max_size=len(UPPER)),
    forbidden=st.sets(st.sampled_from(UPPER), max_size=4),
)
def test_the_fast_loop_equals_the_plain_rule(bits: list[float], forbidden: set[tuple[int, int]]) -> None:
    weights = dict(zip(UPPER, bits, strict=True))
    assert clusters_of(COUNT, weights, forbidden).label.tolist() == slow(weights, forbidden)
