"""Blocking rules that the data suggest: to add, to take out, to refine.

What is found now is no truth, but it tells how close a rule is: a pair that ended up in one client through other
records only, or that a single rule proposes, is lost with the next misspelling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.encoded import Ints
from identity.evaluation.block_report import Ground, distinct_pairs
from identity.evaluation.rule_additions import AddRule, additions, drawn_pairs
from identity.evaluation.rule_reductions import DropRule, RefineRule, droppable, refinements
from identity.settings import BlockingValue, parse_value

_VALUES: Final = {
    "person": (
        "identifier", "family_name", "family_name.sound", "given_name", "given_name.sound", "middle_name",
        "full_name.sorted", "full_name.token", "birth_date", "birth_date.year", "birth_date.month_day", "postcode",
        "postcode.first(3)", "city", "street", "house", "email.local_part", "email.domain", "phone", "phone.last(7)",
        "birth_place", "occupation",
    ),
    "organisation": (
        "identifier", "org_name.sorted", "org_name.token", "org_name.token_pairs", "org_name.first(5)",
        "org_name.sound", "postcode", "postcode.first(3)", "city", "street", "house", "domain", "email.domain",
        "email.local_part", "phone", "phone.last(7)", "legal_form", "country",
    ),
}  # fmt: skip
"""Values that rules are made of, beside those of the rules in force."""
_PAIRS_LOOKED_AT: Final = 200_000
_POINTS_OF_A_CLIENT: Final = 40  # of a larger client the first stand for all


@dataclass(frozen=True)
class Suggestions:
    """What the data of one kind suggest, most useful first."""

    kind: str
    looked_at: int  # pairs within one client, of very many a sample
    through_clusters: int  # ... that no rule proposes
    single: int  # ... that one rule alone proposes
    add: tuple[AddRule, ...]
    drop: tuple[DropRule, ...]
    refine: tuple[RefineRule, ...]


def suggest(ground: Ground) -> Suggestions:
    """Rules to add, drop and refine on this ground; a function of what is stored."""
    left, right = pairs_of_clients(ground)
    proposed_by = ground.blocks.proposing((left, right), len(ground.rules.blocking)).sum(axis=1)
    weak, lost = proposed_by < 2, proposed_by == 0
    values = _values(ground)
    return Suggestions(
        ground.kind,
        len(left),
        int(lost.sum()),
        int((proposed_by == 1).sum()),
        tuple(additions(ground, values, (left[weak], right[weak]), lost[weak])),
        tuple(droppable(ground)),
        tuple(refinements(ground, values, (left[lost], right[lost]))),
    )


def pairs_of_clients(ground: Ground) -> tuple[Ints, Ints]:
    """Pairs of points within one client, as rows; of very many those that a hash draws."""
    rows = ground.points.row[ground.client[ground.points.row] >= 0]
    order = rows[np.argsort(ground.client[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(ground.client[order], prepend=-2))
    sizes = np.diff(np.append(starts, len(order)))
    left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        one, two = np.triu_indices(min(size, _POINTS_OF_A_CLIENT), 1)
        first = starts[sizes == size][:, None]
        left.append(order[(first + one).ravel()])
        right.append(order[(first + two).ravel()])
    return drawn_pairs(distinct_pairs(np.concatenate(left), np.concatenate(right)), _PAIRS_LOOKED_AT)


def _values(ground: Ground) -> list[BlockingValue]:
    """Single values that rules are made of, those that records have."""
    named = [value for rule in ground.rules.blocking for value in rule]
    named += [parse_value(text) for text in _VALUES[ground.kind]]
    return [value for value in dict.fromkeys(named) if not ground.features.values(value.field).is_empty]
