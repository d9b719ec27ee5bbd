"""Schema `core`: what is measured, from the client's side and from the company's, and on what grounds clients stay."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, Date, Double, Index, Integer, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of


class Metric(Table, table=True):
    """The registry of metrics."""

    __tablename__ = "metric"
    __table_args__ = (
        one_of("perspective", enums.METRIC_PERSPECTIVES),
        one_of("direction", enums.METRIC_DIRECTIONS),
        one_of("kind", enums.METRIC_KINDS),
        {"schema": "core", "comment": "What is measured, from metrics.yaml and the shipped definitions"},
    )

    metric: str = column(Text, "Its name", key=True)
    version: int = column(Integer, "Version of the definition")
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    perspective: str = column(Text, "Whose side it is told from: client or enterprise")
    unit: str = column(Text, "share, days, count or money")
    direction: str = column(Text, "Which way is good: up, down or none")
    kind: str = column(Text, "share, mean, ratio or total")
    types: list[str] = column(ARRAY(Text), "Interaction types that it is about")
    breakdowns: list[str] = column(ARRAY(Text), "What it is counted over beside the hub: client, segment, month")
    minimum: int = column(Integer, "With fewer observations no value is told")
    minimum_per_client: int = column(Integer, "The same of one client")
    definition: str = column(Text, "The SELECT over the served views")
    is_available: bool = column(Boolean, "Something is observed")
    why_en: str | None = column(Text, "Why it is not available, in English", null=True)
    why_ru: str | None = column(Text, "Why it is not available, in Russian", null=True)


class ClientMetricMonth(Table, table=True):
    """What is observed of a client in a month: sums, from which every value follows."""

    __tablename__ = "client_metric_month"
    __table_args__ = (
        Index("ix_client_metric_month_metric", "metric", "month"),
        {"schema": "core", "comment": "What is observed of clients by metric and month, as sums"},
    )

    client_id: UUID = column(Uuid, "The client", key=True)
    metric: str = column(Text, "Name of core.metric", key=True)
    month: date = column(Date, "First day of the month", key=True)
    observations: int = column(Integer, "How many")
    total: Decimal = column(Numeric, "Sum of their values")
    weight: Decimal = column(Numeric, "Sum of their weights; of all but a ratio how many they are")
    squares: Decimal = column(Numeric, "Sum of the squares of their values")


class MetricValue(Table, table=True):
    """A value with its uncertainty: of the hub, a month, or a segment."""

    __tablename__ = "metric_value"
    __table_args__ = (
        one_of("scope", enums.METRIC_SCOPES),
        {"schema": "core", "comment": "Values of metrics with their sample and 95 % interval"},
    )

    metric: str = column(Text, "Name of core.metric", key=True)
    place: str = column(Text, "hub, month:YYYY-MM-DD or segment:SCHEME:SEGMENT", key=True)
    scope: str = column(Text, "hub, month or segment")
    month: date | None = column(Date, "First day of the month", null=True)
    scheme: str | None = column(Text, "Scheme of the segment", null=True)
    segment: str | None = column(Text, "The segment", null=True)
    version: int = column(Integer, "Version of the definition")
    observations: int = column(Integer, "How many")
    clients: int = column(Integer, "Of how many clients")
    value: Decimal | None = column(Numeric, "The value; null: too few observations", null=True)
    low: Decimal | None = column(Numeric, "Lower end of its 95 % interval; null: none is told", null=True)
    high: Decimal | None = column(Numeric, "Upper end of its 95 % interval", null=True)


class Loyalty(Table, table=True):
    """Whether clients who were treated better stay and buy again more often."""

    __tablename__ = "loyalty"
    __table_args__ = (
        one_of("verdict", enums.LOYALTY_VERDICTS),
        {"schema": "core", "comment": "Loyalty against its grounds: differences with their interval"},
    )

    ground: str = column(Text, "Name of the metric that is the ground: promises_kept or needs_met", key=True)
    outcome: str = column(Text, "retained: bought again within a year; repeated: twice or more", key=True)
    since: date = column(Date, "The ground is of the two years before this day, the outcome of the year after it")
    clients: int = column(Integer, "Clients with enough observations of the ground who bought in these two years")
    difference: float | None = column(
        Double, "Share of those at 80 % or more less that of the others, like volumes compared", null=True
    )
    low: float | None = column(Double, "Lower end of its interval", null=True)
    high: float | None = column(Double, "Upper end of its interval", null=True)
    trend_p: float | None = column(Double, "Probability of such a trend over the bands by chance", null=True)
    verdict: str = column(Text, "effect, no effect, cannot tell, or not available")
    why_en: str | None = column(Text, "Why it cannot be told, in English", null=True)
    why_ru: str | None = column(Text, "Why it cannot be told, in Russian", null=True)


class LoyaltyBand(Table, table=True):
    """Of clients in a band of a ground, how many came back."""

    __tablename__ = "loyalty_band"
    __table_args__ = ({"schema": "core", "comment": "How many clients came back, by bands of a ground"},)

    ground: str = column(Text, "Name of the metric that is the ground", key=True)
    outcome: str = column(Text, "retained or repeated", key=True)
    band: int = column(Integer, "0: below 50 %, 1: below 80 %, 2: below 100 %, 3: all", key=True)
    clients: int = column(Integer, "Clients in it")
    came_back: int = column(Integer, "Those of them with the outcome")
    share: float | None = column(Double, "Their share", null=True)
    low: float | None = column(Double, "Lower end of its 95 % interval", null=True)
    high: float | None = column(Double, "Upper end of its 95 % interval", null=True)
