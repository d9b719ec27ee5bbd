"""Schema `identity`: standard records, judgements, crosswalk, ledger, models; evidence has a module of its own."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class StandardRecord(Table, table=True):
    """One row per source record of a person or organisation; columns as identity.schema.RECORD."""

    __tablename__ = "standard_record"
    __table_args__ = (
        one_of("kind", enums.KINDS),
        one_of("role", enums.ROLES),
        Index("ix_standard_record_source_stream", "source", "stream"),
        # How many firms stand behind an address; hashed, because a street may be longer than an index entry can be.
        Index(
            "ix_standard_record_address",
            text(r"(street || E'\t' || house || E'\t' || postcode)"),
            postgresql_using="hash",
            postgresql_where=text("kind = 'organisation'"),
        ),
        {
            "schema": "identity",
            "comment": "The standard form of every source record of a person or organisation",
        },
    )

    record_id: int = column(BigInteger, "The source record", key=True)
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    kind: str = column(Text, "person or organisation")
    role: str = column(Text, "client, prospect, supplier, staff or authority")
    is_own: bool = column(Boolean, "Our own organisation or its staff: never a client, never evidence")
    full_name: str | None = column(Text, "Person: comparable form of the whole name", null=True)
    full_latin: str | None = column(Text, "Latin key of full_name", null=True)
    given_name: str | None = column(Text, "Comparable given name", null=True)
    given_latin: str | None = column(Text, "Latin key of given_name", null=True)
    middle_name: str | None = column(Text, "Comparable middle name or patronymic", null=True)
    middle_latin: str | None = column(Text, "Latin key of middle_name", null=True)
    family_name: str | None = column(Text, "Comparable family name", null=True)
    family_latin: str | None = column(Text, "Latin key of family_name", null=True)
    birth_date: date | None = column(Date, "Birth date", null=True)
    gender: str | None = column(Text, "Gender as the source states it", null=True)
    org_name: str | None = column(Text, "Organisation: comparable name without legal form", null=True)
    org_latin: str | None = column(Text, "Latin key of org_name", null=True)
    legal_form: str | None = column(Text, "Class of the legal form, such as llc", null=True)
    country: str | None = column(Text, "Country, ISO 3166-1 alpha-2", null=True)
    region: str | None = column(Text, "Comparable region", null=True)
    city: str | None = column(Text, "Comparable city", null=True)
    street: str | None = column(Text, "Comparable street", null=True)
    house: str | None = column(Text, "Comparable house number", null=True)
    postcode: str | None = column(Text, "Comparable postcode", null=True)
    attributes: dict[str, Any] = column(
        JSONB, "Values for the golden record: attribute -> list of {v, invalid, repaired}"
    )
    source_updated_at: datetime | None = column(_AT, "When the source says that it changed", null=True)
    content_hash: UUID = column(Uuid, "Hash over everything but record_id and source_updated_at")


class Identifier(Table, table=True):
    """Typed identifiers of records; columns as identity.schema.IDENTIFIER."""

    __tablename__ = "identifier"
    # No unique key on the value: an invalid one may be longer than an index entry can be.
    __mapper_args__ = {"primary_key": ["record_id", "type", "value"]}  # noqa: RUF012
    __table_args__ = (
        Index("ix_identifier_record_id", "record_id"),
        # The value first: people search by what they have at hand and do not say what it is.
        Index("ix_identifier_value_type", "value", "type", postgresql_where=text("is_valid")),
        Index("ix_identifier_invalid", "type", "record_id", postgresql_where=text("NOT is_valid")),
        {
            "schema": "identity",
            "comment": "Typed, multi-valued identifiers of records; invalid ones are no evidence",
        },
    )

    record_id: int = column(BigInteger, "The source record")
    type: str = column(Text, "email, phone, inn, kpp, ogrn, vat, domain, ...")
    value: str = column(Text, "Standard form: E.164, lower case, digits only")
    is_valid: bool = column(Boolean, "Passed its checksum or format")
    invalid_reason: str | None = column(Text, "Why it is not valid", null=True)


class Judgement(Table, table=True):
    """A human's word; append-only."""

    __tablename__ = "judgement"
    __table_args__ = (
        one_of("verdict", enums.VERDICTS),
        one_of("policy", enums.PIN_POLICIES),
        Index("ix_judgement_left_ids", "left_ids", postgresql_using="gin"),
        Index("ix_judgement_right_ids", "right_ids", postgresql_using="gin"),
        Index("ix_judgement_lifts", "lifts", unique=True, postgresql_where=text("lifts IS NOT NULL")),
        {
            "schema": "identity",
            "comment": "What humans decided; append-only, in force until a later row lifts it",
        },
    )

    judgement_id: int = column(BigInteger, "Rises with every judgement", key=True, extra=(Identity(always=True),))
    verdict: str = column(
        Text, "same, not_same, related, cannot_tell; pin: a golden value; lift: ends another judgement"
    )
    left_ids: list[int] = column(ARRAY(BigInteger), "Records on the one side; the anchor of a pin")
    right_ids: list[int] = column(ARRAY(BigInteger), "Records on the other side", default=text("'{}'"))
    relationship: str | None = column(Text, "For related: branch_of, household, namesake, ...", null=True)
    attribute: str | None = column(Text, "For a pin: the golden attribute", null=True)
    value: Any = column(JSONB, "For a pin: the value", null=True)
    policy: str | None = column(Text, "For a pin: how long it holds", null=True)
    until: date | None = column(Date, "For a pin until a date: that date", null=True)
    lifts: int | None = column(
        BigInteger,
        "For a lift: the judgement that it ends",
        null=True,
        extra=(ForeignKey("identity.judgement.judgement_id"),),
    )
    reason: str | None = column(Text, "Why, in the steward's words", null=True)
    decided_by: str = column(Text, "Who decided")
    decided_at: datetime = column(_AT, "When it was decided")


