"""The match model: levels with their weights, thresholds, term frequencies; frozen together as one
version."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from identity.comparison.compare import WordWeights, level_names
from identity.schema import KINDS, WEIGHT_ONE_BIT
from identity.settings import DOCUMENTS, KindSettings, MatchingSettings, rule_name
from identity.shipped import shipped
from identity.standard.latin import latin_key
from identity.standard.text import comparable

PRIOR_VERSION: Final = 2
"""The version of the model made of the shipped priors; raised when their weights change."""


@dataclass(frozen=True)
class LevelWeight:
    """One level of a column: its frequency among matches (m) and random pairs (u), its weight in 1/1024
    bit.

    `kin` is the weight against kin: people of one household or family, firms of one group or accountant,
    who share much and are still two. None: kin are like strangers here.
    """

    name: str
    m: float
    u: float
    weight: int
    kin: int | None = None


@dataclass(frozen=True)
class ColumnModel:
    """The levels of one column, best first, and what single values add to an agreement on them."""

    levels: tuple[LevelWeight, ...]
    # Value (Latin key) -> what an agreement on it adds, in 1/1024 bit: negative for frequent values.
    terms: Mapping[str, int] = field(default_factory=dict)
    unseen_term: int = 0


@dataclass(frozen=True)
class KindModel:
    """Everything that turns comparison vectors of one kind into weights and decisions. Weights in 1/1024
    bit."""

    columns: Mapping[str, ColumnModel]
    prior: int
    link: int  # a pair alone is linked from this weight on
    review: int  # ... and shown to a human from this weight on
    plausible: int  # ... and weighed together with its neighbours from this weight on
    words: WordWeights
    # whether several plausible pairs may add up to a link: only where weights were estimated
    pooled: bool = False
    kin: int = 0  # log2 of the odds of kin against one client, before anything is compared
    # by blocking rule, to how many records its blocks are active, where that was learnt or shipped; 0: the rule is off
    caps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MatchModel:
    """One version of the model."""

    version: int
    origin: Literal["prior", "trained", "supervised", "imported"]
    person: KindModel
    organisation: KindModel
    component_bound: int

    def kind(self, name: str) -> KindModel:
        """The model of `person` or `organisation`."""
        return self.person if name == "person" else self.organisation


def bits(value: float) -> int:
    """Bits as the integers of 1/1024 that all sums use."""
    return round(value * WEIGHT_ONE_BIT)


def log_odds(probability: float) -> float:
    """The odds of a probability, in bits."""
    return math.log2(probability / (1 - probability))


def prior_model(settings: MatchingSettings, version: int = PRIOR_VERSION) -> MatchModel:
    """The model of the shipped priors for these settings: no training, no data."""
    kinds = {kind: _prior_kind(kind, settings.kind(kind)) for kind in KINDS}
    return MatchModel(version, "prior", kinds["person"], kinds["organisation"], settings.component_bound)


def _prior_kind(kind: str, settings: KindSettings) -> KindModel:
    priors = shipped("priors")
    listed, otherwise = priors[kind]["columns"], priors["otherwise"]
    columns = {}
    for column, levels in level_names(kind, settings).items():
        if column == DOCUMENTS:  # weighed when the prior is known
            columns[column] = ColumnModel(tuple(LevelWeight(level, 0.5, 0.5, 0) for level in levels))
            continue
        known = listed.get(column, {})
        weights = []
        for level in levels:
            m, u = known.get(level) or _otherwise(otherwise, level)
            weights.append(level_weight(level, m, u, kin_frequency(kind, column, level)))
        columns[column] = ColumnModel(tuple(weights))
    prior = float(priors[kind]["prior_bits"])
    words = _prior_words(priors[kind].get("words"))
    kin = bits(float(priors[kind]["kin_bits"]))
    return with_prior(KindModel(columns, 0, 0, 0, 0, words, kin=kin, caps=_caps(kind, settings)), settings, prior)


def _caps(kind: str, settings: KindSettings) -> dict[str, int]:
    """The shipped limits of blocks, where there are any. Identifiers make small blocks of much evidence."""
    cap = shipped("priors")[kind].get("cap")
    if cap is None:
        return {}
    return {rule_name(rule): int(cap) for rule in settings.blocking if [str(part) for part in rule] != ["identifier"]}


def kin_frequency(kind: str, column: str, level: str) -> float | None:
    """How often a level holds among kin, as shipped; None where they are like strangers."""
    found = shipped("priors")[kind]["kin"].get(column, {}).get(level)
    return None if found is None else float(found)


def level_weight(name: str, m: float, u: float, kin: float | None) -> LevelWeight:
    """A level with its weights against strangers and against kin."""
    against = None if kin is None else bits(math.log2(m / kin))
    return LevelWeight(name, float(m), float(u), bits(math.log2(m / u)), against)


def with_prior(model: KindModel, settings: KindSettings, prior: float) -> KindModel:
    """`model` with another prior: log2 of the odds that any two records are one client. The thresholds
    follow, and what documents in common weigh."""
    columns = dict(model.columns)
    if DOCUMENTS in columns:
        columns[DOCUMENTS] = documents_column(columns[DOCUMENTS], prior)
    return replace(
        model,
        columns=columns,
        prior=bits(prior),
        link=bits(log_odds(settings.link_at) - prior),
        review=bits(log_odds(settings.review_at) - prior),
        plausible=bits(log_odds(settings.plausible_at) - prior),
    )


def documents_column(column: ColumnModel, prior: float) -> ColumnModel:
    """The column of documents in common under a prior.

    How often they are of one client is shipped and not learnt: random pairs have none, and pairs of one client have
    some wherever two registers keep the same documents. The weight is what leads from the prior to that probability.
    """
    known, levels = shipped("priors")["documents"], []
    for level in column.levels:
        m, probability, kin = known[level.name]
        weight = max(log_odds(probability) - prior, 0.0)
        levels.append(LevelWeight(level.name, float(m), m / 2**weight, bits(weight), bits(kin)))
    return replace(column, levels=tuple(levels))


def _otherwise(otherwise: Mapping[str, list[float]], level: str) -> list[float]:
    """The prior of the level's method: `jaro_winkler` for `jaro_winkler_0.9`."""
    method = next((name for name in otherwise if level == name or level.startswith(f"{name}_")), "different")
    return otherwise[method]


