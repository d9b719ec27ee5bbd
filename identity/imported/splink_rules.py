"""Splink's blocking rules and comparison levels as ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from identity.imported.findings import Findings
from identity.imported.splink_file import SplinkComparison, SplinkLevel
from identity.imported.splink_sql import Agreement, Crossed, Said, columns_of, conditions

AttributeOf = Callable[[str], str | None]
LevelRule = str | dict[str, Any]
"""A level as matching.yaml writes it: `exact`, `{jaro_winkler: 0.92}`."""
_YEAR: Final = 366 * 86_400.0
_FIELDS_OF_NAME: Final = frozenset({"given_name", "family_name"})


def blocking_rule(
    rule: str, place: str, dialect: str, attribute_of: AttributeOf, findings: Findings
) -> list[str] | None:
    """One rule as the list of values that must be equal; None: it has no counterpart, which is told."""
    values: list[str] = []
    left_out, rough = [], []
    for text, said in conditions(rule, dialect):
        if not isinstance(said, Agreement) or (said.method, said.threshold) not in (("equal", None), ("share", 1)):
            left_out.append(text)
        elif (attribute := attribute_of(said.column)) is None:
            left_out.append(f"{text} (column {said.column} has no attribute here)")
        else:
            value = attribute + (f".{_part(attribute, said.part)}" if said.part else "")
            values += [] if value in values else [value]
            rough += [said.rough] if said.rough else []
    ours = f"[{', '.join(values)}]"
    if not values:
        findings.none(place, rule, f"nothing in it is an equality that rules here can say: {'; '.join(left_out)}")
        return None
    if left_out:
        findings.approximated(place, rule, ours, f"it proposes more: not asked is {'; '.join(left_out)}")
    elif rough:
        findings.approximated(place, rule, ours, "; ".join(rough))
    else:
        findings.taken(place, rule, ours)
    return values


def _part(attribute: str, part: str) -> str:
    return "year" if (attribute, part) == ("birth_date", "first(4)") else part


@dataclass(frozen=True)
class OurLevel:
    """A level as matching.yaml writes it, with m and u of theirs that went into it; None: training saw none of it."""

    rule: LevelRule
    m: float | None
    u: float | None


@dataclass(frozen=True)
class OurComparison:
    """A comparison of one attribute: its levels, best first, and what is left when none holds."""

    attribute: str
    levels: tuple[OurLevel, ...]
    different: OurLevel
    term_frequency: bool


def comparison_of(
    comparison: SplinkComparison, dialect: str, attribute_of: AttributeOf, findings: Findings
) -> OurComparison | None:
    """A comparison as ours; None: it has no counterpart, which is told.

    The m and u of a level that has none go to the next one below that has: its pairs fall there.
    """
    place = f"comparison {comparison.name}"
    columns = _columns(comparison, dialect)
    attributes = {column: attribute_of(column) for column in columns}
    attribute = _attribute(columns, attributes)
    if attribute is None:
        unmapped = ", ".join(column for column in columns if attributes[column] is None) or "none that is one value"
        findings.none(place, f"{len(comparison.levels)} levels", f"its columns have no attribute here: {unmapped}")
        return None
    found: dict[str, OurLevel] = {}
    waiting: list[SplinkLevel] = []
    different = OurLevel("different", None, None)
    for level in comparison.levels:
        if level.is_null:
            continue
        if level.is_else:
            different = _summed("different", [*waiting, level])
            waiting = []
            continue
        rule, why = _level(level, attribute, attributes, dialect)
        if rule is None:
            findings.none(f"{place}, level {level.label}", level.condition, f"{why}; such pairs fall to the next level")
            waiting.append(level)
            continue
        name = str(rule)
        if name in found:
            found[name] = _added(found[name], _summed(rule, [*waiting, level]))
            why = why or "one level here, with the sum of both frequencies"
        else:
            found[name] = _summed(rule, [*waiting, level])
        waiting = []
        _tell(findings, f"{place}, level {level.label}", level, f"{attribute}: {_written(rule)}", why)
    if waiting:
        different = _added(different, _summed("different", waiting))
    if not found:
        findings.none(place, f"{len(comparison.levels)} levels", "none of its levels has a counterpart")
        return None
    frequent = any(level.term_column for level in comparison.levels)
    return OurComparison(attribute, tuple(found.values()), different, frequent)


def _columns(comparison: SplinkComparison, dialect: str) -> list[str]:
    """The columns of a comparison, those of its null levels first: they are what it is about."""
    levels = sorted(comparison.levels, key=lambda level: not level.is_null)
    found = [column for level in levels if not level.is_else for column in columns_of(level.condition, dialect)]
    return list(dict.fromkeys(found))


def _attribute(columns: list[str], attributes: dict[str, str | None]) -> str | None:
    """The one attribute that a comparison is about: of given and family name together the full name."""
    known = [attributes[column] for column in columns if attributes[column] is not None]
    if frozenset(known) == _FIELDS_OF_NAME:
        return "full_name"
    return attributes[columns[0]] if columns else None


def _level(
    level: SplinkLevel, attribute: str, attributes: dict[str, str | None], dialect: str
) -> tuple[LevelRule | None, str]:
    """A level as ours, and why it is not the same; without counterpart None and why."""
    parts = conditions(level.condition, dialect)
    said = [one for _, one in parts]
    if attribute == "full_name" and len(said) == 2:
        return _both_names(said, attributes)
    if len(said) != 1 or not isinstance(said[0], Agreement):
        return None, "a condition that no level here says"
    one = said[0]
    if attributes.get(one.column) != attribute:
        return None, f"it is about another column, {one.column}"
    return _agreement(one, attribute)


def _both_names(said: list[Said], attributes: dict[str, str | None]) -> tuple[LevelRule | None, str]:
    """Conditions on given and family name together, as levels of the full name."""
    if all(isinstance(one, Crossed) for one in said):
        return {"same": "sorted"}, "the words of the full name in any order, middle names included"
    both = [one for one in said if isinstance(one, Agreement)]
    if len(both) == 2 and {attributes.get(one.column) for one in both} == _FIELDS_OF_NAME:
        rules = [_agreement(one, "full_name")[0] for one in both]
        if rules[0] == rules[1] and rules[0] is not None:
            return rules[0], "the full name at once, middle names included"
    return None, "a condition on both names that no level here says"


def _agreement(one: Agreement, attribute: str) -> tuple[LevelRule | None, str]:
    threshold = one.threshold or 0.0
    if one.method == "equal" and one.part is None:
        return "exact", ""
    if one.method == "equal" and one.part:
        return {"same": _part(attribute, one.part)}, one.rough or ""
    if one.method in ("jaro_winkler", "jaro") and 0 < threshold <= 1:
        rough = [] if one.method == "jaro_winkler" else ["Jaro-Winkler instead of Jaro"]
        rough += [f"of the whole value instead of its {one.part}"] if one.part else []
        return {"jaro_winkler": threshold}, "; ".join(rough)
    if one.method in ("levenshtein", "damerau_levenshtein") and threshold >= 1:
        rough = ["two letters exchanged are one edit here"] if one.method == "levenshtein" else []
        rough += [f"of the whole value instead of its {one.part}"] if one.part else []
        return {"edits": int(threshold)}, "; ".join(rough)
    if one.method == "share" and threshold == 1:
        return "exact", ""
    if one.method == "date_within" and threshold <= _YEAR and attribute == "birth_date":
        return {"same": "year"}, "the same calendar year instead of a span of time"
    if one.method == "date_within":
        return None, f"a span of {threshold / 86_400:.0f} days is no level here"
    return None, f"{one.method} of {threshold:g} is no level here"


def _written(rule: LevelRule) -> str:
    return rule if isinstance(rule, str) else "{" + ", ".join(f"{key}: {value}" for key, value in rule.items()) + "}"


def _tell(findings: Findings, place: str, level: SplinkLevel, ours: str, why: str) -> None:
    if why:
        findings.approximated(place, level.condition, ours, why)
    else:
        findings.taken(place, level.condition, ours)
    for name in level.odd:
        findings.none(place, name, "term frequencies are weighed in full here, down to values that were not seen")


def _summed(rule: LevelRule, levels: list[SplinkLevel]) -> OurLevel:
    """A level with the frequencies of all of theirs whose pairs it gets; those that training did not see add none."""
    m = [level.m for level in levels if level.m is not None]
    u = [level.u for level in levels if level.u is not None]
    return OurLevel(rule, sum(m) if m else None, sum(u) if u else None)


def _added(one: OurLevel, other: OurLevel) -> OurLevel:
    def both(a: float | None, b: float | None) -> float | None:
        return b if a is None else a if b is None else a + b

    return OurLevel(one.rule, both(one.m, other.m), both(one.u, other.u))
