"""Schema `ops`: who was erased, what keeps them from coming back, and who looked at whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Identity, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Erasure(Table, table=True):
    """One client erased: who asked, when, why, and how much it was."""

    __tablename__ = "erasure"
    __table_args__ = (
        Index("ix_erasure_client_ids", "client_ids", postgresql_using="gin"),
        {"schema": "ops", "comment": "Erasures of persons: who, when, why, counts; no value of the person"},
    )

    erasure_id: UUID = column(Uuid, "Given when it is made; the same when it is replayed", key=True)
    client_ids: list[UUID] = column(ARRAY(Uuid), "The client, and ids that had been merged into it")
    erased_at: datetime = column(_AT, "When it was made")
    erased_by: str = column(Text, "Who made it")
    reason: str = column(Text, "Why, in the words of who made it")
    ground: str | None = column(Text, "Why documents were kept under the bare id; null: they were not", null=True)
    counts: dict[str, Any] = column(JSONB, "Table -> rows that were redacted")
    replayed_at: datetime | None = column(_AT, "When it was done again on a restored backup", null=True)
    lifted_at: datetime | None = column(_AT, "When the person was let in again", null=True)
    lifted_by: str | None = column(Text, "Who let the person in again", null=True)
    lift_reason: str | None = column(Text, "Why the person was let in again", null=True)


class Suppression(Table, table=True):
    """What may not come back, as keyed hashes."""

    __tablename__ = "suppression"
    __table_args__ = (
        one_of("kind", enums.SUPPRESSED_KINDS),
        Index("ix_suppression_record_id", "record_id", postgresql_where=text("record_id IS NOT NULL")),
        {"schema": "ops", "comment": "What may not come back, as hashes with a key that is kept outside the database"},
    )

    hash: UUID = column(Uuid, "Keyed BLAKE2b-128 of the source key, the identifier or the refused bytes", key=True)
    erasure_id: UUID = column(Uuid, "The erasure", key=True, extra=(ForeignKey("ops.erasure.erasure_id"),))
    kind: str = column(Text, "record (a source key), identifier (type and value) or reject (bytes)")
    record_id: int | None = column(BigInteger, "For a record: its id, where it has been landed", null=True)
    client_id: UUID | None = column(Uuid, "For a record: the bare id that its documents stand under", null=True)
    key_check: UUID = column(Uuid, "Tells which key the hash was made with")
    is_lifted: bool = column(Boolean, "The person was let in again", default=text("false"))


class AccessLog(Table, table=True):
    """Who looked at a client, or took one's data away."""

    __tablename__ = "access_log"
    __table_args__ = (
        Index("ix_access_log_client_id", "client_id"),
        Index("ix_access_log_at", "at"),
        {
            "schema": "ops",
            "comment": "Who read or exported which client's data through Onefold, and when; no values",
        },
    )

    access_id: int = column(BigInteger, "Rises with every access", key=True, extra=(Identity(always=True),))
    at: datetime = column(_AT, "When")
    who: str = column(Text, "The login name, or the service's")
    how: str = column(Text, "The command (client, find, subject-report, export) or the call of the API")
    client_id: UUID | None = column(Uuid, "The client; null: an export of a whole view", null=True)
    scope: str | None = column(Text, "For an export: the view", null=True)
    row_count: int | None = column(
        BigInteger, "Rows of the export or report; null: a look at a client, or an export that did not end", null=True
    )
    purpose: str | None = column(Text, "What for, as who looked or made the token said; null: by command", null=True)
    fields: list[str] | None = column(ARRAY(Text), "Attributes that were shown unmasked; null: all", null=True)
