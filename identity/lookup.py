"""Search before create: which stored records a new one would be the same client as, by the kernel of every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.single import SingleKeys
from identity.features import Features
from identity.population import Population, Rules
from identity.schema import HEAD, KINDS, VALUE
from identity.standard import Profile, standardise

MOST_CANDIDATES: Final = 500
"""Stored records that one lookup compares at most; those of the rarest keys come first."""
ASKED: Final = -1
"""The record id of the record that is asked about."""


@dataclass(frozen=True)
class Asked:
    """A record that is not stored: its standard form and its blocking keys."""

    kind: str
    record: pa.Table  # RECORD, one row
    identifiers: pa.Table  # IDENTIFIER
    keys: Sequence[int]


@dataclass(frozen=True)
class Found:
    """One stored record compared with the one that is asked about. Weights in 1/1024 bit."""

    record_id: int
    weight: int
    forbidden: bool
    levels: Mapping[str, tuple[str, int]]  # by compared column the level and its weight; missing ones are left out


class Asking:
    """Makes records of mapped values as `Asked`, under the rules of one resolution."""

    def __init__(self, profile: Profile, rules: Rules) -> None:
        self._profile = profile
        self._documented = frozenset(rules.settings.open_attributes)
        self._keys = {kind: SingleKeys(kind, rules.settings.kind(kind)) for kind in KINDS}
        self._generic = {kind: rules.generic.filter(pc.equal(rules.generic["kind"], kind)) for kind in KINDS}

    def of(self, kind: str, attributes: Sequence[tuple[str, str]], country: str | None = None) -> Asked:
        """The record with these values (attribute, value as written; an attribute may come several times)."""
        head = pa.table([[ASKED], [""], [""], [""], [kind], ["client"], [country], [None]], schema=HEAD)
        values = pa.table(
            [
                [0] * len(attributes),
                [name for name, _ in attributes],
                [value for _, value in attributes],
                [None] * len(attributes),
            ],
            schema=VALUE,
        )
        standard = standardise(head, values, self._profile, documented=self._documented)
        keys: list[int] = []
        if not standard.records["is_own"][0].as_py():
            keys = self._keys[kind].of(Features.of(standard.records, standard.identifiers, self._generic[kind]))
        return Asked(kind, standard.records, standard.identifiers, keys)


def compare_with(one: Asked, records: pa.Table, identifiers: pa.Table, rules: Rules) -> list[Found]:
    """`one` against stored records, the best first; those of the other kind and our own are left out."""
    # In no order but that the one without a name comes first: nothing is clustered here.
    population = Population(
        one.kind, pa.concat_tables([one.record, records]), pa.concat_tables([one.identifiers, identifiers]), rules
    )
    mine = np.flatnonzero(population.ids == ASKED)
    others = np.flatnonzero((population.ids != ASKED) & population.eligible)
    if len(mine) == 0 or len(others) == 0:
        return []
    left = np.full(len(others), mine[0])
    vectors = population.scorer.comparer.vectors(left, others)
    parts = population.scorer.parts(vectors, left, others)
    weights, _ = population.scorer.at_grain(np.sum(list(parts.values()), axis=0, dtype=np.int32), left, others)
    forbidden = population.scorer.comparer.contradicts(left, others)
    order = np.lexsort((population.ids[others], -weights.astype(np.int64)))
    names = population.scorer.comparer.columns
    found = []
    for at in order.tolist():
        levels = {
            column: (names[column][int(level[at]) - 1], int(parts[column][at]))
            for column, level in vectors.items()
            if level[at]
        }
        levels |= {
            name: (name, int(weight[at])) for name, weight in parts.items() if name not in vectors and weight[at]
        }
        found.append(Found(int(population.ids[others[at]]), int(weights[at]), bool(forbidden[at]), levels))
    return found