def _prior_words(classes: Mapping[str, int] | None) -> WordWeights:
    if classes is None:
        return WordWeights({}, 0, 0)
    lists = shipped("organisation_words")
    weights = {word: bits(classes[name]) for name in ("common", "stop") for word in _latin_words(lists[name])}
    return WordWeights(weights, bits(classes["unseen"]), bits(classes["rare"]))


def _latin_words(texts: Iterable[object]) -> Iterator[str]:
    """The words of shipped texts in the form in which names are compared."""
    for text in texts:
        yield from latin_key(comparable(str(text))).split()


def to_json(model: MatchModel) -> str:
    """The model as the JSON object that `identity.model` keeps; keys sorted, so that equal models are equal
    text."""
    return json.dumps(asdict(model), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str | Mapping[str, Any]) -> MatchModel:
    """The model of `to_json`'s text, or of the object that PostgreSQL made of it."""
    raw = json.loads(text) if isinstance(text, str) else text
    return MatchModel(
        version=raw["version"],
        origin=raw["origin"],
        person=_kind(raw["person"]),
        organisation=_kind(raw["organisation"]),
        component_bound=raw["component_bound"],
    )


def _kind(raw: Mapping[str, Any]) -> KindModel:
    columns = {
        name: ColumnModel(
            levels=tuple(LevelWeight(**level) for level in column["levels"]),
            terms=dict(column["terms"]),
            unseen_term=column["unseen_term"],
        )
        for name, column in raw["columns"].items()
    }
    return KindModel(
        columns=columns,
        prior=raw["prior"],
        link=raw["link"],
        review=raw["review"],
        plausible=raw["plausible"],
        words=WordWeights(**raw["words"]),
        pooled=raw["pooled"],
        kin=raw.get("kin", 0),
        caps=dict(raw.get("caps", {})),
    )
