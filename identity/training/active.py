"""Active learning: the pairs whose judgement would teach a model most.

A pair teaches where the model is undecided, where many pairs look alike, and where the pairs asked before looked
otherwise. Nothing is drawn by chance: the same register asks the same questions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.comparison.score import Scorer
from identity.encoded import Flags, Ints, Levels
from identity.features import Features, in_natural_order, positions
from identity.model import MatchModel
from identity.schema import KINDS, WEIGHT_ONE_BIT
from identity.settings import MatchingSettings

Reals = npt.NDArray[np.float64]

_LIKENESS_POWER: Final = 4
"""How much alike two patterns must be for the one to answer for the other."""
_LEFT_BY_AN_ANSWER: Final = 0.25
"""Of the doubt about a pattern, when one pair that shows it has been asked."""


@dataclass(frozen=True)
class TeachingPair:
    """A pair to ask a person about. Weights in 1/1024 bit."""

    kind: str
    left_id: int  # the smaller natural key
    right_id: int
    weight: int
    link: int
    teaches: float  # bit of doubt, times log2 of the pairs alike, less where pairs like it are asked before
    alike: int  # pairs among those looked at with the same comparison vector
    levels: Mapping[str, str]  # column -> level; without what is missing


@dataclass(frozen=True)
class _Open:
    """The open pairs of one kind, as comparison patterns."""

    left: Ints
    right: Ints
    weight: npt.NDArray[np.int32]
    pattern: Ints  # of each pair
    columns: tuple[str, ...]
    levels: Levels  # patterns x columns
    alike: Ints  # pairs per pattern


def teaching_pairs(
    records: pa.Table,
    identifiers: pa.Table,
    pairs: pa.Table,
    settled: pa.Table,
    model: MatchModel,
    settings: MatchingSettings,
    count: int,
    *,
    generic: pa.Table,
    distinct_sources: Collection[str] = (),
) -> list[TeachingPair]:
    """At most `count` of `pairs` (left_id, right_id), the most telling first, kinds by what their pairs teach.

    `settled` (left_id, right_id): pairs that were judged. Neither they nor pairs that a contradiction or a distinct
    register decides are asked.
    """
    records = in_natural_order(records)
    found: list[TeachingPair] = []
    for kind in KINDS:
        mine = records.filter(pc.and_(pc.equal(records["kind"], kind), pc.invert(records["is_own"])))
        features = Features.of(mine, identifiers, generic.filter(pc.equal(generic["kind"], kind)))
        scorer = Scorer(features, kind, settings.kind(kind), model.kind(kind))
        left, right = _rows(mine["record_id"], pairs)
        free = ~_among(left, right, _rows(mine["record_id"], settled), len(mine))
        free &= ~scorer.comparer.contradicts(left, right)
        apart = pc.is_in(mine["source"], value_set=pa.array(sorted(distinct_sources), pa.string())).to_numpy()
        source = mine["source"].combine_chunks().dictionary_encode().indices.to_numpy()
        free &= ~(apart[left] & (source[left] == source[right]))
        if free.any():
            found += _choose(scorer, mine["record_id"], (left[free], right[free]), count)
    return sorted(found, key=lambda pair: -pair.teaches)[:count]


def _rows(record_ids: pa.ChunkedArray, pairs: pa.Table) -> tuple[Ints, Ints]:
    """The pairs that are here, as row positions, the smaller first."""
    left, right = positions(record_ids, pairs["left_id"]), positions(record_ids, pairs["right_id"])
    here = (left >= 0) & (right >= 0) & (left != right)
    return np.minimum(left, right)[here], np.maximum(left, right)[here]


def _among(left: Ints, right: Ints, others: tuple[Ints, Ints], count: int) -> Flags:
    return np.isin(left * count + right, others[0] * count + others[1])


def _choose(scorer: Scorer, record_ids: pa.ChunkedArray, pairs: tuple[Ints, Ints], count: int) -> list[TeachingPair]:
    """Greedy: the pattern with most doubt, most pairs and least in common with what was asked before; then again."""
    asked = _open_pairs(scorer, *pairs)
    link = scorer.model.link
    doubt = _entropy((asked.weight.astype(np.float64) - link) / WEIGHT_ONE_BIT)
    order = np.lexsort((asked.right, asked.left, -doubt, asked.pattern))
    first = np.searchsorted(asked.pattern[order], np.arange(len(asked.alike)))
    worth = doubt[order[first]] * np.log2(1 + asked.alike)
    asked_before = np.zeros(len(worth))
    times = np.zeros(len(worth), dtype=np.int64)
    ids = record_ids.to_numpy()
    chosen = []
    for _ in range(min(count, len(order))):
        teaches = np.where(times < asked.alike, worth * _LEFT_BY_AN_ANSWER**asked_before, -1)
        pattern = int(np.argmax(teaches))
        at = int(order[first[pattern] + times[pattern]])
        times[pattern] += 1
        chosen.append(
            TeachingPair(
                scorer.kind,
                int(ids[asked.left[at]]),
                int(ids[asked.right[at]]),
                int(asked.weight[at]),
                link,
                float(teaches[pattern]),
                int(asked.alike[pattern]),
                _named(scorer, asked.columns, asked.levels[pattern]),
            )
        )
        likeness = (asked.levels == asked.levels[pattern]).mean(axis=1)
        asked_before += likeness**_LIKENESS_POWER
    return chosen


def _open_pairs(scorer: Scorer, left: Ints, right: Ints) -> _Open:
    vectors = scorer.comparer.vectors(left, right)
    stacked = np.column_stack(list(vectors.values()))
    levels, of, alike = np.unique(stacked, axis=0, return_inverse=True, return_counts=True)
    weight = scorer.weigh(vectors, left, right)
    pattern = of.reshape(-1).astype(np.int64)
    return _Open(left, right, weight, pattern, tuple(vectors), levels, alike.astype(np.int64))


def _entropy(bits_from_link: Reals) -> Reals:
    """Doubt in bits: 1 at the threshold, 0 far from it."""
    share = 1 / (1 + np.exp2(np.clip(np.abs(bits_from_link), 0, 60)))
    return np.asarray(-(share * np.log2(share) + (1 - share) * np.log2(1 - share)), dtype=np.float64)


def _named(scorer: Scorer, columns: tuple[str, ...], codes: Levels) -> dict[str, str]:
    names = scorer.comparer.columns
    return {name: names[name][code - 1] for name, code in zip(columns, codes.tolist(), strict=True) if code}