class JudgedRecord(Table, table=True):
    """What a record was when a human spoke of it."""

    __tablename__ = "judged_record"
    __table_args__ = (
        Index("ix_judged_record_record_id", "record_id"),
        Index("ix_judged_record_suspended", "judgement_id", postgresql_where=text("is_suspended")),
        {"schema": "identity", "comment": "What each record was when a judgement was said about it"},
    )

    judgement_id: int = column(
        BigInteger, "The judgement", key=True, extra=(ForeignKey("identity.judgement.judgement_id"),)
    )
    record_id: int = column(BigInteger, "A record that it names", key=True)
    content_hash: UUID = column(Uuid, "Content hash of its standard record at that time")
    record: dict[str, Any] = column(JSONB, "Its standard record at that time")
    identifiers: list[Any] = column(JSONB, "Its identifiers at that time: type, value, is_valid, invalid_reason")
    is_suspended: bool = column(
        Boolean,
        "The record has changed its identity since: the judgement does not speak of it now",
        default=text("false"),
    )


class FormerRecord(Table, table=True):
    """Whom a record was about before its key was given to somebody else."""

    __tablename__ = "former_record"
    __table_args__ = (
        UniqueConstraint("record_id", "content_hash", name="uq_former_record_record_id_content_hash"),
        {
            "schema": "identity",
            "comment": "Versions of records that have changed their identity since, kept as records of their own",
        },
    )

    former_id: int = column(
        BigInteger, "The former version as a record of its own, in identity.standard_record", key=True
    )
    record_id: int = column(BigInteger, "The record, which is somebody else now")
    content_hash: UUID = column(Uuid, "Content hash of its standard record as it was")
    until_at: datetime = column(_AT, "What happened before belongs to the former version")
    is_confirmed: bool = column(
        Boolean, "A human has said that the record is somebody else now: this one stays", default=text("false")
    )


class Crosswalk(Table, table=True):
    """Which client a record belongs to now."""

    __tablename__ = "crosswalk"
    __table_args__ = (
        Index("ix_crosswalk_client_id", "client_id"),
        Index("ix_crosswalk_changed_seq", "changed_seq"),
        {"schema": "identity", "comment": "Which client a source record belongs to now"},
    )

    record_id: int = column(BigInteger, "The source record", key=True)
    client_id: UUID = column(Uuid, "The client")
    since: datetime = column(_AT, "As of when the record belongs to it")
    changed_seq: int | None = column(
        BigInteger, "The change event of this link or of its card; null until it is published", null=True
    )


class CrosswalkHistory(Table, table=True):
    """Which client a record belonged to when; no overlap."""

    __tablename__ = "crosswalk_history"
    __table_args__ = (
        Index("ix_crosswalk_history_client_id", "client_id"),
        Index("ix_crosswalk_history_ended_seq", "ended_seq", postgresql_where=text("valid_to IS NOT NULL")),
        Index("uq_crosswalk_history_open", "record_id", unique=True, postgresql_where=text("valid_to IS NULL")),
        {
            "schema": "identity",
            "comment": "Which client a source record belonged to when; one open row per linked record",
        },
    )

    record_id: int = column(BigInteger, "The source record", key=True)
    valid_from: datetime = column(_AT, "As of when the link held", key=True)
    valid_to: datetime | None = column(_AT, "As of when it no longer held; null: it still does", null=True)
    client_id: UUID = column(Uuid, "The client")
    ended_seq: int | None = column(BigInteger, "The change event that published its end", null=True)
    opened_seq: int | None = column(BigInteger, "The change event that published the link", null=True)


