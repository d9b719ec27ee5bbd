"""The mirror: what it has to see, what it must not see, and what it has to leave open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onefold.segments.mirror import Company, Outcome, _beside, holm, look, look_further
from tests.support.planted_service import Planted, differs, looked, planted

LEAD = "lead_time"


def proof(seeds: range) -> tuple[list[int], float]:
    """Of so many companies with a favoured segment and so many without: in which of them anything else is said to be
    different, and how often the favoured segment is found."""
    wrong, found = [], 0
    for seed in seeds:
        for favours in (False, True):
            world = planted(seed, favours=favours)
            done = looked(world, {(world.favoured, LEAD): 1} if favours else {})
            planted_at = (world.favoured, LEAD)
            wrong += [seed for key, one in done.items() if key != planted_at and differs(one)][:1]
            found += favours and done[planted_at].verdict == "as_promised"
    return wrong, found / len(seeds)


def test_a_fifth_is_seen_at_200_clients_and_nothing_where_nothing_is() -> None:
    wrong, power = proof(range(5))
    assert wrong == [] and power == 1.0


@pytest.mark.scale
def test_200_companies_of_which_half_favour_a_segment() -> None:
    wrong, power = proof(range(100))
    assert len(wrong) <= 10, wrong  # a company in twenty
    assert power >= 0.9


def test_what_volume_does_is_credited_to_no_policy() -> None:
    """The promise is to segments of large clients, who get everything sooner as all large clients do."""
    world = planted(3)
    means = {at: world.company.volume[world.company.segment == at].mean() for at in (-1, 0, 1, 2)}
    largest = max((0, 1, 2), key=lambda at: means[at])
    lead = world.outcomes[0]
    raw = [lead.value[world.company.segment == at].mean() for at in (largest, -1)]
    assert abs(raw[0] - raw[1]) > 0.1  # where nobody looks at volume, they are served sooner
    done = looked(world, {(at, LEAD): 1 for at in range(3)})
    assert {done[at, LEAD].verdict for at in range(3)} <= {"decorative", "cannot_tell"}
    blind = replace(world.company, volume=np.ones(len(lead.value)), amount=np.ones(len(lead.value)))
    assert any(differs(one) for one in looked(Planted(blind, world.outcomes, world.favoured, world.business)).values())


def test_verdicts_say_what_was_promised_and_what_came() -> None:
    world = planted(1, favours=True, size=600, others=1500)
    at = world.favoured
    other = (at + 1) % 3
    done = looked(world, {(at, LEAD): 1, (other, LEAD): 1})
    assert (done[at, LEAD].verdict, done[other, LEAD].verdict) == ("as_promised", "decorative")
    assert done[at, LEAD].difference == pytest.approx(np.log(0.8), abs=0.08)
    low, high = done[at, LEAD].low, done[at, LEAD].high
    assert low is not None and high is not None and low < np.log(0.8) < high
    assert looked(world)[at, LEAD].verdict == "without_policy"
    assert looked(world)[other, LEAD].verdict == "like_everyone"
    # Promised to be worse than for others, as a limit of contacts may be.
    assert looked(world, {(at, LEAD): -1})[at, LEAD].verdict == "opposite"


def test_few_clients_and_segments_that_volume_alone_tells_apart_are_left_open() -> None:
    few = planted(2, favours=True, size=15)
    assert {one.verdict for one in looked(few).values()} == {"cannot_tell"}
    rng = np.random.default_rng(1)
    segment = np.repeat([-1, 0], 300)
    volume = np.where(segment == 0, rng.uniform(100, 200, 600), rng.uniform(1, 10, 600))
    company = Company(segment, volume, np.ones(600), np.zeros(600, np.int64), np.ones(600), np.zeros((600, 0)))
    lead = Outcome(LEAD, rng.normal(np.where(segment == 0, 0.0, 1.0), 0.3), np.full(600, 5.0), True, -1)
    (one,) = look(company, [lead], 1, {(0, LEAD): 1})
    assert one.verdict == "cannot_tell"


def test_without_clients_of_no_segment_the_middle_one_is_the_measure() -> None:
    world = planted(4, favours=True, effect=0.7, size=400, others=0)
    done = looked(world)
    assert done[world.favoured, LEAD].verdict == "without_policy"
    assert not any(differs(done[at, LEAD]) for at in range(3) if at != world.favoured)


def test_better_treatment_is_followed_by_more_business_only_where_it_is() -> None:
    for pays, expected in ((1.5, {"more"}), (0.0, {"no_effect", "cannot_tell"})):
        world = planted(5, favours=True, size=600, others=1500, pays=pays)
        found = look_further(look(world.company, world.outcomes, 3, {}), world.company, world.outcomes, world.business)
        by_key = {(one.segment, one.outcome): one for one in found}
        assert by_key[world.favoured, LEAD].effect in expected
        assert all(one.effect is None for one in found if not differs(one))


def test_p_values_are_corrected_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_only_the_largest_regions_are_held_equal_one_by_one() -> None:
    """As many regions as a country has districts: the segment is still compared, and with whom is said."""
    rng = np.random.default_rng(3)
    clients = 4_000
    segment, region = np.arange(clients) % 2 - 1, np.arange(clients) // 10
    nothing, ones = np.zeros((clients, 0)), np.ones(clients)
    lead = Outcome(LEAD, rng.normal(np.where(segment == 0, -0.4, 0.0), 0.3), np.full(clients, 5.0), True, -1)
    company = Company(segment, ones, ones, region, ones, nothing)
    assert _beside(company, segment > -2).shape[1] < 60
    (one,) = look(company, [lead], 1, {})
    assert (one.verdict, one.yardstick) == ("without_policy", -1)
