"""Concerns with the rows that prove them, and what is done with segments: overrides of guards, and who used them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Identity, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Concern(Table, table=True):
    """A question that is asked after each publish, and what it says now."""

    __tablename__ = "concern"
    __table_args__ = (
        one_of("template", enums.CONCERN_TEMPLATES),
        one_of("state", enums.CONCERN_STATES),
        {"schema": "core", "comment": "Concerns from concerns.yaml, and what they say now"},
    )

    concern: str = column(Text, "Its name", key=True)
    position: int = column(Integer, "Its place, from 1: shipped ones first")
    question_en: str = column(Text, "The question in English")
    question_ru: str | None = column(Text, "The question in Russian", null=True)
    owner: str | None = column(Text, "Who is to look at it", null=True)
    template: str = column(Text, "none_of, more_than, drifts_from, missed_and_silent, contact_pressure or sql")
    threshold: int = column(Integer, "From how many clients on it is raised")
    is_shipped: bool = column(Boolean, "It comes with Onefold")
    state: str = column(Text, "calm, raised, not_available or failed")
    why: str | None = column(Text, "Why it is not available, or failed", null=True)
    clients: int = column(Integer, "Clients that it is about now")
    row_count: int = column(Integer, "Rows that prove it now")
    is_cut: bool = column(Boolean, "There are more rows than are kept")
    types: list[str] | None = column(
        ARRAY(Text), "Interaction types that it looks at; null: any, as SQL may", null=True
    )


class ConcernRaise(Table, table=True):
    """One time that a concern was raised, until it was over."""

    __tablename__ = "concern_raise"
    __table_args__ = (
        one_of("closed_as", enums.CONCERN_ENDS),
        Index("uq_concern_raise_open", "concern", unique=True, postgresql_where=text("closed_at IS NULL")),
        {"schema": "core", "comment": "When each concern was raised and over, why, and who said what to it"},
    )

    concern: str = column(Text, "The concern", key=True)
    raised_at: datetime = column(_AT, "When it was raised", key=True)
    clients: int = column(Integer, "Clients that it was about then")
    row_count: int = column(Integer, "Rows that proved it then")
    threshold: int = column(Integer, "From how many clients on it was raised")
    closed_at: datetime | None = column(_AT, "When it was over; null: it lasts", null=True)
    closed_as: str | None = column(Text, "calm, rules, gone or not_available", null=True)
    acknowledged_at: datetime | None = column(_AT, "When somebody took note of it", null=True)
    acknowledged_by: str | None = column(Text, "Who took note of it", null=True)
    acknowledge_reason: str | None = column(Text, "What they said to it; no client's name", null=True)


class ConcernRow(Table, table=True):
    """A row that proves a concern: a client, a dealing, or both."""

    __tablename__ = "concern_row"
    __table_args__ = (
        Index("ix_concern_row_client_id", "client_id"),
        {"schema": "core", "comment": "Clients and dealings that prove concerns now"},
    )

    concern: str = column(Text, "The concern", key=True)
    row_key: UUID = column(Uuid, "Of the client and the dealing", key=True)
    client_id: UUID | None = column(Uuid, "The client", null=True)
    record_id: int | None = column(BigInteger, "The dealing", null=True)
    note: str | None = column(Text, "What the question says of it, such as a figure", null=True)
    since: datetime = column(_AT, "Since when it is so")


class GuardOverride(Table, table=True):
    """A named person's word that a client may stand on lists for a purpose in spite of a guard, until a day."""

    __tablename__ = "guard_override"
    __table_args__ = (
        Index("ix_guard_override_client_id", "client_id"),
        {"schema": "ops", "comment": "Clients that may be on a list in spite of a guard: who says so, why, until when"},
    )

    override_id: int = column(BigInteger, "Rises with every override", key=True, extra=(Identity(always=True),))
    client_id: UUID = column(Uuid, "The client")
    purpose: str = column(Text, "What the lists are for")
    guards: list[str] = column(ARRAY(Text), "open_complaint, broken_promise, contact_pressure: those that are meant")
    reason: str = column(Text, "Why, in the words of who said so")
    made_by: str = column(Text, "Who said so")
    made_at: datetime = column(_AT, "When")
    until: date = column(Date, "The last day on which it holds")
    ended_at: datetime | None = column(_AT, "When it was taken back", null=True)
    ended_by: str | None = column(Text, "Who took it back", null=True)


class SegmentUse(Table, table=True):
    """Somebody read or exported a segment."""

    __tablename__ = "segment_use"
    __table_args__ = (
        Index("ix_segment_use_scheme", "scheme", "at"),
        {"schema": "ops", "comment": "Who read or exported which segment, when and what for"},
    )

    use_id: int = column(BigInteger, "Rises with every use", key=True, extra=(Identity(always=True),))
    at: datetime = column(_AT, "When")
    who: str = column(Text, "The login name, or the service's")
    how: str = column(Text, "The command, the call of the API or the page")
    purpose: str | None = column(Text, "What for", null=True)
    scheme: str = column(Text, "The scheme")
    segment: str | None = column(Text, "The segment; null: all of the scheme", null=True)
    clients: int | None = column(Integer, "Clients that were told", null=True)
    left_out: int | None = column(Integer, "Clients that guards and bans kept off", null=True)
