"""Who decides what: attributes and documents of several registers, and what nobody has decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from onefold.configuration.base import When

if TYPE_CHECKING:
    from onefold.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry of authority.yaml."""

    subject: str
    """The attribute, or `document TYPE`."""
    register: str
    agreed_by: str | None
    agreed_on: date | None
    review_on: date | None
    is_overdue: bool
    because: str | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """An attribute or a type of document that several registers state, and of which nobody has said who decides."""

    subject: str
    registers: Sequence[str]


@dataclass(frozen=True, slots=True)
class AuthorityReport:
    """What is decided, in the order of authority.yaml, and what is not, by name."""

    decided: Sequence[Decided]
    undecided: Sequence[Undecided]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def authority(configuration: Configuration, today: date) -> AuthorityReport:
    """Who decides each attribute and type of document, since when, until when; and what is left to the other rules."""
    decided = [
        Decided(
            entry.attribute or f"document {entry.document}",
            entry.register_,
            entry.agreed_by,
            entry.agreed_on,
            entry.review_on,
            entry.is_overdue(today),
            entry.because,
        )
        for entry in configuration.authority
    ]
    return AuthorityReport(decided, _undecided(configuration, {one.subject for one in decided}))


def _undecided(configuration: Configuration, decided: set[str]) -> list[Undecided]:
    groups = configuration.survivorship.group_of(configuration.attributes)
    # A group is taken whole: who decides one of its fields decides them all, and it is listed once, by its name.
    owned = decided | {groups[name] for name in decided if name in groups}
    found = [
        Undecided(subject, sorted(registers))
        for subject, registers in {**_attributes(configuration, groups), **_documents(configuration)}.items()
        if len(registers) > 1 and subject not in owned
    ]
    return sorted(found, key=lambda one: one.subject)


def _attributes(configuration: Configuration, groups: Mapping[str, str]) -> dict[str, set[str]]:
    """Attribute or group -> the registers that state it. One that keeps every value has nothing to decide."""
    registers: dict[str, set[str]] = defaultdict(set)
    for name, source in configuration.sources.items():
        for stream in source.mapped("party").values():
            for attribute in stream.fields or {}:
                own = configuration.open_attributes.get(attribute)
                if not configuration.survivorship.keeps_all(attribute, is_multi=own is not None and own.multi):
                    registers[groups.get(attribute, attribute)].add(name)
    return registers


def _documents(configuration: Configuration) -> dict[str, set[str]]:
    registers: dict[str, set[str]] = defaultdict(set)
    for name, source in configuration.sources.items():
        for stream in source.mapped("interaction").values():
            for code in _types(stream.type):
                # A type that nobody knows has been reported as an error where it stands.
                if (known := configuration.interaction_types.get(code)) is not None and known.money != "none":
                    registers[f"document {code}"].add(name)
    return registers


def _types(stated: Any) -> list[str]:
    if isinstance(stated, When):
        return sorted({code for code in (*stated.cases.values(), stated.otherwise) if code is not None})
    return [stated] if isinstance(stated, str) else []
