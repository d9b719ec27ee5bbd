"""`metrics.yaml`: what is measured, from the client's side and from the company's; shipped: data/metrics.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onefold.configuration.base import Labels, Name, OneOrMany, Strict

Unit = Literal["share", "days", "count", "money"]
Perspective = Literal["client", "enterprise"]
Breakdown = Literal["client", "segment", "month"]


class Metric(Strict):
    """One definition: observations, each with its client and day, and what is made of them."""

    version: Annotated[int, Field(ge=1)] = Field(1, description="Raise it when the meaning changes.")
    labels: Labels
    perspective: Perspective = Field(description="Whose side it is told from: the client's or the company's own.")
    unit: Unit
    direction: Literal["up", "down", "none"] = Field(description="Which way is good: up, down, or neither.")
    kind: Literal["share", "mean", "ratio", "total"] = Field(
        description="share: of observations, whose value is true or false; mean: of values; ratio: the sum of `value`"
        " over that of `weight`; total: the sum of values."
    )
    types: Annotated[list[Name], OneOrMany()] = Field(
        min_length=1,
        description="Interaction types that it is about; without any of them in the hub it is not available.",
    )
    over: Annotated[list[Breakdown], OneOrMany()] = Field(
        default=["client", "segment", "month"], description="What it is counted over, beside the whole hub."
    )
    minimum: Annotated[int, Field(ge=1)] = Field(
        20, description="With fewer observations no value is told of the hub, a month or a segment."
    )
    minimum_per_client: Annotated[int, Field(ge=1)] = Field(5, description="The same of one client.")
    missing: Labels | None = Field(None, description="What is told where nothing can be observed.")
    sql: str = Field(
        min_length=1,
        description="One SELECT over the views of onefold_v1 with the columns client_id, occurred_on, value, and weight"
        " for a ratio. `hub_day (today)`, `mailing (record_id)` and `promise` (fct_promise_outcome, each once) are"
        " there too.",
    )


class NoValue(Strict):
    """What the company sends without being of use: greetings and mailings. Any of them tells one."""

    types: Annotated[list[str], OneOrMany()] = Field(default_factory=list, description="Interaction types.")
    channels: Annotated[list[str], OneOrMany()] = Field(default_factory=list, description="Channels.")
    kinds: Annotated[list[str], OneOrMany()] = Field(default_factory=list, description="Values of detail.kind.")
    words: Annotated[list[str], OneOrMany()] = Field(
        default_factory=list, description="Texts one of which stands in the summary, in any case of letters."
    )


class MetricsFile(Strict):
    """`metrics.yaml`: definitions of your own, or other ones for the shipped."""

    metrics: dict[Name, Metric | None] = Field(
        default_factory=dict, description="By name; null takes a shipped one away."
    )
    no_value: NoValue | None = Field(None, description="Greetings and mailings; those that are shipped without it.")
