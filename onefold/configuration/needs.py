"""`needs.yaml`: what clients need, in their own words, and by which dealings each need is recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from onefold.configuration.base import Duration, Labels, Name, OneOrMany, Strict, duration_text, problem
from onefold.nearest import did_you_mean

COLUMNS: Final = ("amount", "channel", "direction", "document_number", "reporting_amount", "summary")
"""What a condition may look at beside `detail.NAME`."""
NUMBERS: Final = ("amount", "reporting_amount")
Scalar = str | bool | int | Decimal


def _field(value: str) -> str:
    if value in COLUMNS or re.fullmatch(r"detail(\.[^.\s]+)+", value):
        return value
    hint = did_you_mean(value, [*COLUMNS, f"detail.{value}"])
    raise problem("field", f"found `{value}`; a condition looks at detail.NAME or at {', '.join(COLUMNS)}.", hint)


Looked = Annotated[str, AfterValidator(_field), Field(examples=["detail.shipping", "amount", "channel"])]


class Condition(Strict):
    """What a value has to be; all that is said has to hold. A list or a plain value stands for `is`."""

    is_: Annotated[list[Scalar], OneOrMany()] | None = Field(
        None, alias="is", description="One of these; words are compared without regard to case."
    )
    not_: Annotated[list[Scalar], OneOrMany()] | None = Field(
        None, alias="not", description="There, and none of these."
    )
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    present: bool | None = Field(None, description="Whether there is a value at all.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping | Condition) else {"is": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As it is written: a value, a list of values, or what is said of it."""
        reference = handler(schema)
        made = handler.resolve_ref_schema(reference)
        whole, value = dict(made), {"type": ["string", "number", "boolean"]}
        made.clear()
        made.update({"anyOf": [value, {"type": "array", "items": value}, whole], "title": "Condition"})
        return reference

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.model_fields_set or self.is_ == [] or self.not_ == []:
            raise problem("test", "a condition needs a value, such as `express`, `[a, b]` or `{at_least: 10}`.")
        return self


def _words(value: str) -> str:
    if not re.search(r"\w", value):
        raise problem("words", f"found `{value}`; words are letters or digits.")
    return value


class Signal(Strict):
    """What speaks for a need, or against it, when it is seen in a dealing."""

    types: Annotated[list[Name], OneOrMany()] = Field(
        min_length=1, description="Interaction types it is looked for in."
    )
    when: dict[Looked, Condition] = Field(
        default_factory=dict, description="What has to hold of the dealing: all of it."
    )
    words: Annotated[list[Annotated[str, AfterValidator(_words)]], OneOrMany()] | None = Field(
        None, description="One of these has to stand in it, in any form that Russian or English gives the words."
    )
    look_in: Annotated[list[Looked], OneOrMany()] = Field(
        default_factory=lambda: ["summary"], description="Where `words` are looked for.", alias="in"
    )
    against: bool = Field(False, description="It speaks against the need.")
    origin: Literal["declared", "observed", "inferred"] = Field(
        "observed", description="declared: the client says so; observed: it acts so; inferred: somebody concludes it."
    )
    weight: Annotated[float, Field(gt=0, le=100)] = Field(1.0, description="How much one sighting counts.")
    labels: Labels | None = Field(None, description="What is told of it; without it, its name.")

    @model_validator(mode="after")
    def _looks_at_something(self) -> Signal:
        if not self.when and not self.words:
            raise problem("signal", "a signal needs `when` or `words`: a mere dealing says nothing of a need.")
        return self


def _half_life(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise problem(
            "half_life",
            f"found `{duration_text(value)}`; dealings are known by their day, so that a half-life is at least 1d.",
        )
    return value


class Need(Strict):
    """What a client wants done, whoever does it."""

    job: Labels = Field(description="The job to be done, in the client's words.")
    labels: Labels
    dimension: Name = Field(description="What kind of need it is, such as time, price, advice, risk.")
    half_life: Annotated[Duration, AfterValidator(_half_life)] | None = Field(
        None,
        description="After this time (from 1d) a sighting counts half, reckoned back from the client's last dealing.",
    )
    signals: dict[Name, Signal] = Field(min_length=1)


class NeedsFile(Strict):
    """`needs.yaml`: the catalogue of needs."""

    needs: dict[Name, Need] = Field(default_factory=dict)
    held_lift: Annotated[float, Field(gt=1)] = Field(
        default=1.5, description="A need is held to be there from this lift on: sightings over those expected."
    )
    held_sightings: Annotated[int, Field(ge=1)] = Field(default=3, description="... and from so many sightings on.")
