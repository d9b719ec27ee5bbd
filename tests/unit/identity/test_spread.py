"""How weights lie to the thresholds."""

from __future__ import annotations

from identity.evaluation.spread import Spread, spread

BIT = 1024


def test_pairs_are_counted_by_threshold_and_the_middle_of_the_linked_ones_is_told() -> None:
    # 2 pairs at 1 to 1.5 bits, 3 at 4 to 4.5, 5 at 9 to 9.5, 4 at 12 to 12.5
    weights = {2: 2, 8: 3, 18: 5, 24: 4}
    assert spread(weights, link=8 * BIT, review=3 * BIT) == Spread(pairs=14, linked=9, review=3, median=9.25)
    assert spread(weights, link=13 * BIT, review=9 * BIT) == Spread(pairs=14, linked=0, review=9, median=None)
    assert spread({}, link=8 * BIT, review=3 * BIT) == Spread(0, 0, 0, None)


def test_negative_weights_are_below_zero_bits() -> None:
    assert spread({-2: 1, -1: 1, 0: 1}, link=0, review=-BIT // 2) == Spread(pairs=3, linked=1, review=1, median=0.25)
