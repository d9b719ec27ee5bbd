"""Schema `raw`: what the sources said."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models.base import Table, column

_AT = DateTime(timezone=True)


class RawRecord(Table, table=True):
    """The current version of every source record; a deletion is a tombstone."""

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_source_stream", "source", "stream"),
        {
            "schema": "raw",
            "comment": "The current version of every source record; a deletion leaves a tombstone",
        },
    )

    record_id: int = column(BigInteger, "64-bit hash of source, stream and source_key", key=True)
    source: str = column(Text, "Name of the source system in config/sources")
    stream: str = column(Text, "Stream of the source")
    source_key: str = column(Text, "The record's key in its source")
    payload: dict[str, Any] = column(JSONB, "The record as the source says it")
    payload_hash: UUID = column(Uuid, "BLAKE2b-128 of the canonical JSON without volatile paths")
    is_deleted: bool = column(Boolean, "The source no longer has the record", default=text("false"))
    is_deletion_inferred: bool = column(
        Boolean,
        "The deletion was inferred: a complete pass over the stream did not show the key",
        default=text("false"),
    )
    source_updated_at: datetime | None = column(_AT, "When the source says that it changed", null=True)
    ingested_at: datetime = column(_AT, "When this version was landed")
    run_id: int = column(BigInteger, "The run that landed this version")


class RawRecordVersion(Table, table=True):
    """Versions that a later one superseded."""

    __tablename__ = "record_version"
    __table_args__ = (
        Index("ix_record_version_record_id", "record_id"),
        {"schema": "raw", "comment": "Versions of source records that a later version superseded"},
    )

    version_key: int = column(
        BigInteger, "Rises with every superseded version", key=True, extra=(Identity(always=True),)
    )
    record_id: int = column(BigInteger, "The record")
    payload: dict[str, Any] = column(JSONB, "The record as the source said it then")
    payload_hash: UUID = column(Uuid, "Hash of that payload")
    is_deleted: bool = column(Boolean, "That version was a tombstone")
    is_deletion_inferred: bool = column(Boolean, "That deletion was inferred by a complete pass")
    source_updated_at: datetime | None = column(_AT, "When the source said that it changed", null=True)
    ingested_at: datetime = column(_AT, "When that version was landed")
    superseded_at: datetime = column(_AT, "When the next version was landed")
    run_id: int = column(BigInteger, "The run that landed that version")
