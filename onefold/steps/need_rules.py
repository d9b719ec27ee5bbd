"""From needs.yaml and segments.yaml to what the warehouse and the computation take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from warehouse.need_rules import Condition, Rules, Signal

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.configuration.needs import Condition as WrittenCondition
    from onefold.configuration.needs import Need
    from onefold.configuration.needs import Signal as Written
    from onefold.configuration.segments import Scheme
    from onefold.segments.assign import SchemeRules

VERSION: Final = 2
"""Raised when the same dealings show other needs or segments, or when the catalogue is stored otherwise, so that all
are looked at anew."""


def need_rules(configuration: Configuration) -> Rules:
    """The catalogue; signals are numbered by need and name."""
    known = configuration.needs
    signals = [
        (code, name, need, signal) for code, need in known.needs.items() for name, signal in need.signals.items()
    ]
    signals.sort(key=lambda one: one[:2])
    return Rules(
        needs=[_need(code, need) for code, need in sorted(known.needs.items())],
        signals=[_signal(key, *one) for key, one in enumerate(signals, 1)],
        held_lift=known.held_lift,
        held_sightings=known.held_sightings,
    )


def need_fingerprint(configuration: Configuration) -> list[Any]:
    """What the needs of clients depend on beside their dealings."""
    return [VERSION, configuration.needs]


def scheme_fingerprint(configuration: Configuration, scheme: Scheme) -> list[Any]:
    """What the segments of a scheme depend on beside dealings."""
    return [*need_fingerprint(configuration), scheme, [[at, name] for at, name in enumerate(scheme.segments)]]


def scheme_rules(configuration: Configuration, scheme: Scheme) -> SchemeRules:
    """A scheme by needs as the computation takes it: needs by their place in the catalogue."""
    from onefold.segments.assign import SchemeRules

    place = {code: at for at, code in enumerate(sorted(configuration.needs.needs))}
    return SchemeRules(
        segments=list(scheme.segments),
        needs=[[place[need] for need in segment.needs] for segment in scheme.segments.values()],
        minimum=scheme.minimum,
        lift=scheme.lift,
        margin=scheme.margin,
        declared_bits=scheme.declared_bits,
    )


def label(labels: Mapping[str, str] | None, otherwise: str) -> tuple[str, str | None]:
    """A text in English (or whatever there is) and in Russian."""
    said = labels or {}
    return said.get("en") or next(iter(said.values()), otherwise), said.get("ru")


def conditions_of(when: Mapping[str, WrittenCondition]) -> list[Condition]:
    """What has to hold of a dealing, by what is looked at."""
    return [
        Condition(looked, tuple(one.is_ or ()), tuple(one.not_ or ()), one.at_least, one.at_most, one.present)
        for looked, one in sorted(when.items())
    ]


def _need(code: str, need: Need) -> dict[str, Any]:
    (label_en, label_ru), (job_en, job_ru) = label(need.labels, code), label(need.job, code)
    return {
        "code": code,
        "label_en": label_en,
        "label_ru": label_ru,
        "job_en": job_en,
        "job_ru": job_ru,
        "dimension": need.dimension,
        "half_life_days": _days(need),
    }


def _days(need: Need) -> float | None:
    return None if need.half_life is None else need.half_life.total_seconds() / 86_400


def _signal(key: int, code: str, name: str, need: Need, signal: Written) -> Signal:
    label_en, label_ru = label(signal.labels, name)
    return Signal(
        key=key,
        need=code,
        code=name,
        origin=signal.origin,
        is_against=signal.against,
        weight=signal.weight,
        half_life_days=_days(need),
        types=sorted(set(signal.types)),
        conditions=conditions_of(signal.when),
        words=tuple(signal.words or ()),
        look_in=tuple(signal.look_in),
        label_en=label_en,
        label_ru=label_ru,
    )
