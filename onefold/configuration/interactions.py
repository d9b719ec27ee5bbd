"""`interactions.yaml`: the open registry of interaction types; the shipped ones: data/interactions.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from onefold.configuration.base import Labels, Name, Strict

DetailType = Literal["text", "number", "boolean", "date", "timestamp", "list", "object"]


class DetailField(Strict):
    """One named value in an interaction's detail."""

    type: DetailType = "text"
    labels: Labels | None = None


def _detail(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class InteractionType(Strict):
    """What happens between the company and a client."""

    department: Name = Field(description="Whose work it is.")
    labels: Labels
    direction: Literal["inbound", "outbound", "internal"] | None = Field(
        None, description="Who acts: the client (inbound), the company (outbound), or nobody outside."
    )
    money: Literal["quoted", "ordered", "invoiced", "paid", "credited", "none"] = Field(
        "none", description="What its amount means; only one of them counts as turnover."
    )
    tax: Literal["net", "gross"] | None = Field(None, description="Whether its amount is without or with tax.")
    detail: dict[str, Annotated[DetailField, BeforeValidator(_detail)]] = Field(
        default_factory=dict, description="Names and types of its detail values."
    )


class InteractionsFile(Strict):
    """`interactions.yaml`: types of your own, or other words for the shipped ones."""

    interactions: dict[Name, InteractionType] = Field(default_factory=dict)
