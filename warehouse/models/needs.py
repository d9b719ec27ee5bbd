"""Schema `core`: what clients need, by which dealings it is seen, and the segments that follow from it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Index, Integer, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)
_OPEN = text("left_at IS NULL")


class Need(Table, table=True):
    """The catalogue of needs."""

    __tablename__ = "need"
    __table_args__ = ({"schema": "core", "comment": "What clients may need, from needs.yaml"},)

    code: str = column(Text, "Code, such as urgency", key=True)
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    job_en: str = column(Text, "The job to be done in the client's words, in English")
    job_ru: str | None = column(Text, "The job to be done in the client's words, in Russian", null=True)
    dimension: str = column(Text, "What kind of need it is, such as time or price")
    half_life_days: Decimal | None = column(Numeric, "After so many days a sighting counts half", null=True)


class NeedSignal(Table, table=True):
    """By what a need is recognised, numbered."""

    __tablename__ = "need_signal"
    __table_args__ = (
        one_of("origin", enums.NEED_ORIGINS),
        {"schema": "core", "comment": "By what each need is recognised, from needs.yaml"},
    )

    signal_key: int = column(Integer, "Its place by need and code, from 1", key=True)
    need: str = column(Text, "Code of core.need")
    code: str = column(Text, "Its name within the need")
    origin: str = column(Text, "declared, observed or inferred")
    is_against: bool = column(Boolean, "It speaks against the need")
    weight: Decimal = column(Numeric, "How much one sighting counts")
    label_en: str = column(Text, "What is told of it in English")
    label_ru: str | None = column(Text, "What is told of it in Russian", null=True)
    word_starts: str | None = column(Text, "Beginnings one of which a text with its words has", null=True)
    word_query: str | None = column(Text, "The text search for its words", null=True)


class NeedRate(Table, table=True):
    """How often a signal is seen in dealings of a type: what is expected of a client, frozen until measured anew."""

    __tablename__ = "need_rate"
    __table_args__ = ({"schema": "core", "comment": "How often each signal is seen in dealings of a type, frozen"},)

    signal_key: int = column(Integer, "The signal", key=True)
    type: str = column(Text, "Code of core.interaction_type", key=True)
    rate: float = column(Double, "Weight of sightings by weight of dealings, over all clients")


class ClientNeed(Table, table=True):
    """What is known of one need of one client, by one origin; weights are in millionths of a sighting."""

    __tablename__ = "client_need"
    __table_args__ = (
        one_of("origin", enums.NEED_ORIGINS),
        Index("ix_client_need_need", "need", "origin", postgresql_where=text("is_held")),
        {"schema": "core", "comment": "Needs of clients: declared, observed and inferred kept apart"},
    )

    client_id: UUID = column(Uuid, "The client", key=True)
    need: str = column(Text, "Code of core.need", key=True)
    origin: str = column(Text, "declared, observed or inferred", key=True)
    is_held: bool = column(Boolean, "It is held to be there by this origin")
    sightings_for: int = column(Integer, "Dealings in which something speaks for it")
    sightings_against: int = column(Integer, "Dealings in which something speaks against it")
    weight_for: int = column(BigInteger, "Weight of those for it, aged, in millionths")
    weight_against: int = column(BigInteger, "Weight of those against it, aged, in millionths")
    expected_for: int | None = column(
        BigInteger, "Weight expected of so many dealings, in millionths; null: of words none is", null=True
    )
    expected_against: int | None = column(BigInteger, "The same of what speaks against it", null=True)
    dealings: int = column(Integer, "Dealings of the kinds in which needs are looked for")
    first_on: date | None = column(Date, "Day of the first sighting", null=True)
    last_on: date | None = column(Date, "Day of the last sighting", null=True)


class ClientNeedEvidence(Table, table=True):
    """One sighting: an interaction that speaks for or against a need."""

    __tablename__ = "client_need_evidence"
    __table_args__ = ({"schema": "core", "comment": "Interactions that speak for or against needs of their clients"},)

    client_id: UUID = column(Uuid, "The client", key=True)
    signal_key: int = column(Integer, "What is seen: core.need_signal", key=True)
    record_id: int = column(BigInteger, "The interaction in which it is seen", key=True)
    occurred_on: date | None = column(Date, "The interaction's day", null=True)


class SegmentScheme(Table, table=True):
    """A way to divide clients, and what its last check found."""

    __tablename__ = "segment_scheme"
    __table_args__ = (
        one_of("basis", enums.SEGMENT_BASES),
        {"schema": "core", "comment": "Schemes that divide clients, from segments.yaml, with their last check"},
    )

    scheme: str = column(Text, "Its name", key=True)
    basis: str = column(Text, "needs, lifecycle or value")
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    owner: str | None = column(Text, "Who answers for it", null=True)
    review_on: date | None = column(Date, "When somebody is to say whether it is still of use", null=True)
    is_served: bool = column(Boolean, "It is shown to readers: it has passed its check, or needs none")
    checked_at: datetime | None = column(_AT, "When it was checked last", null=True)
    figures: dict[str, Any] | None = column(JSONB, "What the check found", null=True)
    unknown: int | None = column(
        BigInteger, "Clients that are in none of its segments; null: not counted yet", null=True
    )


class Segment(Table, table=True):
    """A part of a scheme."""

    __tablename__ = "segment"
    __table_args__ = ({"schema": "core", "comment": "Segments of the schemes, from segments.yaml"},)

    scheme: str = column(Text, "The scheme", key=True)
    segment: str = column(Text, "Its name", key=True)
    position: int = column(Integer, "Its place in the file, from 1")
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    needs: list[str] = column(ARRAY(Text), "Needs that its clients have; none where the basis is another")
    policy: str | None = column(Text, "What is done for it, in words", null=True)
    policy_field: str | None = column(Text, "What is measured of it", null=True)
    policy_test: str | None = column(Text, "is, at_least or at_most", null=True)
    policy_value: str | None = column(Text, "The value that is expected", null=True)
    policy_from: date | None = column(Date, "From which day on it is promised", null=True)
    clients: int | None = column(BigInteger, "Clients that are in it now; null: not counted yet", null=True)


class ClientSegment(Table, table=True):
    """In which segment of a scheme a client is, from when to when."""

    __tablename__ = "client_segment"
    __table_args__ = (
        one_of("entered_reason", enums.SEGMENT_REASONS),
        one_of("left_reason", (*enums.SEGMENT_REASONS, *enums.SEGMENT_ENDS)),
        Index("uq_client_segment_open", "client_id", "scheme", unique=True, postgresql_where=_OPEN),
        Index("ix_client_segment_member", "scheme", "segment", "client_id", postgresql_where=_OPEN),
        {"schema": "core", "comment": "Segments of clients, dated, with the next best one"},
    )

    client_id: UUID = column(Uuid, "The client", key=True)
    scheme: str = column(Text, "The scheme", key=True)
    entered_at: datetime = column(_AT, "From when", key=True)
    segment: str | None = column(Text, "The segment; null: unknown", null=True)
    entered_reason: str = column(Text, "composition, declared, rule; few, none, close: why it is unknown")
    probability: float = column(Double, "How probable its best segment is, to four places")
    runner_up: str | None = column(Text, "The next best segment; null: none of them", null=True)
    runner_up_probability: float | None = column(Double, "How probable that is", null=True)
    left_at: datetime | None = column(_AT, "Until when; null: it is in it", null=True)
    left_reason: str | None = column(Text, "Why it is in the next one, or gone, or rules", null=True)


class SegmentMirror(Table, table=True):
    """How the clients of a segment are treated beside others with as much business, by one outcome."""

    __tablename__ = "segment_mirror"
    __table_args__ = (
        one_of("measure", enums.MIRROR_MEASURES),
        one_of("verdict", enums.MIRROR_VERDICTS),
        one_of("effect", enums.MIRROR_EFFECTS),
        {"schema": "core", "comment": "Whether operations treat the clients of each segment differently"},
    )

    scheme: str = column(Text, "The scheme", key=True)
    segment: str = column(Text, "The segment", key=True)
    outcome: str = column(Text, "What clients get, such as lead_time", key=True)
    position: int = column(Integer, "Its place among the outcomes, from 1")
    label_en: str = column(Text, "Label of the outcome in English")
    label_ru: str | None = column(Text, "Label of the outcome in Russian", null=True)
    measure: str = column(Text, "days, share or rate (a year)")
    is_less_better: bool = column(Boolean, "Less of it is better for the client")
    is_promised: bool = column(Boolean, "The policy of the segment promises it")
    verdict: str = column(Text, "How the clients are treated")
    clients: int = column(Integer, "Clients of the segment with the outcome")
    compared: int = column(Integer, "Clients they are compared with")
    typical: float | None = column(Double, "What its clients get, on average", null=True)
    typical_elsewhere: float | None = column(
        Double, "What those get with whom they are compared, on average", null=True
    )
    difference: float | None = column(
        Double, "Of days and rates: part of what others get by which it is more; of shares: points", null=True
    )
    difference_low: float | None = column(Double, "Lower end of the 95 % interval", null=True)
    difference_high: float | None = column(Double, "Upper end of the 95 % interval", null=True)
    p_value: float | None = column(Double, "Corrected for all segments and outcomes of the scheme", null=True)
    meets_promise: bool | None = column(Boolean, "What its clients get on average is what is promised", null=True)
    effect: str | None = column(Text, "What better treatment does to repeat business; null: not asked", null=True)
    effect_difference: float | None = column(
        Double, "Part by which repeat business is more where treatment is better by a fifth", null=True
    )
    effect_low: float | None = column(Double, "Lower end of the 95 % interval", null=True)
    effect_high: float | None = column(Double, "Upper end of the 95 % interval", null=True)
    since_on: date = column(Date, "From which day on dealings were looked at")
    looked_at: datetime = column(_AT, "When it was looked at")
    former_verdict: str | None = column(Text, "The last verdict that was another one and could tell", null=True)
