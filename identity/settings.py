"""The settings of matching: pydantic models of `matching.yaml`, laid over the shipped
`data/matching.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from identity.shipped import shipped

IDENTIFIER_TYPES: Final = (
    "bank_account", "customer_number", "domain", "drivers_license", "ein", "email", "hrb", "iban", "inn",
    "kpp", "lei", "national_id", "ogrn", "ogrnip", "okpo", "passport", "phone", "snils", "ssn", "vat",
)  # fmt: skip
"""Identifier types that settings may name without a prefix; others as `identifier.TYPE`."""

RECORD_FIELDS: Final = (
    "full_name", "given_name", "middle_name", "family_name", "birth_date", "gender", "org_name", "legal_form",
    "country", "region", "city", "street", "house", "postcode",
)  # fmt: skip
ESTABLISHMENT: Final = "establishment"
"""One site of a legal entity, read from a record's identifiers: INN and KPP, or VAT number and postcode."""
OPEN_FIELDS: Final = ("birth_place", "occupation", "generation")
"""Open attributes that the shipped rules use; any other is written `attributes.NAME`."""

Grain = Literal["legal_entity", "establishment"]
_OF_LEGAL_ENTITY: Final = ("inn", "vat")

PARTS: Final = (
    "sound",
    "first",
    "last",
    "sorted",
    "token",
    "token_pairs",
    "year",
    "month_day",
    "local_part",
    "domain",
)
DOCUMENTS: Final = "documents"
"""Documents that two records have in common: how they are compared, and the type of the identifiers that say so."""
STRUCTURED: Final = ("name", "address", DOCUMENTS)
"""Comparisons with levels of their own."""

_VALUE = re.compile(r"^(?P<field>(?:identifier|attributes)\.\w+|\w+)(?:\.(?P<part>\w+)(?:\((?P<count>\d+)\))?)?$")


class BlockingValue(BaseModel):
    """One value of a blocking rule: a field, and which part of it."""

    model_config = ConfigDict(frozen=True)
    field: str
    part: str | None = None
    count: int | None = None

    def __str__(self) -> str:
        count = "" if self.count is None else f"({self.count})"
        return self.field + ("" if self.part is None else f".{self.part}{count}")


