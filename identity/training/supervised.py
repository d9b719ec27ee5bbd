"""Training from judgements: a logistic regression on the comparison vectors, laid over an unsupervised model.

The regression's columns are the model's own log odds and one indicator per level, so that few judgements correct the
weights a little and none leave them as they are. What comes out is an ordinary MatchModel. It is taken for a kind only
if it foretells judgements that it has not seen better than the model that it corrects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.comparison.score import Scorer
from identity.encoded import Flags, Ints, Levels
from identity.features import Features, in_natural_order, positions
from identity.generic import generic_values
from identity.model import KindModel, MatchModel, bits, log_odds, with_prior
from identity.schema import CROSSWALK, KINDS, WEIGHT_ONE_BIT
from identity.settings import KindSettings, MatchingSettings

Reals = npt.NDArray[np.float64]

LEAST_JUDGEMENTS: Final = 20
"""Of a kind, before its weights are corrected at all."""
LEAST_OF_EACH: Final = 5
"""... of them `same`, and `not_same`."""
_FOLDS: Final = 5
_PAIRS_PER_JUDGEMENT: Final = 50
_BASE_WORTH: Final = 20.0
"""How many judgements the calibration of the unsupervised model is worth."""
_ANCHORS: Final = np.linspace(-8, 8, 33)  # bits of log odds at which it is held
_SPREADS: Final = (0.5, 1.0, 2.0, 4.0)
"""By how many nats a level's weight may be expected to be off (the standard deviation of its correction); which of
these, is decided by what held-back judgements say."""
_UNPENALISED: Final = 10.0  # scale of the log odds' column: the penalty hardly sees its slope
_MOST_BITS: Final = 40.0  # beyond this a pair is certain


@dataclass(frozen=True)
class Measures:
    """How well judgements are foretold: log loss in bits per judgement, F1 at the link threshold."""

    log_loss: float
    f1: float


@dataclass(frozen=True)
class KindOutcome:
    """What judgements made of the model of one kind; measures are cross-validated, by client."""

    kind: str
    status: Literal["better", "not_better", "too_few"]
    same: int  # judgements with a usable pair
    not_same: int
    pairs: int
    unsupervised: Measures | None = None
    supervised: Measures | None = None


@dataclass(frozen=True)
class _Judged:
    """Judged pairs of one kind, as comparison vectors; `share` sums to 1 over the pairs of a judgement."""

    judgement: Ints
    same: Flags
    share: Reals
    group: Ints  # pairs whose clients hang together share one
    odds: Reals  # bits, by the unsupervised model
    levels: Levels  # pairs x columns
    columns: tuple[tuple[str, int], ...]  # name and number of levels

    def count(self, verdict: bool) -> int:
        """Judgements of that verdict."""
        return len(np.unique(self.judgement[self.same == verdict]))


@dataclass(frozen=True)
class _Correction:
    """Log odds in bits become slope * odds + one correction per level that holds.

    There is no constant beside them: what speaks against strangers and what against kin then change alike.
    """

    slope: float
    levels: Mapping[str, Reals]

    def of(self, judged: _Judged, rows: Flags) -> Reals:
        """The corrected log odds of some pairs, in bits."""
        total: Reals = self.slope * judged.odds[rows]
        for at, (name, _) in enumerate(judged.columns):
            total += np.concatenate([[0.0], self.levels[name]])[judged.levels[rows, at]]
        return total


def train_from_judgements(
    records: pa.Table,
    identifiers: pa.Table,
    judgements: pa.Table,
    settings: MatchingSettings,
    base: MatchModel,
    version: int,
    clients: pa.Table | None = None,
    generic: pa.Table | None = None,
) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
    """`base` (made for these settings) corrected by JUDGEMENT rows, as version `version`, and how well each kind fares.

    A kind that has too few judgements, or is not foretold better, keeps the weights of `base`. `clients` (CROSSWALK):
    records that never stand on both sides of the cross-validation. `generic` (GENERIC): that of the whole register,
    where these are only the records that judgements name. Same input, same bits, in any order.
    """
    records = in_natural_order(records)
    if generic is None:
        generic = generic_values(records, identifiers, settings.generic_names)
    kinds, outcomes = {}, []
    for kind in KINDS:
        mine = records.filter(pc.and_(pc.equal(records["kind"], kind), pc.invert(records["is_own"])))
        features = Features.of(mine, identifiers, generic.filter(pc.equal(generic["kind"], kind)))
        scorer = Scorer(features, kind, settings.kind(kind), base.kind(kind))
        judged = _judged(scorer, mine["record_id"], judgements, CROSSWALK.empty_table() if clients is None else clients)
        outcome, spread = _outcome(kind, judged, settings.kind(kind).link_at)
        kinds[kind] = base.kind(kind)
        if outcome.status == "better":
            everything = np.ones(len(judged.same), dtype=np.bool_)
            kinds[kind] = _corrected(kinds[kind], settings.kind(kind), _fit(judged, everything, spread))
        outcomes.append(outcome)
    model = MatchModel(version, "supervised", kinds["person"], kinds["organisation"], base.component_bound)
    return model, tuple(outcomes)


def _judged(scorer: Scorer, record_ids: pa.ChunkedArray, judgements: pa.Table, clients: pa.Table) -> _Judged:
    """The pairs that judgements speak of, without those that a contradiction decides whatever the weights."""
    ids = [ends for row in judgements.sort_by("judgement_id").to_pylist() for ends in _pairs_of(row)]
    table = np.array(ids, dtype=np.int64).reshape(-1, 4)
    ends = [positions(record_ids, pa.chunked_array([table[:, at]])) for at in (2, 3)]
    left, right = np.minimum(*ends), np.maximum(*ends)
    known = (left >= 0) & (left != right)
    table, left, right = table[known], left[known], right[known]
    possible = ~scorer.comparer.contradicts(left, right)
    table, left, right = table[possible], left[possible], right[possible]
    kept = np.concatenate([_first(table[:, 0], left, right), np.zeros(0, dtype=np.int64)])
    judgement, same = table[kept, 0], table[kept, 1].astype(np.bool_)
    left, right = left[kept], right[kept]
    vectors = scorer.comparer.vectors(left, right)
    _, of, number = np.unique(judgement, return_inverse=True, return_counts=True)
    odds = (scorer.weigh(vectors, left, right).astype(np.float64) + scorer.model.prior) / WEIGHT_ONE_BIT
    return _Judged(
        judgement=judgement,
        same=same,
        share=1.0 / number[of] if len(of) else np.zeros(0),
        group=_hanging_together(left, right, record_ids, clients),
        odds=np.clip(odds, -_MOST_BITS, _MOST_BITS),
        levels=np.column_stack(list(vectors.values())),
        columns=tuple((name, len(scorer.comparer.columns[name])) for name in vectors),
    )


def _pairs_of(judgement: Mapping[str, Any]) -> Iterator[tuple[int, bool, int, int]]:
    """judgement_id, whether `same`, and the two record ids of every pair."""
    left, right = judgement["left_ids"], judgement["right_ids"]
    same = judgement["verdict"] == "same"
    if same and not right:
        left, right = left[:1], left[1:]
    for one in left:
        for two in right:
            yield judgement["judgement_id"], same, one, two


def _first(judgement: Ints, left: Ints, right: Ints) -> Ints:
    """Rows of the first pairs of each judgement, in natural order."""
    order = np.lexsort((right, left, judgement))
    starts = np.flatnonzero(np.diff(judgement[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.asarray(order[rank < _PAIRS_PER_JUDGEMENT], dtype=np.int64)


def _hanging_together(left: Ints, right: Ints, record_ids: pa.ChunkedArray, clients: pa.Table) -> Ints:
    """A number per pair, the same for pairs whose records share a client or another judged pair."""
    at = positions(record_ids, clients["record_id"])
    code = clients["client_id"].combine_chunks().dictionary_encode().indices.to_numpy()[at >= 0]
    at = at[at >= 0]
    count = len(record_ids)
    ends = np.concatenate([left, at]), np.concatenate([right, count + code])
    size = count + int(code.max(initial=-1)) + 1
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][left], dtype=np.int64)


def _outcome(kind: str, judged: _Judged, link_at: float) -> tuple[KindOutcome, float]:
    """How judgements are foretold that were held back, and the spread of corrections that foretells them best."""
    same, not_same, pairs = judged.count(True), judged.count(False), len(judged.same)
    if same + not_same < LEAST_JUDGEMENTS or min(same, not_same) < LEAST_OF_EACH:
        return KindOutcome(kind, "too_few", same, not_same, pairs), _SPREADS[0]
    before = _measures(judged, judged.odds, link_at)
    tried = [(_measures(judged, _foretold(judged, spread), link_at), spread) for spread in _SPREADS]
    after, spread = min(tried, key=lambda found: (round(found[0].log_loss, 6), found[1]))
    better = after.log_loss < before.log_loss and after.f1 >= before.f1
    return KindOutcome(kind, "better" if better else "not_better", same, not_same, pairs, before, after), spread


def _foretold(judged: _Judged, spread: float) -> Reals:
    """Of each pair the log odds, in bits, by a fit on the folds that its client is not in."""
    result = np.zeros(len(judged.same))
    for fold in _folds(judged):
        result[fold] = _fit(judged, ~fold, spread).of(judged, fold)
    return result


def _folds(judged: _Judged) -> Iterator[Flags]:
    """Pairs to be foretold from the others; a client never stands on both sides. Largest groups are dealt first."""
    groups, first, of = np.unique(judged.group, return_index=True, return_inverse=True)
    weight = np.bincount(of, weights=judged.share)
    fold_of = np.zeros(len(groups), dtype=np.int64)
    load = np.zeros(min(_FOLDS, len(groups)))
    for group in np.lexsort((first, -np.round(weight, 6))).tolist():
        fold = int(np.argmin(np.round(load, 6)))
        fold_of[group] = fold
        load[fold] += weight[group]
    for fold in range(len(load)):
        yield fold_of[of] == fold


def _fit(judged: _Judged, rows: Flags, spread: float) -> _Correction:
    """The regression on some pairs, and on anchors that hold the slope near 1."""
    from recordlinkage import LogisticRegressionClassifier  # a second to import

    odds, levels = judged.odds[rows] * math.log(2), judged.levels[rows]
    anchor = _ANCHORS * math.log(2)
    probable = 1 / (1 + np.exp(-anchor))
    worth = _BASE_WORTH / len(anchor)
    indicators = [levels[:, at] == level for at, (_, size) in enumerate(judged.columns) for level in range(1, size + 1)]
    slope_column = np.concatenate([odds, anchor, anchor]) * _UNPENALISED
    level_columns = np.zeros((len(slope_column), len(indicators)))
    level_columns[: len(odds)] = np.column_stack(indicators)
    classes = np.concatenate([judged.same[rows], np.ones(len(anchor)), np.zeros(len(anchor))]).astype(np.int64)
    share = np.concatenate([judged.share[rows], worth * probable, worth * (1 - probable)])
    classifier = LogisticRegressionClassifier(
        solver="newton-cholesky", fit_intercept=False, C=spread**2, tol=1e-9, max_iter=500
    )
    # By its kernel: the wrapper's own fit takes no weights of pairs.
    classifier.kernel.fit(np.column_stack([slope_column, level_columns]), classes, sample_weight=share)
    slope, *corrections = classifier.coefficients.tolist()
    found: dict[str, Reals] = {}
    at = 0
    for name, size in judged.columns:
        found[name] = np.array(corrections[at : at + size]) / math.log(2)
        at += size
    return _Correction(slope * _UNPENALISED, found)


def _measures(judged: _Judged, odds: Reals, link_at: float) -> Measures:
    margin = np.where(judged.same, odds, -odds)
    loss = float((judged.share * np.logaddexp2(0, -margin)).sum() / judged.share.sum())
    said = odds >= log_odds(link_at)
    right = float(judged.share[said & judged.same].sum())
    claimed, real = float(judged.share[said].sum()), float(judged.share[judged.same].sum())
    return Measures(loss, 2 * right / (claimed + real))


def _corrected(model: KindModel, settings: KindSettings, correction: _Correction) -> KindModel:
    """Other weights; m and u stay those of the unsupervised model."""
    slope = correction.slope
    columns = {}
    for name, column in model.columns.items():
        added = correction.levels.get(name, np.zeros(len(column.levels))).tolist()
        columns[name] = replace(
            column,
            levels=tuple(
                replace(
                    level,
                    weight=bits(slope * level.weight / WEIGHT_ONE_BIT + more),
                    kin=None if level.kin is None else bits(slope * level.kin / WEIGHT_ONE_BIT + more),
                )
                for level, more in zip(column.levels, added, strict=True)
            ),
            terms={value: round(slope * weight) for value, weight in column.terms.items()},
            unseen_term=round(slope * column.unseen_term),
        )
    corrected = replace(model, columns=columns, kin=round(slope * model.kin))
    return with_prior(corrected, settings, slope * model.prior / WEIGHT_ONE_BIT)
