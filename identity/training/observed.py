"""What training looks at: the records of a kind, and what pairs of them show, compared wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.pairing import Pairing, RuleBlocks, blocks_of_rules
from identity.clustering.points import Points, points_of
from identity.comparison.bounds import Bounds
from identity.comparison.compare import WordWeights
from identity.comparison.score import Scorer, Weights
from identity.encoded import Flags, Ints, Levels
from identity.features import Features
from identity.model import KindModel
from identity.register import KindRegister
from identity.settings import KindSettings
from identity.training.counting import Columns, Counts, counts_of
from identity.training.terms import Sightings, sightings, word_weights

Look = Callable[[Scorer, Mapping[str, Levels], Ints, Ints], Columns]
"""What is counted of pairs of rows whose comparison vectors are known, under a model."""
_ORGANISATION: Final = "organisation"


class Asked(NamedTuple):
    """Pairs of rows, and of each what it is asked about."""

    left: Ints
    right: Ints
    about: Ints
    once: bool = True  # or under another model too


class Observed(Protocol):
    """The records of one kind that are evidence. Rows are positions in natural order.

    What pairs show depends on their two records and the model alone, so that it is the same in any part.
    """

    kind: str
    settings: KindSettings
    holders: Ints
    """Of each record its register, where that holds each client once (below 0); others have a number of their own."""

    def words(self, prior: WordWeights) -> WordWeights:
        """Weights of the words of organisations' names."""

    def points(self, model: KindModel) -> Points:
        """The records, with those that are alike in everything taken as one; weights may be left out."""

    def blocks(self, points: Points, cap: int) -> list[RuleBlocks]:
        """The blocks of each rule among the rows that stand for their points, active up to `cap` records."""

    def count(self, model: KindModel, look: Look, asked: Asked) -> Counts:
        """How many pairs show the same at a look."""

    def weighing(self, model: KindModel, pairs: tuple[Ints, Ints], least: int) -> tuple[Ints, Ints, Weights]:
        """Those of the pairs that weigh `least` or more, in order, and their weights."""

    def plausible(self, model: KindModel, blocks: list[RuleBlocks]) -> tuple[Ints, Ints]:
        """Candidate pairs of the blocks that are plausible and no contradiction keeps apart, in any order."""

    def sightings(self, field: str) -> Sightings:
        """How often the values of a field were seen."""


class InMemory:
    """`Observed`, all of it in the memory of this process."""

    def __init__(self, register: KindRegister, distinct_sources: Collection[str]) -> None:
        self._register = register
        self._features = register.features
        self.kind, self.settings = register.kind, register.settings
        self.holders = holders(register.records["source"], distinct_sources)
        self._kept: tuple[Ints, dict[str, Levels]] | None = None

    def words(self, prior: WordWeights) -> WordWeights:
        """As `Observed`."""
        if self.kind != _ORGANISATION:
            return prior
        return word_weights(self._features.values("org_name").unique.to_pylist(), prior)

    def points(self, model: KindModel) -> Points:
        """As `Observed`."""
        return points_of(self._scorer(model), self._register.fingerprints, self.holders >= 0)

    def blocks(self, points: Points, cap: int) -> list[RuleBlocks]:
        """As `Observed`."""
        entries = self._register.keys.by_rule
        return blocks_of_rules(entries, [cap] * len(entries), points.is_representative)

    def count(self, model: KindModel, look: Look, asked: Asked) -> Counts:
        """As `Observed`."""
        scorer, (left, right, about, once) = self._scorer(model), asked
        if self._kept is not None and self._kept[0] is left:
            vectors = self._kept[1]
        else:
            vectors = scorer.vectors(left, right)
        if not once:
            self._kept = left, vectors
        return counts_of(about, look(scorer, vectors, left, right))

    def weighing(self, model: KindModel, pairs: tuple[Ints, Ints], least: int) -> tuple[Ints, Ints, Weights]:
        """As `Observed`."""
        return weighing(self._scorer(model), self._features, pairs, least)[:3]

    def plausible(self, model: KindModel, blocks: list[RuleBlocks]) -> tuple[Ints, Ints]:
        """As `Observed`."""
        scorer, least = self._scorer(model), model.plausible
        bounds = Bounds(scorer, self._features)
        pairing = Pairing(blocks, len(self._features))
        _, *found = pairing.chosen(lambda one, two: bounds.reaching(one, two, least))
        left, right, _, forbidden = heavy(scorer, (found[0], found[1]), least)
        return left[~forbidden], right[~forbidden]

    def sightings(self, field: str) -> Sightings:
        """As `Observed`."""
        return sightings(self._features, field)

    def _scorer(self, model: KindModel) -> Scorer:
        return Scorer(self._features, self.kind, self.settings, model, self._register.comparer(model.words))


def holders(source: pa.ChunkedArray, distinct_sources: Collection[str]) -> Ints:
    """`Observed.holders` of records of these sources."""
    codes = source.combine_chunks().dictionary_encode().indices.to_numpy()
    is_distinct = pc.is_in(source, value_set=pa.array(sorted(distinct_sources), pa.string())).to_numpy()
    found: Ints = np.where(is_distinct, -1 - codes.astype(np.int64), np.arange(len(codes)))
    return found


def weighing(
    scorer: Scorer, features: Features, pairs: tuple[Ints, Ints], least: int
) -> tuple[Ints, Ints, Weights, Flags]:
    """Those of the pairs of rows that weigh `least` or more, their weights, and which of them a contradiction
    forbids."""
    at = Bounds(scorer, features).reaching(*pairs, least)
    return heavy(scorer, (pairs[0][at], pairs[1][at]), least)


def heavy(scorer: Scorer, pairs: tuple[Ints, Ints], least: int) -> tuple[Ints, Ints, Weights, Flags]:
    """`weighing` of pairs that are all compared."""
    scores = scorer.score(*pairs)
    keep = scores.weight >= least
    return pairs[0][keep], pairs[1][keep], scores.weight[keep], scores.forbidden[keep]


def patterns(scorer: Scorer, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> Columns:  # noqa: ARG001
    """A level of each column."""
    return [vectors[name] for name in scorer.comparer.columns]


def weighed_patterns(scorer: Scorer, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> Columns:
    """A level of each column, and the match weight."""
    return [*patterns(scorer, vectors, left, right), scorer.weigh(vectors, left, right)]


def alternatives(scorer: Scorer, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> Columns:
    """The evidence of one client against strangers, and against kin."""
    return list(scorer.alternatives(vectors, left, right))


def width(look: Look, columns: Collection[str]) -> int:
    """How many columns of integers a look has, of pairs that are compared by `columns`."""
    return 2 if look is alternatives else len(columns) + (look is weighed_patterns)
