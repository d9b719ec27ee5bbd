"""Schema `core`: golden clients with their history, and the registry of their attributes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Client(Table, table=True):
    """The golden record of every client and other party, current."""

    __tablename__ = "client"
    __table_args__ = (
        one_of("kind", enums.KINDS),
        one_of("role", enums.ROLES),
        Index("ix_client_changed_seq", "changed_seq"),
        Index("ix_client_redirected_to", "redirected_to", postgresql_where=text("redirected_to IS NOT NULL")),
        {
            "schema": "core",
            "comment": "The golden record of every party, current; a merged or retired one is marked deleted",
        },
    )

    client_id: UUID = column(Uuid, "Stable id", key=True)
    kind: str = column(Text, "person or organisation")
    role: str = column(Text, "client, prospect, supplier, staff or authority")
    display_name: str | None = column(Text, "The name to show", null=True)
    attributes: dict[str, Any] = column(JSONB, "Golden values: attribute -> value or list of values")
    lineage: dict[str, Any] = column(JSONB, "Attribute -> record, rule and losing values")
    record_count: int = column(Integer, "Source records behind it")
    golden_hash: UUID = column(Uuid, "Hash over the golden values and lineage")
    valid_from: datetime = column(_AT, "As of when it is as it is")
    changed_seq: int = column(BigInteger, "The last change event of this client")
    is_deleted: bool = column(Boolean, "Merged into another or left without records", default=text("false"))
    redirected_to: UUID | None = column(
        Uuid, "The client it was last merged into, also when that was undone", null=True
    )
    redirected_at: datetime | None = column(_AT, "As of when that was", null=True)
    is_redirected: bool = column(Boolean, "It answers by redirected_to now", default=text("false"))


class ClientHistory(Table, table=True):
    """Versions of golden records (SCD2)."""

    __tablename__ = "client_history"
    __table_args__ = (
        Index("uq_client_history_open", "client_id", unique=True, postgresql_where=text("valid_to IS NULL")),
        Index("ix_client_history_changed_seq", "changed_seq"),
        {"schema": "core", "comment": "Versions of golden records; the first is valid from -infinity"},
    )

    client_id: UUID = column(Uuid, "The client", key=True)
    valid_from: datetime = column(_AT, "As of when the version held; -infinity for the first", key=True)
    valid_to: datetime | None = column(_AT, "As of when it no longer held; null: it still does", null=True)
    kind: str = column(Text, "person or organisation")
    role: str = column(Text, "client, prospect, supplier, staff or authority")
    display_name: str | None = column(Text, "The name to show", null=True)
    attributes: dict[str, Any] = column(JSONB, "Golden values of the version")
    lineage: dict[str, Any] = column(JSONB, "Lineage of the version")
    record_count: int = column(Integer, "Source records behind it")
    golden_hash: UUID = column(Uuid, "Hash over the golden values and lineage")
    changed_seq: int = column(BigInteger, "The change event that opened or last closed the version")
    is_deleted: bool = column(Boolean, "The version says that the client was merged or retired", default=text("false"))
    opened_seq: int | None = column(
        BigInteger, "The change event that opened the version, where changed_seq tells the end", null=True
    )
    redirected_to: UUID | None = column(
        Uuid, "The client it was last merged into, also when that was undone", null=True
    )
    redirected_at: datetime | None = column(_AT, "As of when that was", null=True)
    is_redirected: bool = column(Boolean, "It answers by redirected_to now", default=text("false"))


class Attribute(Table, table=True):
    """The registry of golden attributes beyond the standard ones."""

    __tablename__ = "attribute"
    __table_args__ = (
        one_of("kind", enums.ATTRIBUTE_KINDS),
        {"schema": "core", "comment": "Golden attributes that were added by attributes.yaml"},
    )

    name: str = column(Text, "Name of the attribute and of its column in dim_client", key=True)
    kind: str = column(Text, "person, organisation or any", default=text("'any'"))
    type: str = column(Text, "text, number, boolean, date or timestamp", default=text("'text'"))
    is_multi: bool = column(Boolean, "May have several values", default=text("false"))
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    personal_data: str | None = column(Text, "Class of personal data", null=True)
