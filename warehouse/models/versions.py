"""Schemas `core` and `identity`: versions of facts and cards that were published and then replaced."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models.base import Table, column

_AT = DateTime(timezone=True)
_ENDED = "The change event that published what came after it; null: nothing yet, readers still see this version"


class InteractionVersion(Table, table=True):
    """Published versions of interactions that another one has replaced."""

    __tablename__ = "interaction_version"
    __table_args__ = (
        Index("uq_interaction_version_open", "record_id", unique=True, postgresql_where=text("ended_seq IS NULL")),
        Index("ix_interaction_version_client_id", "client_id"),
        Index(
            "ix_interaction_version_open_event",
            text("((version ->> 'event_id'::text)::bigint)"),
            postgresql_where=text("ended_seq IS NULL"),
        ),
        Index(
            "ix_interaction_version_open_party",
            text("((version ->> 'party_record_id'::text)::bigint)"),
            postgresql_where=text("ended_seq IS NULL"),
        ),
        {"schema": "core", "comment": "Published versions of interactions that were corrected, deleted or moved since"},
    )

    record_id: int = column(BigInteger, "The interaction", key=True)
    changed_seq: int = column(BigInteger, "The change event that published the version", key=True)
    ended_seq: int | None = column(BigInteger, _ENDED, null=True)
    known_from: datetime | None = column(_AT, "As of when it was published", null=True)
    known_to: datetime | None = column(_AT, "As of when its successor was published", null=True)
    client_id: UUID | None = column(Uuid, "The client that it belonged to", null=True)
    version: dict[str, Any] = column(JSONB, "The row of core.interaction as it was, but for its changed_seq")
    lines: list[Any] | None = column(JSONB, "Its rows of core.interaction_line", null=True)
    promises: list[Any] | None = column(JSONB, "Its rows of core.promise", null=True)


class RelationshipVersion(Table, table=True):
    """Published versions of relationships that another one has replaced."""

    __tablename__ = "relationship_version"
    __table_args__ = (
        Index(
            "uq_relationship_version_open", "relationship_key", unique=True, postgresql_where=text("ended_seq IS NULL")
        ),
        {"schema": "core", "comment": "Published versions of relationships that ended, came back or moved since"},
    )

    relationship_key: int = column(BigInteger, "The relationship", key=True)
    changed_seq: int = column(BigInteger, "The change event that published the version", key=True)
    ended_seq: int | None = column(BigInteger, _ENDED, null=True)
    known_from: datetime | None = column(_AT, "As of when it was published", null=True)
    known_to: datetime | None = column(_AT, "As of when its successor was published", null=True)
    version: dict[str, Any] = column(JSONB, "The row of core.relationship as it was, but for keys and changed_seq")


class CardVersion(Table, table=True):
    """What the served crosswalk says of a record beside its client, where it has changed."""

    __tablename__ = "card_version"
    __table_args__ = (
        Index("uq_card_version_open", "record_id", unique=True, postgresql_where=text("ended_seq IS NULL")),
        Index("ix_card_version_record_id", "record_id", "ended_seq"),
        {"schema": "identity", "comment": "Kind, role and card of records as they were served before they changed"},
    )

    version_key: int = column(BigInteger, "Surrogate", key=True, extra=(Identity(always=True),))
    record_id: int = column(BigInteger, "The record")
    ended_seq: int | None = column(BigInteger, _ENDED, null=True)
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    kind: str | None = column(Text, "person or organisation", null=True)
    role: str | None = column(Text, "client, prospect, supplier, staff or authority", null=True)
    url: str | None = column(Text, "The card in its own system", null=True)
