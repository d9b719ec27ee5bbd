"""`mirror` of segments.yaml: what is compared between segments; what is shipped: data/mirror.yaml."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from onefold.configuration.base import Duration, Labels, Name, OneOrMany, Strict, problem
from onefold.configuration.needs import Condition, Looked


class Outcome(Strict):
    """Something that clients get, and by which it is told."""

    labels: Labels
    measure: Literal["days", "share", "rate"] = Field(
        description="days: from a dealing to its end, on average; share: of the dealings for which `when` holds;"
        " rate: dealings in a year."
    )
    better: Literal["less", "more"] = Field(description="What is better for the client.")
    types: Annotated[list[Name], OneOrMany()] = Field(
        min_length=1, description="Interaction types it is looked for in."
    )
    when: dict[Looked, Condition] = Field(
        default_factory=dict, description="Of a share: what it is the share of; else which dealings count."
    )
    until: Annotated[list[Name], OneOrMany()] = Field(
        default_factory=list,
        description="Of days: types of dealings that follow in the same chain; the first of them is the end.",
    )
    promise: Name | None = Field(
        None, description="Of days: the promise of this kind whose fulfilment is the end, if it comes first."
    )

    @model_validator(mode="after")
    def _fits_its_measure(self) -> Outcome:
        has_end = bool(self.until or self.promise)
        if self.measure == "days" and not has_end:
            raise problem("mirror", "an outcome in days needs its end: `until` or `promise`.")
        if self.measure != "days" and has_end:
            raise problem("mirror", "`until` and `promise` belong to `measure: days`.")
        if self.measure == "share" and not self.when:
            raise problem("mirror", "a share needs `when`: what it is the share of.")
        return self


class Mirror(Strict):
    """How segments are compared."""

    since: Duration = Field(
        timedelta(days=730), validate_default=True, description="How far back dealings are looked at."
    )
    outcomes: dict[Name, Outcome] = Field(
        default_factory=dict, description="Beside those that are shipped, or in place of one of the same name."
    )
