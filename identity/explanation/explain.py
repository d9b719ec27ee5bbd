"""Why two records are, or are not, one client: levels in words and bits, and how blocking saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import block_limits, keys_by_rule
from identity.comparison.score import KIN, Scorer
from identity.comparison.similarity import shared_levels
from identity.features import Features, positions
from identity.model import MatchModel
from identity.parts import derive
from identity.schema import WEIGHT_ONE_BIT
from identity.settings import DOCUMENTS, BlockingRule, KindSettings, MatchingSettings, rule_name
from identity.shipped import shipped

GRAIN: Final = "grain"
"""What `explain_pair` calls the weight by which one number makes one client, or keeps two sites apart."""

Verdict = Literal["link", "review", "apart", "forbidden", "other_kind"]

_SHOWN = {
    "name": ("full_name", "org_name"),
    "name.family": ("family_name",),
    "name.given": ("given_name",),
    "name.middle": ("middle_name",),
    "name.full": ("full_name",),
    "address": ("postcode", "region", "city", "street", "house"),
}


@dataclass(frozen=True)
class Finding:
    """One column of the comparison: both values, the level they reached, what it adds."""

    column: str
    level: str
    left: str | None
    right: str | None
    weight: int  # 1/1024 bit
    words: Mapping[str, str]  # by language: `family name: nearly the same`

    @property
    def bits(self) -> float:
        """The weight in bits."""
        return self.weight / WEIGHT_ONE_BIT


@dataclass(frozen=True)
class RuleFinding:
    """How one blocking rule saw the pair."""

    rule: str
    outcome: Literal["shared", "over_cap", "differs", "missing"]
    size: int | None  # of the shared block, where known
    hindrances: tuple[str, ...]  # the values of the rule that differ or are missing


@dataclass(frozen=True)
class Evidence:
    """Everything that speaks for and against one pair. Weights in 1/1024 bit."""

    left_id: int
    right_id: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    total: int
    link: int
    review: int
    contradictions: tuple[str, ...]  # identifier types whose values exclude each other
    rules: tuple[RuleFinding, ...]
    prior: int = 0  # log2 of the odds of one client before anything is compared
    excluding: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)  # values that contradict

    @property
    def odds(self) -> int:
        """log2 of the odds that the two are one client: the prior and all evidence."""
        return self.prior + self.total

    @property
    def missing_bits(self) -> float:
        """How many bits are missing for a link of the two alone; 0 or less: none."""
        return (self.link - self.total) / WEIGHT_ONE_BIT

    @property
    def is_candidate(self) -> bool:
        """Some rule proposes the pair."""
        return any(rule.outcome == "shared" for rule in self.rules)


def explain_pair(
    records: pa.Table,
    identifiers: pa.Table,
    pair: tuple[int, int],
    model: MatchModel,
    settings: MatchingSettings,
    *,
    generic: pa.Table | None = None,
    block_sizes: Mapping[int, int] | None = None,
    proposed: bool = True,
) -> Evidence:
    """The evidence on two record ids of `records`, proposed by blocking or not.

    `generic`: GENERIC values that carry no weight. `block_sizes`: the sizes of the blocks by key, where
    known, to tell which shared keys are over the cap. Without `proposed` it is not asked which rules propose them.
    KeyError names a record that is not there.
    """
    at = positions(records["record_id"], pa.chunked_array([pa.array(pair, pa.int64())]))
    for record, position in zip(pair, at.tolist(), strict=True):
        if position < 0:
            raise KeyError(f"record {record} is not among the standard records")
    rows = records.take(pa.array(at))
    kinds = rows["kind"].to_pylist()
    if kinds[0] != kinds[1]:
        return Evidence(*pair, "other_kind", (), 0, 0, 0, (), ())
    kind = kinds[0]
    if generic is not None:
        generic = generic.filter(pc.equal(generic["kind"], kind))
    features = Features.of(rows, identifiers, generic)
    rules, kind_model = settings.kind(kind), model.kind(kind)
    scorer = Scorer(features, kind, rules, kind_model)
    left, right = np.array([0]), np.array([1])
    vectors = scorer.comparer.vectors(left, right)
    weights = scorer.parts(vectors, left, right)
    findings = []
    for column, levels in vectors.items():
        code = int(levels[0])
        level = "missing" if code == 0 else scorer.comparer.columns[column][code - 1]
        one, two = _shown(features, column, 0), _shown(features, column, 1)
        weight = int(weights[column][0])
        findings.append(Finding(column, level, one, two, weight, words_of(column, level)))
    kin = int(weights[KIN][0])
    if kin:
        findings.append(Finding(KIN, KIN, None, None, kin, words_of(KIN, KIN)))
    weighed = sum(finding.weight for finding in findings)
    of_grain = int(scorer.at_grain(np.array([weighed], dtype=np.int32), left, right)[0][0]) - weighed
    if of_grain:
        findings.append(Finding(GRAIN, GRAIN, None, None, of_grain, words_of(GRAIN, GRAIN)))
    contradictions = tuple(
        name for name in rules.contradictions if shared_levels(features.values(name), left, right)[0] == 2
    )
    total = weighed + of_grain
    if contradictions:
        verdict: Verdict = "forbidden"
    else:
        verdict = "link" if total >= kind_model.link else "review" if total >= kind_model.review else "apart"
    blocking: tuple[RuleFinding, ...] = ()
    if proposed:
        limits = block_limits(kind, rules, settings.block_cap, kind_model.caps)["cap"].to_pylist()
        blocking = _rules(features, kind, rules, limits, block_sizes or {})
    return Evidence(
        *pair,
        verdict,
        tuple(findings),
        total,
        kind_model.link,
        kind_model.review,
        contradictions,
        blocking,
        kind_model.prior,
        {name: (_shown(features, name, 0), _shown(features, name, 1)) for name in contradictions},
    )


def probability_of(odds: int) -> float:
    """The probability of odds in 1/1024 bit, 0..1."""
    # Beyond 1,000 bits a power of two is no float; nothing there is uncertain any more.
    return float(1 / (1 + 2.0 ** -max(min(odds / WEIGHT_ONE_BIT, 1000.0), -1000.0)))


def _shown(features: Features, column: str, row: int) -> str | None:
    """A record's own values of a column, for people."""
    found = []
    for name in _SHOWN.get(column, (column,)):
        values = features.values(name)
        found += [values.unique[int(code)].as_py() for code in values.of(row)]
    if column == "identifier":  # documents in common have a column of their own, and say nothing to people
        found = [text for text in found if not text.startswith(f"{DOCUMENTS}:")]
    return ", ".join(found) or None


