"""A Splink model as matching settings and a match model of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from identity.features import Features
from identity.imported.columns import attribute_of
from identity.imported.findings import Findings
from identity.imported.splink_file import TECHNICAL, SplinkSettings
from identity.imported.splink_rules import OurComparison, blocking_rule, comparison_of
from identity.model import ColumnModel, KindModel, LevelWeight, MatchModel, level_weight, log_odds, with_prior
from identity.schema import WEIGHT_ONE_BIT
from identity.settings import IDENTIFIER_TYPES, MatchingSettings, load_settings
from identity.shipped import shipped
from identity.training.terms import sightings, term_adjustments

LEAST: Final = 1e-12
"""A frequency of nought would be an infinite weight."""


@dataclass(frozen=True)
class Imported:
    """What a Splink model is here."""

    kind: str
    settings: Mapping[str, Any]  # the content of matching.yaml
    comparisons: tuple[OurComparison, ...]
    prior: float | None  # probability that two random records match
    findings: Findings = field(repr=False)

    @property
    def is_trained(self) -> bool:
        """Some level has both frequencies."""
        levels = [level for one in self.comparisons for level in (*one.levels, one.different)]
        return any(level.m is not None and level.u is not None for level in levels)


def imported(
    model: SplinkSettings,
    kind: str,
    said: Mapping[str, str],
    existing: Mapping[str, Any],
    open_attributes: Collection[str] = (),
) -> Imported:
    """`model` for records of `kind`, laid over `existing` (the content of matching.yaml).

    `said`: their column -> our attribute, where a user said so. What compares and blocks this kind is theirs alone;
    thresholds, contradictions and the other kind stay as they are.
    """
    findings = Findings()

    def ours(column: str) -> str | None:
        return attribute_of(column, kind, said, open_attributes)

    rules = [
        values
        for at, rule in enumerate(model.blocking, 1)
        if (values := blocking_rule(rule, f"blocking rule {at}", model.dialect, ours, findings)) is not None
    ]
    if model.blocking and not rules:
        findings.none("blocking rules", f"{len(model.blocking)} rules", "the shipped rules stay, none was taken over")
    comparisons: dict[str, OurComparison] = {}
    for one in model.comparisons:
        found = comparison_of(one, model.dialect, ours, findings)
        if found is not None and found.attribute in comparisons:
            findings.none(
                f"comparison {one.name}", found.attribute, "another comparison of the same attribute was taken before"
            )
        elif found is not None:
            comparisons[found.attribute] = found
    _tell_the_rest(model, findings)
    section: dict[str, Any] = {"compare": _compare(kind, list(comparisons.values()))}
    if rules:
        section["blocking"] = [list(rule) for rule in dict.fromkeys(map(tuple, rules))]
    settings = {**existing, kind: {**(existing.get(kind) or {}), **section}}
    return Imported(kind, settings, tuple(comparisons.values()), model.prior, findings)


def _compare(kind: str, comparisons: list[OurComparison]) -> dict[str, Any]:
    """The comparisons as matching.yaml writes them; shipped ones that are not among them are taken out by null."""
    found: dict[str, Any] = {}
    for one in comparisons:
        found[one.attribute] = {"levels": [level.rule for level in one.levels]}
        if one.term_frequency and one.attribute not in IDENTIFIER_TYPES:
            found[one.attribute]["term_frequency"] = True
    for name in shipped("matching")[kind]["compare"] if found else ():
        found.setdefault(name, None)
    return found


def _tell_the_rest(model: SplinkSettings, findings: Findings) -> None:
    if model.link_type == "link_only":
        findings.none(
            "link_type", model.link_type, "say `distinct: true` in the YAML of each source that holds a client once"
        )
    else:
        findings.taken("link_type", model.link_type, "records of one source may be one client")
    if model.blocking:
        why = "a block with more records than block_cap proposes nothing here; `onefold blocking` names such blocks"
        findings.approximated("blocking rules", "blocks of any size", "block_cap", why)
    for name in sorted(model.others):
        if name in TECHNICAL:
            continue
        findings.none(name, str(model.others[name])[:80], "no setting here")


def settings_of(found: Imported) -> MatchingSettings:
    """The whole settings that the import makes; pydantic.ValidationError if `existing` and it do not fit together."""
    return load_settings(found.settings)


def model_of(
    found: Imported, settings: MatchingSettings, base: MatchModel, features: Features | None = None
) -> MatchModel:
    """The match model: of `found.kind` theirs, of the other kind `base`'s; version 0.

    `base` gives the shipped weights under `settings` where training saw nothing. `features` of the hub's records, where
    there are any, give the term frequencies, which a Splink model does not hold.
    """
    rules, shipped_model = settings.kind(found.kind), base.kind(found.kind)
    columns = dict(shipped_model.columns)
    for one in found.comparisons:
        columns[one.attribute] = _column(found, one, shipped_model.columns[one.attribute], features)
    # Splink knows strangers only: kin are like them, and nothing is taken off for being kin.
    kind = replace(shipped_model, columns=columns, kin=0, pooled=True, caps={})
    kind = with_prior(kind, rules, _prior(found, shipped_model))
    person, organisation = (kind if name == found.kind else base.kind(name) for name in ("person", "organisation"))
    return MatchModel(0, "imported", person, organisation, base.component_bound)


def _prior(found: Imported, shipped_model: KindModel) -> float:
    theirs = "probability_two_random_records_match"
    if found.prior is None or not 0 < found.prior < 1:
        bits = shipped_model.prior / WEIGHT_ONE_BIT
        found.findings.approximated(theirs, str(found.prior), f"{bits:.1f} bits", "the shipped prior")
        return bits
    bits = log_odds(found.prior)
    found.findings.taken(theirs, f"{found.prior:.3g}", f"{bits:.1f} bits")
    return bits


def _column(found: Imported, one: OurComparison, otherwise: ColumnModel, features: Features | None) -> ColumnModel:
    levels = _weights(found, one, otherwise.levels)
    terms: dict[str, int] = {}
    unseen = 0
    place = f"comparison {one.attribute}, term frequencies"
    if one.term_frequency and one.attribute in IDENTIFIER_TYPES:
        why = "an identifier that many names share is generic here: no key and no weight"
        found.findings.approximated(place, "weighed", "generic_names", why)
    elif one.term_frequency and features is not None and not features.values(one.attribute).is_empty:
        terms, unseen = term_adjustments(sightings(features, one.attribute), levels[0].u)
        why = "counted in the hub's records as they are now, and also at levels that are not exact"
        found.findings.approximated(place, "counted when Splink predicts", f"{len(terms)} values", why)
    elif one.term_frequency:
        found.findings.none(place, "counted when Splink predicts", "the hub has no such values yet; import again then")
    return ColumnModel(levels, terms, unseen)


def _weights(found: Imported, one: OurComparison, otherwise: tuple[LevelWeight, ...]) -> tuple[LevelWeight, ...]:
    """Their weights; where training saw nothing the shipped one, as far as it lies between those of its neighbours."""
    theirs = (*one.levels, one.different)
    levels = [
        level_weight(known.name, max(ours.m, LEAST), max(ours.u, LEAST), None)
        if ours.m is not None and ours.u is not None
        else None
        for ours, known in zip(theirs, otherwise, strict=True)
    ]
    result = []
    for at, (level, known) in enumerate(zip(levels, otherwise, strict=True)):
        if level is None:
            above = [other.weight for other in levels[:at] if other is not None]
            below = [other.weight for other in levels[at + 1 :] if other is not None]
            weight = max(min([known.weight, *above[-1:]]), *below[:1], -(10**9))
            level = replace(known, weight=weight, kin=None)  # noqa: PLW2901
            if found.is_trained:
                place = f"comparison {one.attribute}, weight of {known.name}"
                bits = f"{weight / WEIGHT_ONE_BIT:+.1f} bits"
                why = "the shipped weight, between those of its neighbours"
                found.findings.approximated(place, "not seen in training", bits, why)
        result.append(level)
    return tuple(result)
