"""Our clients beside another tool's: outcomes, what matters most, and the pairs that tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from identity.evaluation.crosswalk_diff import CrosswalkDiff, compare_crosswalks
from identity.evaluation.regrouping import Regrouping, numbered

GROUPINGS = st.integers(1, 40).flatmap(
    lambda count: st.tuples(*(st.lists(st.integers(0, 9), min_size=count, max_size=count) for _ in range(3)))
)


def diff(ours: list[int], theirs: list[int], facts: list[int] | None = None, most: int = 50) -> CrosswalkDiff:
    groups = Regrouping(numbered(np.array(ours)), numbered(np.array(theirs)))
    return compare_crosswalks(groups, np.array(facts if facts else [0] * len(ours), dtype=np.int64), most)


def test_clients_are_unchanged_merged_split_or_overlapping() -> None:
    #            same   two become one   one becomes two   they exchange
    ours = [0, 0] + [1, 2, 2] + [3, 3, 3] + [4, 4, 5, 5]
    theirs = [0, 0] + [1, 1, 1] + [3, 3, 4] + [5, 6, 6, 6]
    found = {outcome: (one.ours, one.theirs, one.records) for outcome, one in diff(ours, theirs).extents.items()}
    assert found == {"unchanged": (1, 1, 2), "merged": (2, 1, 3), "split": (1, 2, 3), "overlapping": (2, 2, 4)}


def test_what_matters_most_comes_first_and_ties_go_to_the_first_record() -> None:
    ours, theirs = [0, 1, 2, 3, 4, 4], [0, 0, 2, 2, 4, 5]
    found = diff(ours, theirs, facts=[0, 0, 3, 0, 0, 0])
    assert [(one.outcome, one.records, one.facts, one.impact) for one in found.largest] == [
        ("merged", 2, 3, 5), ("merged", 2, 0, 2), ("split", 2, 0, 2),
    ]  # fmt: skip
    assert (found.largest[0].ours, found.largest[0].theirs) == ((1, 1), (2,))
    assert len(diff(ours, theirs, most=1).largest) == 1


@given(GROUPINGS)
def test_outcomes_cover_every_record_and_client_once(grouping: tuple[list[int], list[int], list[int]]) -> None:
    ours, theirs, facts = grouping
    found = diff(ours, theirs, facts, most=10**6)
    assert sum(one.records for one in found.extents.values()) == len(ours)
    assert sum(one.ours for one in found.extents.values()) == len(set(ours))
    assert sum(one.theirs for one in found.extents.values()) == len(set(theirs))
    assert found.extents["unchanged"].ours == found.extents["unchanged"].theirs
    assert sum(one.records for one in found.largest) == len(ours) - found.extents["unchanged"].records
    assert [one.impact for one in found.largest] == sorted((one.impact for one in found.largest), reverse=True)


@given(GROUPINGS)
def test_the_other_way_round_what_was_merged_is_split(grouping: tuple[list[int], list[int], list[int]]) -> None:
    ours, theirs, _ = grouping
    one, other = diff(ours, theirs).extents, diff(theirs, ours).extents
    assert one["merged"].records == other["split"].records
    assert one["overlapping"].records == other["overlapping"].records


@given(GROUPINGS, st.integers(2, 6))
def test_telling_pairs_stand_together_on_one_side_only(
    grouping: tuple[list[int], list[int], list[int]], most: int
) -> None:
    ours, theirs = (numbered(np.array(side)) for side in grouping[:2])
    groups = Regrouping(ours, theirs)
    for group in range(len(groups.kind)):
        left, right = groups.flipping(group, most)
        assert ((ours[left] == ours[right]) != (theirs[left] == theirs[right])).all()
        assert (left < right).all()
        assert (groups.of_record[left] == group).all()
        assert (len(left) > 0) == (groups.kind[group] != "unchanged")


def test_a_large_disagreement_shows_a_pair_though_few_of_its_records_are_looked_at() -> None:
    # The first five hundred records agree; only the last one stands elsewhere.
    ours = np.zeros(501, dtype=np.int64)
    theirs = np.append(np.zeros(500, dtype=np.int64), 1)
    left, right = Regrouping(ours, theirs).flipping(0, 20)
    assert len(left) > 0
    assert set(right.tolist()) == {500}