def words_of(column: str, level: str) -> dict[str, str]:
    """`column: level` in English and Russian."""
    words = shipped("words")
    name = words["columns"].get(column, {})
    method, argument = level, ""
    if level not in words["levels"]:
        method = next((m for m in words["levels"] if level.startswith(f"{m}_")), "different")
        argument = level.removeprefix(f"{method}_")
    level_words = words["levels"][method]
    return {
        language: f"{name.get(language, column)}: {level_words[language].format(argument=argument)}"
        for language in ("en", "ru")
    }


def _rules(
    features: Features, kind: str, settings: KindSettings, limits: Sequence[int], sizes: Mapping[int, int]
) -> tuple[RuleFinding, ...]:
    keys = keys_by_rule(features, kind, settings, ~features.records["is_own"].to_numpy())
    result = []
    for index, rule in enumerate(settings.blocking):
        key, row = keys.by_rule[index]
        shared = np.intersect1d(key[row == 0], key[row == 1]).tolist()
        if shared:
            known = [sizes[key] for key in shared if key in sizes]
            size = min(known, default=None)
            outcome: Literal["shared", "over_cap"] = (
                "over_cap" if size is not None and size > limits[index] else "shared"
            )
            result.append(RuleFinding(rule_name(rule), outcome, size, ()))
        else:
            result.append(_hindered(features, rule))
    return tuple(result)


def _hindered(features: Features, rule: BlockingRule) -> RuleFinding:
    """Which values of a rule keep two records from sharing its key."""
    hindrances, missing = [], False
    for value in rule:
        level = int(shared_levels(derive(features.values(value.field), value), np.array([0]), np.array([1]))[0])
        missing |= level == 0
        if level != 1:
            hindrances.append(str(value))
    return RuleFinding(rule_name(rule), "missing" if missing else "differs", None, tuple(hindrances))
