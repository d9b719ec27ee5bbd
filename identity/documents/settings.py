"""config/documents.yaml: how documents of different registers are found to record one business event."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

ONE_BIT: Final = 1024
"""Weights are integers of 1/1024 bit."""
Money = Literal["quoted", "ordered", "invoiced", "paid", "credited"]
MONEY: Final[tuple[Money, ...]] = get_args(Money)
"""What an amount means, in the order in which a sale goes; its place is its number here."""
SALE: Final = ("quoted", "ordered", "invoiced")

_VOID: Final = (
    "cancelled", "canceled", "void", "voided", "deleted", "lost", "closed_lost", "closedlost", "lose", "rejected",
    "отменен", "отменён", "аннулирован", "проигран", "storniert",
)  # fmt: skip
_SOLD: Final = ("won", "closed_won", "closedwon", "sold", "выигран", "gewonnen")


class States(BaseModel):
    """Where a document says how it stands, and which words mean that it records no sale, or a sale made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: tuple[str, ...] = Field(("stage", "status", "state"), description="Detail fields that say it.")
    void: tuple[str, ...] = Field(_VOID, description="It came to nothing: neither linked nor counted.")
    sold: tuple[str, ...] = Field(_SOLD, description="A quotation that counts although no order records it.")

    @field_validator("void", "sold")
    @classmethod
    def _lower(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({word.lower() for word in words}))


class Weights(BaseModel):
    """What each piece of evidence says, in bits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prior: float = Field(-10, description="Two documents with nothing known of them.")
    digit: float = Field(3.3219, description="An equal amount, for each of its digits without the zeros at its end.")
    amount_most: float = Field(20, description="What an equal amount says at most.")
    amount_net: float = Field(-2, description="Equal but for the tax.")
    amount_differs: float = -6
    currency_differs: float = -4
    number_digit: float = Field(2, description="An equal document number, for each of its digits.")
    number_most: float = 14
    number_core_most: float = Field(6, description="The same digits with other letters.")
    client_same: float = 10
    client_related: float = Field(3, description="Group, branch or owner: they pay for each other.")
    client_differs: float = Field(-3, description="Of eight records of one client one stands apart, as a rule.")
    lag_most: float = Field(3, description="On the same day; as much against at the end of the window.")

    def unit(self, name: str) -> int:
        """A weight in 1/1024 bit."""
        bits: float = getattr(self, name)
        return round(bits * ONE_BIT)


_LAGS: Final = {
    "quoted-ordered": (-7, 92),
    "quoted-invoiced": (-7, 124),
    "ordered-invoiced": (-7, 62),
    "quoted-paid": (-31, 124),
    "ordered-paid": (-31, 124),
    "invoiced-paid": (-31, 124),
    "ordered-credited": (0, 124),
    "invoiced-credited": (0, 124),
    "same": (-7, 7),
}


class DocumentSettings(BaseModel):
    """config/documents.yaml. Every key may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    link_at: float = Field(5, description="Bits from which two documents are one event.")
    review_at: float = Field(2, description="Bits from which a human is asked.")
    weights: Weights = Weights()  # type: ignore[call-arg]
    lag_days: dict[str, tuple[int, int]] = Field(
        default_factory=dict,
        description="Pair of meanings, such as ordered-invoiced -> earliest and latest day of the second after the "
        "first; `same`: of one meaning in two registers.",
    )
    tax_rates: tuple[Decimal, ...] = Field(
        (Decimal("0.20"), Decimal("0.19"), Decimal("0.10"), Decimal("0.07")),
        description="Rates by which an amount without tax may be another one's with tax.",
    )
    states: States = States()  # type: ignore[call-arg]
    largest_block: int = Field(
        24, ge=2, le=200, description="Documents with one amount in a window that are compared with each other."
    )
    instalments: int = Field(6, ge=0, le=8, description="Payments that may add up to one document; 0: none are sought.")
    open_payments: int = Field(
        24, ge=2, le=60, description="Open payments of a client in a window, up to which sums are sought."
    )

    @field_validator("lag_days")
    @classmethod
    def _known_lags(cls, lags: Mapping[str, tuple[int, int]]) -> Mapping[str, tuple[int, int]]:
        for name, (first, last) in lags.items():
            if name not in _LAGS:
                raise ValueError(f"{name} is no pair of meanings; there are {', '.join(_LAGS)}")
            if not -366 <= first <= last <= 366:
                raise ValueError(f"{name}: from {first} to {last} days is no window within a year")
        return lags

    def lag(self, left: str, right: str) -> tuple[int, int] | None:
        """Days after `left` on which `right` may be; None: they are never one event."""
        name = "same" if left == right else f"{left}-{right}"
        return self.lag_days.get(name) or _LAGS.get(name)

    @property
    def widest_lag(self) -> int:
        """The largest number of days between two documents of one event."""
        return max(abs(day) for name in _LAGS for day in self.lag_days.get(name, _LAGS[name]))

    def plain(self) -> dict[str, Any]:
        """As JSON, for fingerprints."""
        return self.model_dump(mode="json")
