"""Schemas `ops` and `raw`: runs that changed too much, and the versions of records that were set aside with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Hold(Table, table=True):
    """A run that went beyond the limits, or was taken back."""

    __tablename__ = "hold"
    __table_args__ = (
        one_of("cause", enums.HOLD_CAUSES),
        one_of("state", enums.HOLD_STATES),
        Index("ix_hold_state", "state", postgresql_where=text("state = 'open'")),
        {"schema": "ops", "comment": "Runs that would have changed too much, and runs that were taken back"},
    )

    run_id: int = column(BigInteger, "The run, as people name it", key=True)
    cause: str = column(Text, "stream, records (of several), rules (configuration or model) or rollback")
    state: str = column(
        Text, "open (a person decides), released, discarded, rolled_back or settled", default=text("'open'")
    )
    findings: list[dict[str, Any]] = column(JSONB, "What went beyond which limit: counts, names of fields, ids")
    run_ids: list[int] = column(ARRAY(BigInteger), "The syncs whose versions were set aside")
    held_at: datetime = column(_AT, "When it was held or taken back")
    decided_at: datetime | None = column(_AT, "When it was decided", null=True)
    decided_by: str | None = column(Text, "Who decided", null=True)


class HeldRecord(Table, table=True):
    """A version of a record that was set aside."""

    __tablename__ = "held_record"
    __table_args__ = (
        Index("ix_held_record_hold_id", "hold_id"),
        Index("ix_held_record_source_stream", "source", "stream"),
        {"schema": "raw", "comment": "Versions of records that are kept aside: not taken in, or taken back"},
    )

    record_id: int = column(BigInteger, "The record", key=True)
    hold_id: int = column(BigInteger, "The run in ops.hold")
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    payload: dict[str, Any] = column(JSONB, "The record as the source said it")
    payload_hash: UUID = column(Uuid, "Hash of that payload")
    is_deleted: bool = column(Boolean, "The version is a deletion")
    is_deletion_inferred: bool = column(Boolean, "That deletion was inferred by a complete pass")
    source_updated_at: datetime | None = column(_AT, "When the source said that it changed", null=True)
    ingested_at: datetime = column(_AT, "When that version was landed")
    run_id: int = column(BigInteger, "The run that landed that version")
