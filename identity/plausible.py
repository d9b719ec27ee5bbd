"""Plausible pairs: candidates whose match weight reaches the threshold, as rows and as PAIR tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from identity.blocking.pairing import Pairing, RuleBlocks
from identity.clustering.cluster import ScorePairs
from identity.clustering.points import Points
from identity.comparison.bounds import Bounds
from identity.comparison.score import Weights
from identity.encoded import Flags, Ints
from identity.features import positions
from identity.population import Population, Rules
from identity.schema import KINDS, PAIR

COMPARED: Final = pa.schema([*PAIR, pa.field("forbidden", pa.bool_(), nullable=False)])
"""PAIR, and whether a contradiction or a distinct register forbids it."""


@dataclass(frozen=True)
class Pairs:
    """Plausible pairs as rows, the smaller first."""

    left: Ints
    right: Ints
    weight: Weights
    forbidden: Flags


def plausible(candidates: tuple[Ints, Ints], score: ScorePairs, threshold: int) -> Pairs:
    """Those of the candidate pairs (rows) that weigh `threshold` or more."""
    left, right = candidates
    scores = score(left, right)
    keep = scores.weight >= threshold
    return Pairs(left[keep], right[keep], scores.weight[keep], scores.forbidden[keep])


def promising(population: Population, pairing: Pairing) -> tuple[int, Ints, Ints]:
    """How many candidate pairs there are, and those that may be plausible: most are seen not to be at a glance, and
    never held."""
    bounds, threshold = Bounds(population.scorer, population.features), population.model.plausible
    return pairing.chosen(lambda left, right: bounds.reaching(left, right, threshold))


def pair_table(ids: Ints, pairs: Pairs | None, points: Points, version: int) -> pa.Table:
    """PAIR rows: the plausible pairs, if any are given, and every record of a point with the point's first."""
    alike = np.flatnonzero(~points.is_representative)
    left, right, weight = points.row[points.of[alike]], alike, points.weight[alike]
    forbidden = np.zeros(len(left), dtype=np.bool_)
    if pairs is not None:
        left, right = np.concatenate([pairs.left, left]), np.concatenate([pairs.right, right])
        weight, forbidden = np.concatenate([pairs.weight, weight]), np.concatenate([pairs.forbidden, forbidden])
    return _table(ids, Pairs(left, right, weight, forbidden), version).select(PAIR.names)


def plausible_of(rules: Rules, records: pa.Table, identifiers: pa.Table, candidates: pa.Table) -> pa.Table:
    """PAIR rows of those of the candidate pairs (left_id, right_id, in any order) that are plausible.

    The records, in natural order, may be any part of the register: of each pair both, or it is left out.
    """
    found = [PAIR.empty_table()]
    there = set(records["kind"].unique().to_pylist())
    for kind in (kind for kind in KINDS if kind in there):
        population = Population(kind, records, identifiers, rules)
        known, threshold = pa.chunked_array([pa.array(population.ids)]), population.model.plausible
        one, two = positions(known, candidates["left_id"]), positions(known, candidates["right_id"])
        here = (one >= 0) & (two >= 0)
        left, right = np.minimum(one, two)[here], np.maximum(one, two)[here]
        at = Bounds(population.scorer, population.features).reaching(left, right, threshold)
        pairs = plausible((left[at], right[at]), population.score, threshold)
        found.append(_table(population.ids, pairs, rules.model.version).select(PAIR.names))
    return pa.concat_tables(found)


def plausible_between(population: Population, blocks: RuleBlocks, border: int, version: int) -> tuple[int, pa.Table]:
    """How many candidate pairs the blocks propose, and COMPARED rows of those that are plausible. `border`: as for
    Pairing."""
    number, left, right = promising(population, Pairing([blocks], len(population.ids), border))
    pairs = plausible((left, right), population.score, population.model.plausible)
    return number, _table(population.ids, pairs, version)


def _table(ids: Ints, pairs: Pairs, version: int) -> pa.Table:
    """COMPARED rows in natural order."""
    order = np.argsort(pairs.left * max(len(ids), 1) + pairs.right, kind="stable")
    return pa.table(
        {
            "left_id": ids[pairs.left[order]],
            "right_id": ids[pairs.right[order]],
            "weight": pairs.weight[order],
            "model_version": np.full(len(order), version, dtype=np.int32),
            "forbidden": pairs.forbidden[order],
        },
        schema=COMPARED,
    )
