"""What has to be settled together, told by ids: no more of it than a part may hold, however long pairs chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity.generic import GENERIC
from identity.model import prior_model
from identity.plausible import COMPARED
from identity.population import Rules
from identity.settings import load_settings
from identity.staged.components import Components, components_of, dealt_out

SETTINGS = load_settings({"component_bound": 10})
MODEL = prior_model(SETTINGS)
PLAUSIBLE, LINK = MODEL.person.plausible, MODEL.person.link


def found_of(
    kinds: list[str], pairs: list[tuple[int, int, int, bool]], alike: list[tuple[int, int]], said: pa.Table
) -> Components:
    """The components of records 100, 101, ... in natural order; ends of pairs are places."""
    records = pa.table({"record_id": range(100, 100 + len(kinds)), "kind": kinds})
    rows = [(100 + left, 100 + right, weight, 1, barred) for left, right, weight, barred in pairs]
    compared = pa.Table.from_pylist([dict(zip(COMPARED.names, row, strict=True)) for row in rows], schema=COMPARED)
    ties = pa.table({name: pa.array([100 + pair[at] for pair in alike], pa.int64())
                     for at, name in enumerate(("left_id", "right_id"))})  # fmt: skip
    return components_of(Rules(MODEL, SETTINGS, said, (), GENERIC.empty_table()), records, compared, ties)


def groups(found: Components) -> list[list[int]]:
    """The places of the points of each component."""
    rows = found.members.sort_by([("component", "ascending"), ("record_id", "ascending")]).to_pylist()
    return [
        [row["record_id"] - 100 for row in rows if row["component"] == number]
        for number in sorted({row["component"] for row in rows})
    ]


def test_pairs_and_words_tie_what_no_contradiction_forbids(judgements: Any) -> None:
    kinds = ["person"] * 6 + ["organisation"] * 2
    said = judgements(("same", [102], [103, 106]))
    found = found_of(kinds, [(0, 1, PLAUSIBLE, False), (3, 4, LINK, True), (6, 7, LINK, False)], [(1, 5)], said)
    assert groups(found) == [[0, 1], [2, 3], [6, 7]], "record 6 is of another kind than what it was said to be"
    assert dict(zip(*(found.members[name].to_pylist() for name in ("record_id", "size")), strict=True)) == {
        100: 1, 101: 2, 102: 1, 103: 1, 106: 1, 107: 1
    }  # fmt: skip
    assert found.split == ()


def test_a_chain_over_the_bound_is_settled_in_pieces(judgements: Any) -> None:
    pairs = [(at, at + 1, LINK if at % 5 else PLAUSIBLE, False) for at in range(499)]
    found = found_of(["person"] * 500, pairs, [], judgements())
    assert groups(found)[:2] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    assert max(map(len, groups(found))) == 5
    [(kind, split)] = found.split
    assert (kind, split.first, split.size) == ("person", 0, 500) and split.threshold > PLAUSIBLE


@pytest.mark.parametrize(("least", "per_part"), [(1, 10), (1, 100), (7, 1_000_000), (1, 1_000_000)])
def test_a_part_holds_no_more_than_it_may_and_a_component(least: int, per_part: int) -> None:
    component = np.repeat(np.arange(300), np.arange(300) % 9 + 1).astype(np.int64)
    part = dealt_out(component, least, per_part)
    assert all(len(set(part[component == number])) == 1 for number in range(300))
    assert max(np.bincount(part)) <= per_part + 9 and part.max() + 1 >= least


def test_nothing_is_dealt_out_of_nothing() -> None:
    assert len(dealt_out(np.zeros(0, dtype=np.int64), 4, 10)) == 0
