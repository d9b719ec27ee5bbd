"""`segments.yaml`: schemes that divide clients; those by needs never look at how much or how lately somebody buys."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from onefold.configuration.base import Labels, Name, OneOrMany, Strict, problem

VOLUME: Final = {
    "days_since_last": "recency",
    "days_since_first": "recency",
    "dealings": "frequency",
    "dealings_12m": "frequency",
    "amount": "money",
    "amount_12m": "money",
}
"""Figures by which lifecycle and value are told: each tells how lately, how often or for how much."""


class Span(Strict):
    """From where to where; both ends belong to it."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Span:
        if self.at_least is None and self.at_most is None:
            raise problem("span", "a condition needs `at_least` or `at_most`.")
        return self


def _once(value: list[str]) -> list[str]:
    for at, need in enumerate(value):
        if need in value[:at]:
            raise problem("needs", f"found `{need}` twice; each need of a segment counts once.")
    return value


class Segment(Strict):
    """One part of a scheme."""

    labels: Labels
    needs: Annotated[list[Name], AfterValidator(_once), OneOrMany()] = Field(
        default_factory=list, description="Of a scheme by needs: those that its clients have."
    )
    when: dict[str, Span] = Field(
        default_factory=dict, description="Of lifecycle and value: figures that have to hold; the first segment wins."
    )
    policy: str | None = Field(None, description="What is done for it, in words.")


class Scheme(Strict):
    """One way to divide clients; each stands in one segment of it, or is unknown."""

    basis: Literal["needs", "lifecycle", "value"]
    labels: Labels
    owner: str | None = None
    minimum: Annotated[int, Field(ge=1)] = Field(6, description="With fewer dealings a client is unknown.")
    lift: Annotated[float, Field(gt=1, le=20)] = Field(
        2.5, description="How much more often than expected clients of a segment show its needs."
    )
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.8, description="By how much the best segment must be more probable than the next; else unknown."
    )
    declared_bits: Annotated[float, Field(ge=0, le=20)] = Field(
        3.0, description="What the client's own word counts, for or against, in bits."
    )
    segments: dict[Name, Segment] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _refuse_volume(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("basis") != "needs" or not isinstance(data.get("segments"), dict):
            return data
        for name, segment in data["segments"].items():
            if isinstance(segment, dict) and segment.get("when"):
                fields = ", ".join(f"{one} ({VOLUME.get(str(one), 'a figure')})" for one in segment["when"])
                raise problem(
                    "volume",
                    f"the segment `{name}` looks at {fields}: how lately, how often and for how much somebody buys is"
                    " no need.",
                    "Put it into a scheme of its own with `basis: lifecycle` or `basis: value`.",
                )
        return data

    @model_validator(mode="after")
    def _fits_its_basis(self) -> Scheme:
        for name, segment in self.segments.items():
            if self.basis == "needs" and not segment.needs:
                raise problem("segment", f"the segment `{name}` of a scheme by needs names no `needs`.")
            if self.basis != "needs" and segment.needs:
                raise problem("segment", f"the segment `{name}` names needs, which is what `basis: needs` is for.")
            unknown = sorted(set(segment.when) - set(VOLUME))
            if unknown:
                raise problem("figure", f"found `{unknown[0]}`; a figure is one of {', '.join(VOLUME)}.")
        return self


class SegmentsFile(Strict):
    """`segments.yaml`: the schemes."""

    schemes: dict[Name, Scheme] = Field(default_factory=dict)
