"""The rules of survivorship as config/survivorship.yaml writes them, and as `golden` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from identity.shipped import shipped

Rule = Literal[
    "most_restrictive", "authority", "valid", "stated", "complete", "trust", "recent", "frequent", "longest"
]  # fmt: skip
RULES: Final[tuple[Rule, ...]] = get_args(Rule)
NO_BEFORE_YES: Final = ("false", "true")
"""A consent that somebody has refused is refused."""


class FieldRule(BaseModel):
    """How one field, or one group of fields, finds its golden value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] | None = Field(None, description="Rules in order; null: the default ones.")
    keep: Literal["one", "all"] = Field("one", description="`all` keeps every distinct valid value, best first.")
    order: tuple[str, ...] = Field(
        NO_BEFORE_YES,
        description="For most_restrictive: values from the most to the least restrictive. One that is not listed comes "
        "before them all: nobody has said that it allows anything.",
    )

    @field_validator("order", mode="before")
    @classmethod
    def _yes_and_no_are_words(cls, value: Any) -> Any:
        # YAML reads yes and no as booleans; a boolean attribute's values are the texts true and false.
        if not isinstance(value, list | tuple):
            return value
        return tuple(str(one).lower() if isinstance(one, bool) else one for one in value)

    @model_validator(mode="after")
    def _order_fits(self) -> FieldRule:
        if len(set(self.order)) != len(self.order):
            raise ValueError(f"a value stands twice in `order`: {', '.join(self.order)}")
        if "most_restrictive" in (self.rules or ()) and self.keep == "all":
            raise ValueError("most_restrictive chooses one value: it goes with `keep: one`")
        if "order" in self.model_fields_set and "most_restrictive" not in (self.rules or ()):
            raise ValueError("`order` is for the rule most_restrictive, which is not among `rules`")
        return self


class SurvivorshipSettings(BaseModel):
    """config/survivorship.yaml. What it leaves out comes from the shipped identity/data/survivorship.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: tuple[Rule, ...] = Field(
        ("authority", "valid", "stated", "trust", "recent", "frequent", "longest"),
        description="Rules in order, for fields without their own.",
    )
    fields: dict[str, FieldRule] = Field(
        default_factory=dict,
        description="Rules of single fields and of groups, by name; a plain list is `rules`.",
    )
    groups: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Fields that win together: all are taken from one record."
    )

    @field_validator("fields", mode="before")
    @classmethod
    def _list_is_rules(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: {"rules": rule} if isinstance(rule, list | tuple) else rule for name, rule in value.items()}

    @field_validator("default")
    @classmethod
    def _default_without_repetition(cls, value: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return _without_repetition(value)

    @model_validator(mode="after")
    def _groups_are_disjoint(self) -> SurvivorshipSettings:
        owner: dict[str, str] = {}
        for group, members in self.groups.items():
            if not members:
                raise ValueError(f"group {group!r} names no field")
            for member in members:
                if member in owner:
                    raise ValueError(f"field {member!r} is in two groups: {owner[member]!r} and {group!r}")
                owner[member] = group
        for name, rule in self.fields.items():
            if name in owner and owner[name] != name and name not in self.groups:
                raise ValueError(f"field {name!r} is in group {owner[name]!r}; give its rules under {owner[name]!r}")
            if rule.keep == "all" and name in self.groups:
                raise ValueError(f"group {name!r} cannot keep all: its fields are taken from one record")
            if rule.rules is not None:
                _without_repetition(rule.rules)
            if name in self.groups and "most_restrictive" in (rule.rules or ()):
                raise ValueError(f"group {name!r} has no most restrictive value: its fields are taken from one record")
        if "most_restrictive" in self.default:
            raise ValueError("most_restrictive is a rule of single fields: name them under `fields`")
        return self

    def group_of(self, attributes: Iterable[str]) -> dict[str, str]:
        """Field -> its group, for those of `attributes` that are in one."""
        wanted = set(attributes)
        return {member: group for group, members in self.groups.items() for member in members if member in wanted}

    def keeps_all(self, name: str, *, is_multi: bool) -> bool:
        """True when every distinct valid value survives; without a rule, where the attribute may have several."""
        rule = self.fields.get(name)
        return is_multi if rule is None else rule.keep == "all"

    def over(self, base: SurvivorshipSettings) -> SurvivorshipSettings:
        """These settings where they say something, `base` where they do not; a group given here replaces its
        like."""
        said = self.model_fields_set
        regrouped = {member for members in self.groups.values() for member in members}
        groups = {
            name: tuple(member for member in members if member not in regrouped)
            for name, members in base.groups.items()
            if name not in self.groups
        }
        groups = {name: members for name, members in groups.items() if members} | dict(self.groups)
        fields = {name: rule for name, rule in base.fields.items() if name in groups or name not in base.groups} | dict(
            self.fields
        )
        grouped = {member: group for group, members in groups.items() for member in members}
        fields = {name: rule for name, rule in fields.items() if name in groups or name not in grouped}
        return SurvivorshipSettings(
            default=self.default if "default" in said else base.default, fields=fields, groups=groups
        )


def _without_repetition(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if len(set(rules)) != len(rules):
        raise ValueError(f"a rule is named twice: {', '.join(rules)}")
    return rules


@cache
def default_settings() -> SurvivorshipSettings:
    """The shipped settings."""
    return SurvivorshipSettings.model_validate(shipped("survivorship"))


@dataclass(frozen=True, slots=True)
class SurvivorshipRules:
    """What `golden` goes by: the settings, and what other configuration files add to them."""

    settings: SurvivorshipSettings = field(default_factory=default_settings)
    authority: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field or group -> sources (`erp`) or streams (`erp:customers`) that decide it, first before second."""
    multi: frozenset[str] = frozenset()
    """Open attributes that are declared multi-valued: as `keep: all`."""

    def of(self, name: str) -> tuple[Rule, ...]:
        """The rules of a field or group, in order."""
        rule = self.settings.fields.get(name)
        return rule.rules if rule is not None and rule.rules is not None else self.settings.default

    def order(self, name: str) -> tuple[str, ...]:
        """The values of a field from the most to the least restrictive."""
        rule = self.settings.fields.get(name)
        return NO_BEFORE_YES if rule is None else rule.order

    def keeps_all(self, name: str) -> bool:
        """True when every distinct valid value survives."""
        return self.settings.keeps_all(name, is_multi=name in self.multi)

    def group_of(self, attributes: Iterable[str]) -> dict[str, str]:
        """Field -> its group, for those of `attributes` that are in one."""
        return self.settings.group_of(attributes)
