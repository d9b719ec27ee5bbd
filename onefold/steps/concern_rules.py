"""From concerns.yaml to what the warehouse asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from onefold.configuration.shipped import shipped_concerns
from onefold.steps.need_rules import label
from warehouse.concern_rules import Asked, DriftsFrom, Event, MissedAndSilent, MoreThan, NoneOf, Written
from warehouse.need_rules import Condition

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.configuration.concerns import Concern
    from onefold.configuration.concerns import Event as Means
    from onefold.configuration.segments import Pressure

VERSION: Final = 2
"""Raised when the same dealings raise other concerns."""


def concerns_asked(configuration: Configuration) -> dict[str, tuple[Concern, bool]]:
    """Name -> the concern, and whether it is a shipped one; shipped ones first. Empty without a concerns.yaml."""
    file = configuration.concerns
    if file is None:
        return {}
    shipped = shipped_concerns()
    wanted = list(shipped) if file.shipped is True else [] if file.shipped is False else list(file.shipped)
    found = {name: (shipped[name], True) for name in shipped if name in wanted and name not in file.concerns}
    return {**found, **{name: (one, False) for name, one in file.concerns.items()}}


def asked(configuration: Configuration) -> list[Asked]:
    """All concerns, those without what they look at as not available."""
    return [
        asked_of(configuration, name, concern, position=position, is_shipped=is_shipped)
        for position, (name, (concern, is_shipped)) in enumerate(concerns_asked(configuration).items(), 1)
    ]


def asked_of(configuration: Configuration, name: str, concern: Concern, *, position: int, is_shipped: bool) -> Asked:
    """One concern as the warehouse takes it."""
    question_en, question_ru = label(concern.question, name)
    file = configuration.concerns
    row = {
        "concern": name,
        "position": position,
        "question_en": question_en,
        "question_ru": question_ru,
        "owner": concern.owner or (file.owner if file is not None else None),
        "template": concern.template,
        "threshold": concern.threshold,
        "is_shipped": is_shipped,
        "types": types_of(concern),
    }
    why = next(_missing(configuration, concern), None)
    return (
        Asked(row, None, why)
        if why is not None
        else Asked(row, rule_of(concern, configuration.segments.guards.pressure))
    )


def types_of(concern: Concern) -> list[str] | None:
    """The interaction types that a concern looks at; None: any, or nobody can tell."""
    missed = concern.missed_and_silent
    if concern.sql is not None or (missed is not None and missed.promised is None):
        return None
    named = {type_ for _, wanted, _ in concern.looked_at() for one in wanted for type_ in one.types}
    return sorted(named | set(concern.contact_pressure or ()))


def rule_of(concern: Concern, pressure: Pressure | None) -> Any:
    """What is asked; `pressure`: as it was agreed."""
    if (none := concern.none_of) is not None:
        return NoneOf(events(none.of), none.within.days, events(none.after), none.since.days)
    if (more := concern.more_than) is not None:
        return MoreThan(more.count, events(more.of), more.within.days)
    if (drift := concern.drifts_from) is not None:
        return DriftsFrom(
            events(drift.of),
            None if drift.against is None else events(drift.against),
            drift.figure,
            drift.window.days,
            None if drift.before is None else drift.before.days,
            drift.by,
            drift.per,
            drift.minimum,
        )
    if (missed := concern.missed_and_silent) is not None:
        return MissedAndSilent(
            None if missed.promised is None else events(missed.promised),
            missed.kind,
            missed.later_than.days,
            events(missed.contact),
            missed.before.days,
            missed.within.days,
            missed.since.days,
        )
    if concern.contact_pressure is not None:
        assert pressure is not None
        return MoreThan(pressure.most, contacts(concern.contact_pressure), pressure.within.days)
    from onefold.configuration.concern_sql import as_of_day

    return Written(concern.sql or "", as_of_day)


def contacts(types: Sequence[str]) -> list[Event]:
    """What we do towards a client: not what it does itself."""
    return [
        Event(sorted(set(types)), conditions=[Condition("direction", present=False)]),
        Event(sorted(set(types)), conditions=[Condition("direction", not_=("inbound",))]),
    ]


def events(wanted: Sequence[Means]) -> list[Event]:
    """Dealings that are meant, as the warehouse takes them."""
    return [
        Event(
            sorted(set(one.types)),
            one.source,
            [
                Condition(looked, tuple(c.is_ or ()), tuple(c.not_ or ()), c.at_least, c.at_most, c.present)
                for looked, c in sorted(one.when.items())
            ],
            one.promise,
        )
        for one in wanted
    ]


def _missing(configuration: Configuration, concern: Concern) -> Iterator[str]:
    """Why there is nothing to ask."""
    for _, wanted, with_promises in concern.looked_at():
        types = sorted({type_ for one in wanted for type_ in one.types})
        if not _brought(configuration, types, with_promises=with_promises):
            what = " with a promise" if with_promises else ""
            yield f"no stream brings {' or '.join(types)}{what}"
    missed = concern.missed_and_silent
    if missed is not None and missed.promised is None and not _brought(configuration, None, with_promises=True):
        yield "no stream brings promises"
    for types_ in (concern.types, concern.contact_pressure or []):
        if types_ and not _brought(configuration, types_, with_promises=False):
            yield f"no stream brings {' or '.join(types_)}"
    if concern.contact_pressure is not None and configuration.segments.guards.pressure is None:
        yield "segments.yaml agrees on no contact pressure (guards.pressure)"


def _brought(configuration: Configuration, types: Sequence[str] | None, *, with_promises: bool) -> bool:
    return any(
        (types is None or set(stream.type_codes) & set(types)) and (stream.promise or not with_promises)
        for source in configuration.sources.values()
        for stream in source.streams.values()
    )
