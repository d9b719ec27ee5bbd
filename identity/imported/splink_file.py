"""A Splink settings file or trained model (3, 4 or 5), read as it is written: JSON in, plain values out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_DIALECTS: Final = {
    "duckdb": "duckdb",
    "spark": "spark",
    "postgres": "postgres",
    "sqlite": "sqlite",
    "athena": "presto",
}
_READ: Final = frozenset(
    {
        "link_type", "comparisons", "blocking_rules_to_generate_predictions", "probability_two_random_records_match",
        "sql_dialect",
    }
)  # fmt: skip
TECHNICAL: Final = frozenset(
    {
        "additional_columns_to_retain", "bayes_factor_column_prefix", "comparison_vector_value_column_prefix",
        "em_convergence", "linker_uid", "match_weight_column_prefix", "max_iterations",
        "retain_intermediate_calculation_columns", "retain_matching_columns", "source_dataset_column_name",
        "term_frequency_adjustment_column_prefix", "unique_id_column_name",
    }
)  # fmt: skip
"""Settings about the run and the columns of the output; nothing of the model is in them."""


class NotSplink(ValueError):
    """The file is no Splink settings or model; the message names the place in it."""


@dataclass(frozen=True)
class SplinkLevel:
    """One comparison level; m and u are None where training did not see it."""

    condition: str
    label: str
    m: float | None
    u: float | None
    is_null: bool
    term_column: str | None
    odd: tuple[str, ...] = ()  # settings of the level that we have no counterpart for

    @property
    def is_else(self) -> bool:
        """What is left when no other level holds."""
        return self.condition.strip().casefold() == "else"


@dataclass(frozen=True)
class SplinkComparison:
    """A comparison with its levels, best first."""

    name: str
    levels: tuple[SplinkLevel, ...]


@dataclass(frozen=True)
class SplinkSettings:
    """What a file says that makes up a model."""

    dialect: str  # as sqlglot calls it
    link_type: str
    prior: float | None  # probability that two random records match
    comparisons: tuple[SplinkComparison, ...]
    blocking: tuple[str, ...]
    others: Mapping[str, Any] = field(default_factory=dict)  # further settings, as they stand


def read_splink(text: str) -> SplinkSettings:
    """The settings of a file's text. NotSplink names the place, as `comparisons[2].comparison_levels[0]: ...`."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotSplink(f"line {error.lineno}: it is no JSON ({error.msg})") from None
    if not isinstance(raw, Mapping) or not isinstance(raw.get("comparisons"), Sequence):
        raise NotSplink("it has no list of comparisons, as Splink's settings and models do")
    dialects = [raw.get("sql_dialect")]
    rules = raw.get("blocking_rules_to_generate_predictions") or ()
    dialects += [rule.get("sql_dialect") for rule in rules if isinstance(rule, Mapping)]
    dialect = next((found for found in dialects if found), "duckdb")
    return SplinkSettings(
        _DIALECTS.get(str(dialect), str(dialect)),
        str(raw.get("link_type") or "dedupe_only"),
        _probability(raw.get("probability_two_random_records_match"), "probability_two_random_records_match"),
        tuple(_comparison(one, f"comparisons[{at}]") for at, one in enumerate(raw["comparisons"])),
        tuple(_rule(rule, f"blocking_rules_to_generate_predictions[{at}]") for at, rule in enumerate(rules)),
        {name: value for name, value in raw.items() if name not in _READ},
    )


def _rule(rule: Any, place: str) -> str:
    condition = rule.get("blocking_rule") if isinstance(rule, Mapping) else rule
    if not isinstance(condition, str):
        raise NotSplink(f"{place}: a blocking rule is an SQL condition")
    return condition


def _comparison(raw: Any, place: str) -> SplinkComparison:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("comparison_levels"), Sequence):
        raise NotSplink(f"{place}: no comparison_levels")
    levels = tuple(_level(one, f"{place}.comparison_levels[{at}]") for at, one in enumerate(raw["comparison_levels"]))
    name = raw.get("output_column_name") or raw.get("comparison_description") or place
    return SplinkComparison(str(name), levels)


def _level(raw: Any, place: str) -> SplinkLevel:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("sql_condition"), str):
        raise NotSplink(f"{place}: no sql_condition")
    odd = []
    if raw.get("tf_minimum_u_value"):
        odd.append("tf_minimum_u_value")
    if raw.get("tf_adjustment_column") and raw.get("tf_adjustment_weight", 1.0) != 1.0:
        odd.append("tf_adjustment_weight")
    return SplinkLevel(
        raw["sql_condition"],
        str(raw.get("label_for_charts") or raw["sql_condition"]),
        _probability(raw.get("m_probability"), f"{place}.m_probability"),
        _probability(raw.get("u_probability"), f"{place}.u_probability"),
        bool(raw.get("is_null_level")),
        raw.get("tf_adjustment_column"),
        tuple(odd),
    )


def _probability(raw: Any, place: str) -> float | None:
    """A probability; None where there is none, or words that say that training did not see it."""
    if raw is None or isinstance(raw, str):
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise NotSplink(f"{place}: {raw!r} is no probability")
    return float(raw)
