"""`segments.yaml`: schemes that divide clients; those by needs never look at how much or how lately somebody buys."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from onefold.configuration.base import Duration, Labels, Name, OneOrMany, Strict, problem
from onefold.configuration.concerns import Event, Events, Window
from onefold.configuration.mirror import Mirror

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


class Policy(Strict):
    """What is done for a segment, as a promise that can be measured."""

    says: str = Field(min_length=1, description="In a sentence.")
    field: Name | None = Field(
        None, description="What is measured, such as lead_time_days.", examples=["lead_time_days", "first_answer_hours"]
    )
    is_: str | bool | int | None = Field(None, alias="is", description="The value that is expected.")
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    from_: date | None = Field(None, alias="from", description="From which day on it is promised.")

    @model_validator(mode="after")
    def _is_measurable(self) -> Policy:
        said = [one for one in (self.is_, self.at_least, self.at_most) if one is not None]
        if (self.field is None and (said or self.from_ is not None)) or (self.field is not None and len(said) != 1):
            raise problem("policy", "a policy that is measured has `field` and one of `is`, `at_least`, `at_most`.")
        return self

    @property
    def expected(self) -> tuple[str, str] | None:
        """is, at_least or at_most, and the value; None: it is only a sentence."""
        for name, value in (("is", self.is_), ("at_least", self.at_least), ("at_most", self.at_most)):
            if value is not None:
                return name, str(value).lower() if isinstance(value, bool) else str(value)
        return None


def _policy(value: Any) -> Any:
    return {"says": value} if isinstance(value, str) else value


class Segment(Strict):
    """One part of a scheme."""

    labels: Labels
    needs: Annotated[list[Name], AfterValidator(_once), OneOrMany()] = Field(
        default_factory=list, description="Of a scheme by needs: those that its clients have."
    )
    when: dict[str, Span] = Field(
        default_factory=dict, description="Of lifecycle and value: figures that have to hold; the first segment wins."
    )
    policy: Annotated[Policy, BeforeValidator(_policy, json_schema_input_type=str | Policy)] | None = Field(
        None, description="What is done for it: a sentence, or `says` with what is measured."
    )


class Scheme(Strict):
    """One way to divide clients; each stands in one segment of it, or is unknown."""

    basis: Literal["needs", "lifecycle", "value"]
    labels: Labels
    owner: str | None = None
    review: date | None = Field(None, description="When somebody is to say whether it is still of use.")
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


Guard = Literal["open_complaint", "broken_promise", "contact_pressure"]
GUARDS: Final[tuple[Guard, ...]] = ("open_complaint", "broken_promise", "contact_pressure")
"""What keeps a client off a list; a named person may override it. A ban is none of these: nobody may."""


class Pressure(Strict):
    """How often a client may be contacted."""

    most: Annotated[int, Field(ge=1)] = Field(description="Contacts that are all right.")
    within: Window = Field(timedelta(days=30), validate_default=True)
    types: Annotated[list[Name], OneOrMany()] = Field(
        default_factory=lambda: ["call", "email", "message", "meeting", "visit"], min_length=1
    )


class Guards(Strict):
    """Who is left out of lists, whatever segment they are in."""

    purposes: dict[Name, Annotated[list[Guard], OneOrMany()]] = Field(
        default_factory=lambda: {"upsell": [*GUARDS], "service": []},
        min_length=1,
        description="What lists are for, and which guards each has. A list for another purpose is refused.",
    )
    open_complaint: Events = Field(
        default_factory=lambda: [Event.model_validate({"types": "complaint", "promise": ["overdue", "open", "none"]})],
        description="What an open complaint is.",
    )
    complaints_since: Window = Field(
        timedelta(days=180), validate_default=True, description="Older complaints are taken for closed."
    )
    promises_since: Window = Field(
        timedelta(days=90), validate_default=True, description="Promises that were due longer ago are forgiven."
    )
    pressure: Pressure | None = Field(None, description="How often a client may be contacted, as was agreed.")
    bans: dict[Name, Annotated[list[str], OneOrMany()]] = Field(
        default_factory=dict,
        description="Attribute -> values that forbid contact, beside the least of each `most_restrictive` consent.",
        examples=[{"lifecycle": ["do_not_contact"]}],
    )


class SegmentsFile(Strict):
    """`segments.yaml`: the schemes, and the guards of lists made of them."""

    schemes: dict[Name, Scheme] = Field(default_factory=dict)
    guards: Guards = Guards()  # type: ignore[call-arg]
    unused_after: Duration = Field(
        default=timedelta(days=90),
        validate_default=True,
        description="A scheme that nobody used for so long is pointed out.",
    )
    mirror: Mirror = Mirror()  # type: ignore[call-arg]
