"""Which true pairs blocking proposes, by rule, and which it never does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csc_matrix

from identity.blocking.blocks import Blocks
from identity.encoded import Ints
from identity.evaluation.truth import KnownRecords
from identity.population import Population
from identity.settings import rule_name

MOST_OF_ENTITY: Final = 2_000
"""Of an entity with more different records, the first in natural order are looked at."""


@dataclass(frozen=True)
class RuleRecall:
    """The true pairs that one blocking rule proposes, and those that no other does."""

    rule: str
    true_pairs: int
    alone: int


@dataclass(frozen=True)
class MissedPair:
    """A true pair that no rule proposes, and what it would have come to."""

    left_id: int
    right_id: int
    weight: int  # 1/1024 bit


@dataclass(frozen=True)
class BlockingQuality:
    """What the rules make of the true pairs of one kind. Pairs are pairs of records."""

    kind: str
    records: int
    true_pairs: int
    proposed: int  # true pairs that some rule proposes, or that are alike in everything
    alike: int  # ... of them those that are alike in everything and need no rule
    rules: tuple[RuleRecall, ...]
    lost: int  # true pairs that no rule proposes and that would be linked alone
    missed: tuple[MissedPair, ...]  # examples of what no rule proposes, heaviest first
    is_cut: bool  # some entity has more records than are looked at

    @property
    def recall(self) -> float:
        """The share of the true pairs that blocking proposes; 1 where there are none."""
        return self.proposed / self.true_pairs if self.true_pairs else 1.0


def blocking_quality(population: Population, known: KnownRecords, examples: int = 20) -> BlockingQuality:
    """Measure the rules in force on the true pairs; at most so many `examples` of missed ones."""
    left, right, pairs, is_cut = _true_pairs(known.count.tocsc())
    limits = population.limits()["cap"].to_pylist()
    blocks = Blocks.of_keys(population.keys(), limits, known.points.is_representative)
    one, two = known.points.row[left], known.points.row[right]
    proposes = blocks.proposing((one, two), len(limits))
    sole = proposes.sum(axis=1) == 1
    rules = tuple(
        RuleRecall(rule_name(rule), int(pairs[proposes[:, at]].sum()), int(pairs[proposes[:, at] & sole].sum()))
        for at, rule in enumerate(population.settings.blocking)
    )
    missed = np.flatnonzero(~proposes.any(axis=1))
    weight = population.score(one[missed], two[missed]).weight.astype(np.int64)
    heaviest = np.lexsort((two[missed], one[missed], -weight))[:examples].tolist()
    ids, alike = population.ids, int(known.within().sum())
    return BlockingQuality(
        kind=population.kind,
        records=int(known.size.sum()),
        true_pairs=known.true_pairs(),
        proposed=int(pairs[proposes.any(axis=1)].sum()) + alike,
        alike=alike,
        rules=rules,
        lost=int(pairs[missed][weight >= population.model.link].sum()),
        missed=tuple(
            MissedPair(int(ids[one[missed[at]]]), int(ids[two[missed[at]]]), int(weight[at])) for at in heaviest
        ),
        is_cut=is_cut,
    )


def _true_pairs(by_entity: csc_matrix) -> tuple[Ints, Ints, Ints, bool]:
    """Pairs of points of one entity, the smaller first, each with how many pairs of records it stands for."""
    left, right, pairs, is_cut = [], [], [], False
    by_entity.sort_indices()
    for entity in np.flatnonzero(np.diff(by_entity.indptr) > 1).tolist():
        span = slice(int(by_entity.indptr[entity]), int(by_entity.indptr[entity + 1]))
        point, count = by_entity.indices[span][:MOST_OF_ENTITY], by_entity.data[span][:MOST_OF_ENTITY]
        is_cut |= span.stop - span.start > MOST_OF_ENTITY
        one, two = np.triu_indices(len(point), 1)
        left.append(point[one])
        right.append(point[two])
        pairs.append(count[one] * count[two])
    empty = [np.zeros(0, dtype=np.int64)]
    one, two, several = (np.concatenate(part or empty).astype(np.int64) for part in (left, right, pairs))
    # One pair of points may stand for pairs of several entities.
    distinct, of = np.unique(one * by_entity.shape[0] + two, return_inverse=True)
    total = np.bincount(of, weights=several, minlength=len(distinct)).astype(np.int64)
    return distinct // by_entity.shape[0], distinct % by_entity.shape[0], total, is_cut