def _known(field: str, extra: tuple[str, ...] = ()) -> str:
    """`field` if settings may name it; otherwise ValueError with the nearest known name."""
    known = (*RECORD_FIELDS, *IDENTIFIER_TYPES, *OPEN_FIELDS, "identifier", *extra)
    if field in known or field.startswith(("identifier.", "attributes.")):
        return field
    near = get_close_matches(field, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"
    raise ValueError(f"unknown field {field!r}{hint} (an open attribute is written attributes.{field})")


def parse_value(text: str) -> BlockingValue:
    """`family_name.sound`, `postcode.first(3)`, `email` -> its parts; ValueError says what is wrong and what
    is near."""
    found = _VALUE.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no field of a blocking rule; write field, field.part or field.part(n)")
    field, part, count = found["field"], found["part"], found["count"]
    _known(field)
    if part is not None and part not in PARTS:
        near = get_close_matches(part, PARTS, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown part {part!r} of {field}{hint} (known: {', '.join(PARTS)})")
    if (part in ("first", "last")) != (count is not None) or (count is not None and int(count) < 1):
        raise ValueError(f"{text!r}: first and last take a number of characters, as in first(3); other parts take none")
    return BlockingValue(field=field, part=part, count=None if count is None else int(count))


def _value(raw: object) -> object:
    return parse_value(raw) if isinstance(raw, str) else raw


class Level(BaseModel):
    """One level of a comparison, best first: how two values must agree."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: Literal["exact", "day_month_swapped", "edits", "jaro_winkler", "same"]
    at_least: float | None = None
    at_most: int | None = None
    part: str | None = None

    @property
    def name(self) -> str:
        """The level's name in models and priors, e.g. `jaro_winkler_0.92`."""
        argument = next((a for a in (self.at_least, self.at_most, self.part) if a is not None), None)
        return self.method if argument is None else f"{self.method}_{argument}"


def _level(raw: object) -> object:
    if isinstance(raw, str):
        if raw not in ("exact", "day_month_swapped"):
            raise ValueError(f"unknown level {raw!r}; allowed: exact, day_month_swapped, edits, jaro_winkler, same")
        return Level(method=raw)  # type: ignore[arg-type]
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((method, argument),) = raw.items()
        if method == "jaro_winkler":
            if not isinstance(argument, int | float) or not 0 < argument <= 1:
                raise ValueError(f"jaro_winkler takes a similarity above 0 and up to 1, not {argument!r}")
            return Level(method="jaro_winkler", at_least=float(argument))
        if method == "edits":
            if not isinstance(argument, int) or argument < 1:
                raise ValueError(f"edits takes a number of characters, not {argument!r}")
            return Level(method="edits", at_most=argument)
        if method == "same":
            value = parse_value(f"full_name.{argument}")
            if value.part in ("token", "token_pairs"):
                raise ValueError(f"same: {argument} is not one value")
            return Level(method="same", part=str(argument))
        raise ValueError(f"unknown level {method!r}; allowed: exact, day_month_swapped, edits, jaro_winkler, same")
    return raw


class Comparison(BaseModel):
    """How one attribute is compared. Without levels, `name` and `address` compare their parts together."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    levels: tuple[Annotated[Level, BeforeValidator(_level)], ...] = ()
    term_frequency: bool = False


BlockingRule = tuple[Annotated[BlockingValue, BeforeValidator(_value)], ...]


def rule_name(rule: BlockingRule) -> str:
    """How reports and explanations call a rule: `family_name.sound + postcode`."""
    return " + ".join(str(value) for value in rule)


class KindSettings(BaseModel):
    """The rules for one kind of record."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    blocking: tuple[BlockingRule, ...] = Field(min_length=1)
    compare: dict[str, Comparison] = Field(min_length=1)
    contradictions: tuple[str, ...] = ()
    one_client: tuple[str, ...] = Field(
        (), description="Identifier types of which a shared value makes one client, unless something forbids it."
    )
    link_at: float = Field(gt=0.5, lt=1)
    review_at: float = Field(gt=0, lt=1)
    plausible_at: float = Field(gt=0, lt=1)

    @field_validator("blocking")
    @classmethod
    def _no_empty_rule(cls, rules: tuple[BlockingRule, ...]) -> tuple[BlockingRule, ...]:
        for rule in rules:
            if not rule:
                raise ValueError("a blocking rule without a field would compare every record with every other")
        return rules

    @field_validator("compare")
    @classmethod
    def _known_comparisons(cls, compare: dict[str, Comparison]) -> dict[str, Comparison]:
        for name, comparison in compare.items():
            _known(name, STRUCTURED)
            if not comparison.levels and name not in STRUCTURED:
                raise ValueError(f"{name} needs levels, e.g. [exact, {{jaro_winkler: 0.92}}]")
        return compare

    @field_validator("contradictions", "one_client")
    @classmethod
    def _known_types(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for name in types:
            if name == "kpp":
                raise ValueError(
                    "kpp names a branch, not a client: it is never a contradiction (see grain in hub.yaml)"
                )
            if name not in (*IDENTIFIER_TYPES, ESTABLISHMENT) and not name.startswith("identifier."):
                near = get_close_matches(name, IDENTIFIER_TYPES, n=1, cutoff=0.4)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"an identifier type is named here, not {name!r}{hint}")
        return types

    @model_validator(mode="after")
    def _band(self) -> KindSettings:
        if self.review_at > self.link_at:
            raise ValueError(f"review_at ({self.review_at}) lies above link_at ({self.link_at})")
        if self.plausible_at > self.review_at:
            raise ValueError(f"plausible_at ({self.plausible_at}) lies above review_at ({self.review_at})")
        return self


class MatchingSettings(BaseModel):
    """All of `matching.yaml`, complete: what the file leaves out is taken from the shipped rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    block_cap: int = Field(ge=2)
    generic_names: int = Field(ge=1)
    component_bound: int = Field(ge=2)
    person: KindSettings
    organisation: KindSettings

    @model_validator(mode="before")
    @classmethod
    def _over_shipped(cls, raw: Any) -> Any:
        return merged(shipped("matching"), raw) if isinstance(raw, Mapping) else raw

    @property
    def compares_documents(self) -> bool:
        """Whether records of some kind are compared by the documents that they have in common."""
        return any(DOCUMENTS in rules.compare for rules in (self.person, self.organisation))

    @property
    def open_attributes(self) -> tuple[str, ...]:
        """The open attributes that some rule looks at, by name; no other has to be read."""
        used: set[str] = set()
        for rules in (self.person, self.organisation):
            used.update(value.field for rule in rules.blocking for value in rule)
            used.update(rules.compare)
        known = {*RECORD_FIELDS, *IDENTIFIER_TYPES, *STRUCTURED, ESTABLISHMENT, "identifier"}
        found = (name for name in used - known if not name.startswith("identifier."))
        return tuple(sorted(name.removeprefix("attributes.") for name in found))

    def kind(self, name: str) -> KindSettings:
        """The rules for `person` or `organisation`."""
        return self.person if name == "person" else self.organisation

    def at_grain(self, grain: Grain) -> MatchingSettings:
        """These rules for hub.yaml's `grain`. By establishment it is INN with KPP (VAT number with site) that makes
        one client, and two different ones forbid a merge, where by legal entity the number alone decides."""
        if grain == "legal_entity":
            return self
        rules = self.organisation
        kept = [name for name in rules.one_client if name not in _OF_LEGAL_ENTITY]
        of_grain = {
            "contradictions": tuple(dict.fromkeys((*rules.contradictions, ESTABLISHMENT))),
            "one_client": (*kept, ESTABLISHMENT) if len(kept) < len(rules.one_client) else rules.one_client,
        }
        return self.model_copy(update={"organisation": rules.model_copy(update=of_grain)})


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings of a kind and its comparisons entry by entry, anything else replaced;
    null removes."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if value is None and key in result:
            del result[key]
        elif key in ("person", "organisation", "compare") and isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def load_settings(overrides: Mapping[str, Any] | None = None) -> MatchingSettings:
    """The shipped rules with `overrides` (the content of matching.yaml) laid over them.

    pydantic.ValidationError names the place and the nearest known name.
    """
    return MatchingSettings.model_validate(dict(overrides or {}))