class ClientIdLedger(Table, table=True):
    """The life of client ids: mint, redirect, retire, revive."""

    __tablename__ = "client_id_ledger"
    __table_args__ = (
        one_of("event", enums.LEDGER_EVENTS),
        Index("ix_client_id_ledger_client_id", "client_id"),
        Index(
            "ix_client_id_ledger_target_client_id",
            "target_client_id",
            postgresql_where=text("target_client_id IS NOT NULL"),
        ),
        Index("ix_client_id_ledger_founding_key", "founding_key", postgresql_where=text("event = 'mint'")),
        {"schema": "identity", "comment": "The life of every client id; append-only"},
    )

    id: int = column(BigInteger, "Rises with every event", key=True, extra=(Identity(always=True),))
    client_id: UUID = column(Uuid, "The client id")
    event: str = column(Text, "mint, redirect, retire or revive")
    at: datetime = column(_AT, "The as_of of the event")
    target_client_id: UUID | None = column(Uuid, "For redirect: the survivor", null=True)
    founding_key: str = column(Text, "Natural key of the founding record")
    mint_number: int = column(Integer, "The n-th mint for that founding key, from 1")
    run_id: int | None = column(BigInteger, "The run", null=True)


class Model(Table, table=True):
    """Versions of the match model: weights, term frequencies and thresholds frozen together."""

    __tablename__ = "model"
    __table_args__ = (
        Index("uq_model_current", "is_current", unique=True, postgresql_where=text("is_current")),
        {
            "schema": "identity",
            "comment": "Versions of the match model: weights, term frequencies, thresholds",
        },
    )

    version: int = column(Integer, "Rises with every version", key=True)
    kind: str = column(Text, "prior, em, supervised")
    body: dict[str, Any] = column(JSONB, "The frozen model")
    is_current: bool = column(Boolean, "The version that resolve uses", default=text("false"))
    fingerprint: UUID = column(Uuid, "BLAKE2b-128 of the body: the same model is stored once")
    created_at: datetime = column(_AT, "When it was saved")


class ReviewCase(Table, table=True):
    """What a steward should look at."""

    __tablename__ = "review_case"
    __table_args__ = (
        one_of("status", enums.CASE_STATUSES),
        Index("ix_review_case_record_ids", "record_ids", postgresql_using="gin"),
        Index(
            "ix_review_case_queue",
            "impact",
            "weight",
            "opened_at",
            "kind",
            "fingerprint",
            postgresql_include=["sources"],
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_review_case_open", "kind", "opened_at", postgresql_where=text("status = 'open'")),
        Index("ix_review_case_not_noted", "status", "fingerprint", postgresql_where=text("sources IS NULL")),
        {"schema": "identity", "comment": "Links that a human should decide, with their evidence"},
    )

    fingerprint: UUID = column(Uuid, "Of kind and records: the same question is one case", key=True)
    kind: str = column(Text, "Why it is a case: band, contradiction, distinct, leftover, changed_identity, ...")
    record_ids: list[int] = column(ARRAY(BigInteger), "The records in question")
    status: str = column(Text, "open, closed (the question is gone) or decided", default=text("'open'"))
    weight: int | None = column(Integer, "Match weight in 1/1024 bit", null=True)
    impact: int = column(BigInteger, "Order in which to look: larger first", default=text("0"))
    evidence: dict[str, Any] = column(JSONB, "Levels and bits of each comparison, and what stood in the way")
    opened_at: datetime = column(_AT, "When it was opened")
    closed_at: datetime | None = column(_AT, "When it was closed or decided", null=True)
    judgement_id: int | None = column(BigInteger, "The judgement that decided it", null=True)
    sources: list[str] | None = column(
        ARRAY(Text), "The sources of its records; null: not noted yet, which the next resolution does", null=True
    )


class ChildLink(Table, table=True):
    """Records whose fields feed another record."""

    __tablename__ = "child_link"
    __table_args__ = (
        Index("ix_child_link_parent_record_id", "parent_record_id"),
        {"schema": "identity", "comment": "Records whose fields feed another record, such as requisites"},
    )

    child_record_id: int = column(BigInteger, "The record that feeds", key=True)
    parent_record_id: int = column(BigInteger, "The record that is fed", key=True)
