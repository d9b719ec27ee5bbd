"""Training without labels: u from random pairs, m by EM per blocking pass, term frequencies; all shrunk to
the priors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.blocking.caps import PAIRS_PER_RECORD, learnt_caps
from identity.blocking.pairing import RuleBlocks, sampled_pairs
from identity.clustering.points import Points
from identity.comparison.compare import level_names
from identity.comparison.score import TERM_FIELDS
from identity.encoded import Ints
from identity.hashing import Hashes, mix
from identity.memory import give_back
from identity.model import (
    ColumnModel,
    KindModel,
    LevelWeight,
    MatchModel,
    bits,
    kin_frequency,
    level_weight,
    log_odds,
    with_prior,
)
from identity.parallel import in_parallel
from identity.register import Register
from identity.schema import KINDS, WEIGHT_ONE_BIT
from identity.settings import DOCUMENTS, BlockingRule, KindSettings, MatchingSettings
from identity.training.counting import Counts
from identity.training.em import Patterns, Reals, at_most, expect_matches, level_counts, shrunk
from identity.training.observed import Asked, InMemory, Observed, alternatives, patterns, weighed_patterns
from identity.training.terms import term_adjustments

RANDOM_PAIRS: Final = 500_000
"""Random pairs, at the most, from which u is estimated."""
_LEAST_RANDOM_PAIRS: Final = 250_000
_RANDOM_PAIRS_EACH: Final = 50  # ... and for each record
PAIRS_PER_PASS: Final = 50_000
PAIRS_FOR_ODDS: Final = 500_000  # candidate pairs from which the share of matches is estimated
PAIRS_FOR_CAPS: Final = 2_000_000
"""Candidate pairs, at the least, among which the matches of large blocks are looked for."""
_PAIRS_FOR_CAPS_EACH: Final = (
    2  # ... and for each record, since matches grow rarer among the candidates of many records
)
_MOST_PER_PASS: Final = 5_000.0  # matches that one pass may speak for, so that no rule outvotes the others
_M_STRENGTH: Final = 200.0
_U_STRENGTH: Final = 0.05  # of the random pairs
_TOGETHER: Final = 4.0
"""How many times more often the given names of two people agree when their family names do."""
_KIN_STRENGTH: Final = 100.0
"""How many matches the shipped odds of kin are worth."""
_LEAST_RECORDS: Final = 200
"""With fewer records of a kind its model stays at the priors."""


def train(
    records: pa.Table,
    identifiers: pa.Table,
    settings: MatchingSettings,
    base: MatchModel,
    version: int,
    distinct_sources: Collection[str] = (),
) -> MatchModel:
    """A model of these RECORD and IDENTIFIER tables as version `version`; `base` gives the priors.

    `distinct_sources` hold each client once: pairs of their own records are known not to match. Deterministic:
    records are put in natural order before anything is drawn, and pairs are drawn by hash.
    """
    return train_register(Register(records, identifiers, settings), base, version, distinct_sources)


def train_register(
    register: Register, base: MatchModel, version: int, distinct_sources: Collection[str] = ()
) -> MatchModel:
    """`train` on a register that something else may look at too, such as `resolve_register`."""
    model = train_observed(
        (InMemory(register.evidence(kind), distinct_sources) for kind in KINDS), register.settings, base, version
    )
    give_back(register.records.num_rows)
    return model


def train_observed(
    observed: Iterable[Observed], settings: MatchingSettings, base: MatchModel, version: int
) -> MatchModel:
    """`train` on the records of each kind, wherever they are compared."""
    kinds = {
        one.kind: _Trainer(one, settings, base.kind(one.kind)).model()
        if len(one.holders) >= _LEAST_RECORDS
        else base.kind(one.kind)
        for one in observed
    }
    return MatchModel(version, "trained", kinds["person"], kinds["organisation"], base.component_bound)


@dataclass(frozen=True)
class _Sample:
    """Some of the candidate pairs; each is asked about how many pairs of records it stands for."""

    asked: Asked
    share: float  # of all of them


class _Trainer:
    """The training of one kind."""

    def __init__(self, observed: Observed, settings: MatchingSettings, base: KindModel) -> None:
        self._observed = observed
        self._kind, self._rules, self._settings = observed.kind, observed.settings, settings
        self._base = replace(base, words=observed.words(base.words))
        # Records of one distinct register have its number, any other a number of its own: equal ones are no match.
        self._register = observed.holders
        self._columns = tuple(level_names(self._kind, self._rules))

    def model(self) -> KindModel:
        """The trained model: u first, then m with u held, then the prior and the thresholds that follow."""
        columns = self._base.columns.items()
        m = {name: np.array([level.m for level in column.levels]) for name, column in columns}
        u = {name: np.array([level.u for level in column.levels]) for name, column in columns}
        points = self._observed.points(self._base)
        blocks = self._observed.blocks(points, self._settings.block_cap)
        *sample, drawn = sampled_pairs(blocks, len(self._register), PAIRS_FOR_ODDS)
        left, right = self._open(*sample)
        size = points.sizes[points.of]
        sampled = _Sample(Asked(left, right, size[left] * size[right], once=False), drawn)
        prior, _ = self._odds(self._base, points, sampled)
        u = self._chance(u, prior, points, blocks)
        if "name.given" in u:
            u["name.given"] = _given_family(u["name.given"])
        matched = {name: np.zeros(len(level)) for name, level in m.items()}
        counts = self._observed.count(self._base, patterns, self._proposed(blocks))

        def of_rule(rule: tuple[int, BlockingRule]) -> dict[str, Reals]:
            return self._pass(rule[1], counts.only(rule[0]), m, u)

        for found in in_parallel(of_rule, enumerate(self._rules.blocking), len(counts.pairs)):
            for name, seen in found.items():
                matched[name] += seen
        # The passes see the same matches again and again; together they say no more than there are matches.
        matches = 2**prior * self._pairs
        for seen in matched.values():
            np.multiply(seen, min(1.0, matches / max(float(seen.sum()), 1e-9)), out=seen)
        trained = self._with({name: shrunk(matched[name], m[name], _M_STRENGTH) for name in m}, u)
        prior, kin = self._odds(trained, points, sampled)
        model = replace(with_prior(trained, self._rules, prior), kin=bits(kin))
        return replace(model, caps=self._caps(model, blocks, int(points.is_representative.sum())))

    def _caps(self, model: KindModel, blocks: list[RuleBlocks], records: int) -> dict[str, int]:
        """How large a block of each rule may grow, by those of a sample of candidate pairs that may be matches."""
        if sum(found.pairs for found in blocks) <= PAIRS_PER_RECORD * records:
            return {}
        wanted = max(PAIRS_FOR_CAPS, _PAIRS_FOR_CAPS_EACH * records)
        left, right, share = sampled_pairs(blocks, len(self._register), wanted)
        # Learnt from are only those that are more probably a match than not.
        least = max(model.plausible, -model.prior)
        left, right, weight = self._observed.weighing(model, self._open(left, right), least)
        probable = 1 / (1 + np.exp2(-np.clip((weight + model.prior) / WEIGHT_ONE_BIT, -60, 60)))
        return learnt_caps(self._rules, blocks, (left, right), probable, share, records)

    def _proposed(self, blocks: list[RuleBlocks]) -> Asked:
        """Some of the pairs that each blocking rule proposes, asked about it by its index."""
        found = [self._open(*of_rule.drawn(PAIRS_PER_PASS)) for of_rule in blocks]
        left, right = (
            np.concatenate([np.zeros(0, dtype=np.int64), *(pairs[side] for pairs in found)]) for side in (0, 1)
        )
        return Asked(left, right, np.repeat(np.arange(len(found)), [len(pairs[0]) for pairs in found]))

    def _open(self, left: Ints, right: Ints) -> tuple[Ints, Ints]:
        """The pairs that no distinct register holds apart."""
        open_pairs = self._register[left] != self._register[right]
        return left[open_pairs], right[open_pairs]

    def _chance(self, u: dict[str, Reals], prior: float, points: Points, blocks: list[RuleBlocks]) -> dict[str, Reals]:
        """u of every level. How often names agree in part by chance is asked of different firms: one that was written
        down a thousand times would else be taken for a thousand that agree by chance. Whole names are asked of all
        records, since namesakes may look like one firm."""
        everybody, pairs = np.arange(len(self._register), dtype=np.int64), pairs_for_chance(len(self._register))
        found = self._random(u, prior, everybody, pairs)
        if self._kind == "person" or "name" not in found:
            return found
        different = self._different(points, blocks, prior)
        firms = self._random(u, prior, different, pairs // 4)["name"]
        partly = np.array([not level.name.startswith("exact") for level in self._base.columns["name"].levels[:-1]])
        name = found["name"][:-1]
        name = np.where(partly, np.minimum(name, firms[:-1]), name)
        return found | {"name": np.append(name, 1 - name.sum())}

    def _different(self, points: Points, blocks: list[RuleBlocks], prior: float) -> Ints:
        """The first row of each of the groups that link by themselves."""
        count = len(self._register)
        least = math.ceil((log_odds(self._rules.link_at) - prior) * WEIGHT_ONE_BIT)
        left, right = self._open(*self._observed.plausible(replace(self._base, plausible=least), blocks))
        ends = np.concatenate([left, np.arange(count)]), np.concatenate([right, points.row[points.of]])
        graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(count, count))
        first: Ints = np.unique(connected_components(graph, directed=False)[1], return_index=True)[1]
        return np.sort(first).astype(np.int64)

    def _random(self, u: dict[str, Reals], prior: float, rows: Ints, wanted: int) -> dict[str, Reals]:
        """u of every level from random pairs of `rows`, each counted by how surely it is no match that chance put
        among them; `prior` is the log2 of the odds of one."""
        left, right = (rows[side] for side in random_pairs(len(rows), wanted))
        counts = self._observed.count(self._base, weighed_patterns, Asked(left, right, np.zeros_like(left)))
        weight = counts.seen[:, -1] / WEIGHT_ONE_BIT
        unmatched = counts.pairs / (1 + np.exp2(np.clip(weight + prior, -60, 60)))
        # Where all are one client there is no pair to ask, and the prior stays.
        strength = _U_STRENGTH * max(float(unmatched.sum()), 1.0)
        shown = Patterns.of_counts(self._columns, counts)
        return {
            name: shrunk(level_counts(shown, at, len(u[name]), unmatched), u[name], strength)
            for at, name in enumerate(shown.columns)
        }

    def _pass(self, rule: BlockingRule, counts: Counts, m: dict[str, Reals], u: dict[str, Reals]) -> dict[str, Reals]:
        """What the pairs that one blocking rule proposes say of m: expected counts of levels among its
        matches."""
        if len(counts.pairs) == 0:
            return {}
        shown = Patterns.of_counts(self._columns, counts)
        free = [name for name in shown.columns if name not in blocked_columns(rule, self._rules)]
        found = expect_matches(shown, m, u, free)
        return {name: at_most(seen, _MOST_PER_PASS) for name, seen in found.items()}

    def _with(self, m: dict[str, Reals], u: dict[str, Reals]) -> KindModel:
        columns = {}
        for name, column in self._base.columns.items():
            if name == DOCUMENTS:  # random pairs and EM say nothing of them
                columns[name] = column
                continue
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
                terms, unseen = term_adjustments(self._observed.sightings(TERM_FIELDS[name]), float(u[name][0]))
            columns[name] = ColumnModel(levels, terms, unseen)
        return replace(self._base, columns=columns, pooled=True)

    @property
    def _pairs(self) -> float:
        """How many pairs of records may be one client."""
        count = len(self._register)
        _, held = np.unique(self._register, return_counts=True)
        return max((count * (count - 1) - float((held * (held - 1)).sum())) / 2, 1.0)

    def _odds(self, model: KindModel, points: Points, sample: _Sample) -> tuple[float, float]:
        """log2 of the odds that any two records are one client, and of kin against one client, from the weights of a
        sample of the candidates; a point that stands for several records makes as many pairs."""
        counts = self._observed.count(model, alternatives, sample.asked)
        strangers, kinship = (np.clip(weight / WEIGHT_ONE_BIT, -60, 60) for weight in counts.seen.T)
        stands_for = (counts.about * counts.pairs) / sample.share
        alike = float((points.sizes * (points.sizes - 1) // 2).sum())
        prior, shipped = -math.log2(len(self._register)), 2 ** (self._base.kin / WEIGHT_ONE_BIT)
        kin, pairs = shipped, self._pairs
        for _ in range(50):
            one_client = np.exp2(np.clip(strangers + prior, -60, 60))
            related = kin * np.exp2(np.clip(strangers - kinship + prior, -60, 60))
            share = stands_for / (1 + one_client + related)
            expected = max(alike + float((share * one_client).sum()), 1.0)
            kin = (float((share * related).sum()) + _KIN_STRENGTH * shipped) / (expected + _KIN_STRENGTH)
            prior = log_odds(min(expected / pairs, 0.5))
        return prior, math.log2(kin)


def _given_family(u: Reals) -> Reals:
    """u of given names among people of one family name: sex, language and time choose both, so that they
    agree more often than among any two people. The last two levels are those of different names."""
    agreeing, apart = u[:-2], u[-2:]
    agreeing = np.minimum(agreeing * _TOGETHER, 0.5 * agreeing / max(float(agreeing.sum()), 1e-9))
    return np.append(agreeing, apart * ((1 - agreeing.sum()) / max(float(apart.sum()), 1e-9)))


def _no_better_than_exact(levels: tuple[LevelWeight, ...]) -> tuple[LevelWeight, ...]:
    """Levels of which none weighs more than the first: to agree less is not to say more."""
    most = levels[0].weight
    return tuple(replace(level, weight=min(level.weight, most)) for level in levels)


def pairs_for_chance(count: int) -> int:
    """From how many random pairs u is estimated, of so many records.

    The relative standard error of u from N pairs is sqrt((1 - u) / (N * u)) before it is shrunk, and log2(e) times as
    many bits of the weight: of 250,000 pairs .03 bits where u is 1 %, .09 where it is .1 %, .29 where it is .01 %; of
    500,000 pairs .02, .06 and .2. The more records, the more strangers there are among whom a level may hold.
    """
    return min(max(_LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_EACH * count), RANDOM_PAIRS)


def random_pairs(count: int, wanted: int) -> tuple[Ints, Ints]:
    """About `wanted` pairs of different positions, drawn by hash: the same for the same count."""
    number: Hashes = mix(np.arange(1, 2 * wanted + 1, dtype=np.uint64))
    drawn = (number % np.uint64(count)).astype(np.int64)
    left, right = drawn[:wanted], drawn[wanted:]
    return left[left != right], right[left != right]


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
