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
from identity.em import Reals, at_most, expect_matches, patterns_of, shrunk
from identity.features import Features, Flags, Ints, Values, in_natural_order
from identity.generic import generic_values
from identity.hashing import Hashes, mix
from identity.model import (
    ColumnModel,
    KindModel,
    LevelWeight,
    MatchModel,
    kin_frequency,
    level_weight,
    log_odds,
    with_prior,
)
from identity.points import Points, points_of
from identity.schema import BLOCKING_KEY, KINDS, WEIGHT_ONE_BIT
from identity.score import TERM_FIELDS, Scorer
from identity.settings import BlockingRule, KindSettings, MatchingSettings
from identity.similarity import share_a_value
from identity.terms import term_adjustments, word_weights

RANDOM_PAIRS: Final = 1_000_000
PAIRS_PER_PASS: Final = 100_000
_MOST_PER_PASS: Final = 5_000.0  # matches that one pass may speak for, so that no rule outvotes the others
_M_STRENGTH: Final = 200.0
_U_STRENGTH: Final = 0.05  # of the random pairs
_TOGETHER: Final = 4.0
"""How many times more often the given names of two people agree when their family names do."""
_LEAST_RECORDS: Final = 200
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
        """The trained model: u first, then m with u held, then the prior and the thresholds that follow."""
        columns = self._base.columns.items()
        m = {name: np.array([level.m for level in column.levels]) for name, column in columns}
        u = {name: np.array([level.u for level in column.levels]) for name, column in columns}
        everybody = np.ones(len(self._features), dtype=np.bool_)
        keys = keys_by_rule(self._features, self._kind, self._rules, everybody)
        points = points_of(self._scorer, self._features, self._rules, everybody)
        chosen = points.is_representative[keys.row]
        key, row, rule_of = keys.key[chosen], keys.row[chosen], keys.rule[chosen]
        cap = self._settings.block_cap
        found = candidate_pairs(pa.table({"key": key, "record_id": row}, schema=BLOCKING_KEY), cap).pairs
        order = found.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
        left, right = order["left_id"].to_numpy(), order["right_id"].to_numpy()
        prior = self._prior(self._scorer, points, left, right)
        u = self._random(u, prior)
        if "name.given" in u:
            u["name.given"] = _given_family(u["name.given"])
        block, size = np.unique(key, return_counts=True)
        active = size[np.searchsorted(block, key)] <= cap
        matched = {name: np.zeros(len(level)) for name, level in m.items()}
        for index, rule in enumerate(self._rules.blocking):
            mine = active & (rule_of == index)
            at = np.flatnonzero(share_a_value(_values(len(self._features), row[mine], key[mine]), left, right))
            at = at[_drawn(at.astype(np.uint64), PAIRS_PER_PASS)]
            for name, counts in self._pass(rule, left[at], right[at], m, u).items():
                matched[name] += counts
        # The passes see the same matches again and again; together they say no more than there are matches.
        matches = 2**prior * len(self._features) * (len(self._features) - 1) / 2
        for counts in matched.values():
            np.multiply(counts, min(1.0, matches / max(float(counts.sum()), 1e-9)), out=counts)
        trained = self._with({name: shrunk(matched[name], m[name], _M_STRENGTH) for name in m}, u)
        scorer = Scorer(self._features, self._kind, self._rules, trained)
        return with_prior(trained, self._rules, self._prior(scorer, points, left, right))

    def _random(self, u: dict[str, Reals], prior: float) -> dict[str, Reals]:
        """u of every level from random pairs, each counted by how surely it is no match that chance put among
        them; `prior` is the log2 of the odds of one."""
        left, right = random_pairs(len(self._features), RANDOM_PAIRS)
        vectors = self._scorer.comparer.vectors(left, right)
        weight = self._scorer.weigh(vectors, left, right) / WEIGHT_ONE_BIT
        unmatched = 1 / (1 + np.exp2(np.clip(weight + prior, -60, 60)))
        strength = _U_STRENGTH * float(unmatched.sum())
        return {
            name: shrunk(
                np.bincount(levels, weights=unmatched, minlength=len(u[name]) + 1)[1:].astype(np.float64),
                u[name],
                strength,
            )
            for name, levels in vectors.items()
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
        return {name: at_most(counts, _MOST_PER_PASS) for name, counts in found.items()}

    def _with(self, m: dict[str, Reals], u: dict[str, Reals]) -> KindModel:
        columns = {}
        for name, column in self._base.columns.items():
            levels = _no_better_than_exact(
                tuple(
                    level_weight(level.name, float(a), float(b), kin_frequency(self._kind, name, level.name))
                    for level, a, b in zip(column.levels, m[name], u[name], strict=True)
                )
            )
            terms: dict[str, int] = {}
            unseen = 0
            setting = self._rules.compare.get(name.partition(".")[0])
            if setting is not None and setting.term_frequency and name in TERM_FIELDS:
                terms, unseen = term_adjustments(self._features, TERM_FIELDS[name], float(u[name][0]))
            columns[name] = ColumnModel(levels, terms, unseen)
        return replace(self._base, columns=columns, pooled=True)

    def _prior(self, scorer: Scorer, points: Points, left: Ints, right: Ints) -> float:
        """log2 of the odds that any two records are one client, from the candidates' weights; a point that
        stands for several records makes as many pairs."""
        weight = scorer.score(left, right).weight / WEIGHT_ONE_BIT
        count = len(self._features)
        pairs = count * (count - 1) / 2
        size = points.sizes[points.of]
        stands_for = (size[left] * size[right]).astype(np.float64)
        alike = float((points.sizes * (points.sizes - 1) // 2).sum())
        prior = -math.log2(count)
        for _ in range(50):
            probable = 1 / (1 + np.exp2(-np.clip(weight + prior, -60, 60)))
            expected = alike + float((stands_for * probable).sum())
            prior = log_odds(min(max(expected, 1.0) / pairs, 0.5))
        return prior


def _given_family(u: Reals) -> Reals:
    """u of given names among people of one family name: sex, language and time choose both, so that they
    agree more often than among any two people."""
    agreeing = np.minimum(u[:-1] * _TOGETHER, 0.5 * u[:-1] / max(float(u[:-1].sum()), 1e-9))
    return np.append(agreeing, 1 - agreeing.sum())


def _no_better_than_exact(levels: tuple[LevelWeight, ...]) -> tuple[LevelWeight, ...]:
    """Levels of which none weighs more than the first: to agree less is not to say more."""
    most = levels[0].weight
    return tuple(replace(level, weight=min(level.weight, most)) for level in levels)


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
    {"name", "address", "birth_date", "gender", "birth_place", "occupation", "generation", "legal_form", "country"}
)
