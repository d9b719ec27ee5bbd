"""Training without labels: u from random pairs, m by EM per blocking pass, term frequencies; all shrunk to
the priors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking import candidate_pairs, keys_by_rule
from identity.em import Reals, expect_matches, level_counts, patterns_of, shrunk
from identity.features import Features, Flags, Ints, Values, in_natural_order
from identity.generic import generic_values
from identity.hashing import Hashes, mix
from identity.model import ColumnModel, KindModel, LevelWeight, MatchModel, bits, log_odds, with_prior
from identity.points import points_of
from identity.schema import BLOCKING_KEY, KINDS
from identity.score import TERM_FIELDS, Scorer
from identity.settings import BlockingRule, KindSettings, MatchingSettings
from identity.similarity import share_a_value
from identity.terms import term_adjustments, word_weights

RANDOM_PAIRS: Final = 1_000_000
PAIRS_PER_PASS: Final = 100_000
_MOST_PER_PASS: Final = 5_000.0  # matches that one pass may speak for, so that no rule outvotes the others
_M_STRENGTH: Final = 200.0
_U_STRENGTH: Final = 0.05  # of the random pairs
_LEAST_RECORDS: Final = 50
"""With fewer records of a kind its model stays at the priors."""


def train(
    records: pa.Table, identifiers: pa.Table, settings: MatchingSettings, base: MatchModel, version: int
) -> MatchModel:
    """A model of these RECORD and IDENTIFIER tables as version `version`; `base` gives the priors.

    Deterministic: records are put in natural order before anything is drawn, and pairs are drawn by hash.
    """
    records = in_natural_order(records)
    generic = generic_values(records, identifiers, settings.generic_names)
    kinds = {}
    for kind in KINDS:
        mine = records.filter(pc.and_(pc.equal(records["kind"], kind), pc.invert(records["is_own"])))
        if mine.num_rows < _LEAST_RECORDS:
            kinds[kind] = base.kind(kind)
            continue
        features = Features.of(mine, identifiers, generic.filter(pc.equal(generic["kind"], kind)))
        kinds[kind] = _Trainer(features, kind, settings, base.kind(kind)).model()
    return MatchModel(version, "trained", kinds["person"], kinds["organisation"], base.component_bound)


class _Trainer:
    """The training of one kind."""

    def __init__(self, features: Features, kind: str, settings: MatchingSettings, base: KindModel) -> None:
        self._features = features
        self._kind = kind
        self._settings = settings
        self._rules = settings.kind(kind)
        self._words = word_weights(features, base.words) if kind == "organisation" else base.words
        self._base = replace(base, words=self._words)
        self._scorer = Scorer(features, kind, self._rules, self._base)

    def model(self) -> KindModel:
        """The trained model: u first, then m with u held, then the thresholds that follow."""
        columns = self._base.columns.items()
        m = {name: np.array([level.m for level in column.levels]) for name, column in columns}
        u = self._random({name: np.array([level.u for level in column.levels]) for name, column in columns})
        everybody = np.ones(len(self._features), dtype=np.bool_)
        keys = keys_by_rule(self._features, self._kind, self._rules, everybody)
        chosen = points_of(self._scorer, self._features, self._rules, everybody).is_representative[keys.row]
        key, row, rule_of = keys.key[chosen], keys.row[chosen], keys.rule[chosen]
        cap = self._settings.block_cap
        found = candidate_pairs(pa.table({"key": key, "record_id": row}, schema=BLOCKING_KEY), cap).pairs
        order = found.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
        left, right = order["left_id"].to_numpy(), order["right_id"].to_numpy()
        block, size = np.unique(key, return_counts=True)
        active = size[np.searchsorted(block, key)] <= cap
        matched = {name: np.zeros(len(level)) for name, level in m.items()}
        for index, rule in enumerate(self._rules.blocking):
            mine = active & (rule_of == index)
            at = np.flatnonzero(share_a_value(_values(len(self._features), row[mine], key[mine]), left, right))
            at = at[_drawn(at.astype(np.uint64), PAIRS_PER_PASS)]
            for name, counts in self._pass(rule, left[at], right[at], m, u).items():
                matched[name] += counts
        trained = self._with({name: shrunk(matched[name], m[name], _M_STRENGTH) for name in m}, u)
        return self._thresholds(trained, left, right)

    def _random(self, u: dict[str, Reals]) -> dict[str, Reals]:
        """u of every level from random pairs, without the matches that chance puts among them."""
        left, right = random_pairs(len(self._features), RANDOM_PAIRS)
        vectors = self._scorer.comparer.vectors(left, right)
        weight = self._scorer.weigh(vectors, left, right) / 1024 - math.log2(max(len(self._features), 2))
        unmatched = weight < 0
        patterns = patterns_of({name: levels[unmatched] for name, levels in vectors.items()})
        counts = patterns.counts.astype(np.float64)
        strength = _U_STRENGTH * counts.sum()
        return {
            name: shrunk(level_counts(patterns, at, len(u[name]), counts), u[name], strength)
            for at, name in enumerate(patterns.columns)
        }

    def _pass(
        self, rule: BlockingRule, left: Ints, right: Ints, m: dict[str, Reals], u: dict[str, Reals]
    ) -> dict[str, Reals]:
        """What the pairs that one blocking rule proposes say of m: expected counts of levels among its
        matches."""
        if len(left) == 0:
            return {}
        patterns = patterns_of(self._scorer.comparer.vectors(left, right))
        free = [name for name in patterns.columns if name not in blocked_columns(rule, self._rules)]
        found = expect_matches(patterns, m, u, free)
        return {name: counts * min(1.0, _MOST_PER_PASS / max(counts.sum(), 1e-9)) for name, counts in found.items()}

    def _with(self, m: dict[str, Reals], u: dict[str, Reals]) -> KindModel:
        columns = {}
        for name, column in self._base.columns.items():
            levels = tuple(
                LevelWeight(level.name, float(a), float(b), bits(math.log2(a / b)))
                for level, a, b in zip(column.levels, m[name], u[name], strict=True)
            )
            terms: dict[str, int] = {}
            unseen = 0
            setting = self._rules.compare.get(name.partition(".")[0])
            if setting is not None and setting.term_frequency and name in TERM_FIELDS:
                terms, unseen = term_adjustments(self._features, TERM_FIELDS[name], float(u[name][0]))
            columns[name] = ColumnModel(levels, terms, unseen)
        return replace(self._base, columns=columns, pooled=True)

    def _thresholds(self, model: KindModel, left: Ints, right: Ints) -> KindModel:
        """The prior of a match among all pairs, from the candidates' weights, and the thresholds that
        follow."""
        weight = Scorer(self._features, self._kind, self._rules, model).score(left, right).weight / 1024
        count = len(self._features)
        pairs = count * (count - 1) / 2
        prior = -math.log2(count)
        for _ in range(50):
            expected = float((1 / (1 + np.exp2(-np.clip(weight + prior, -60, 60)))).sum())
            prior = log_odds(min(max(expected, 1.0) / pairs, 0.5))
        return with_prior(model, self._rules, prior)


def _values(count: int, rows: Ints, keys: Ints) -> Values:
    order = np.argsort(rows, kind="stable")
    _, codes = np.unique(keys[order], return_inverse=True)
    offsets = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=count), out=offsets[1:])
    return Values(pa.array([], pa.string()), offsets, codes.astype(np.int32))


def random_pairs(count: int, wanted: int) -> tuple[Ints, Ints]:
    """About `wanted` pairs of different positions, drawn by hash: the same for the same count."""
    number: Hashes = mix(np.arange(1, 2 * wanted + 1, dtype=np.uint64))
    drawn = (number % np.uint64(count)).astype(np.int64)
    left, right = drawn[:wanted], drawn[wanted:]
    return left[left != right], right[left != right]


def _drawn(numbers: Hashes, most: int) -> Flags:
    """Which of the numbers are drawn so that about `most` remain, by hash."""
    if len(numbers) <= most:
        return np.ones(len(numbers), dtype=np.bool_)
    drawn: Flags = mix(numbers + np.uint64(1)) < np.uint64(int(2**64 * (most / len(numbers))))
    return drawn


def blocked_columns(rule: BlockingRule, settings: KindSettings) -> set[str]:
    """The columns that agree by construction in the pairs of a rule."""
    found: set[str] = set()
    for value in rule:
        if value.field in ("given_name", "middle_name", "family_name"):
            found |= {f"name.{value.field.removesuffix('_name')}", "name.full", "name"}
        elif value.field in ("full_name", "org_name"):
            found |= {"name", "name.family", "name.given", "name.middle", "name.full"}
        elif value.field in ("street", "house", "postcode", "city", "region", "country"):
            found |= {"address", value.field}
        elif value.field == "identifier":
            found |= {name for name in settings.compare if name not in _NOT_IDENTIFIERS}
        else:
            found.add(value.field)
    return found


_NOT_IDENTIFIERS: Final = frozenset(
    {"name", "address", "birth_date", "gender", "birth_place", "occupation", "legal_form", "country"}
)
