"""Schema `ops`: what somebody is to be told, and whether they were."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Notice(Table, table=True):
    """One thing that came up: told once, however long it lasts, and once when it is over."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", enums.NOTICE_KINDS),
        Index("uq_notice_open", "key", unique=True, postgresql_where=text("closed_at IS NULL")),
        {"schema": "ops", "comment": "What came up and is told by mail or webhook, once; no client data"},
    )

    notice_id: int = column(BigInteger, "Rises with every notice", key=True, extra=(Identity(always=True),))
    kind: str = column(Text, "failure, stopped, stale, review, drift or concern")
    key: str = column(Text, "The kind and what it is about; one notice of a key is open at a time")
    subject: str = column(Text, "In a few words")
    detail: str = column(Text, "What happened and what to do; no client data")
    opened_at: datetime = column(_AT, "When it came up")
    closed_at: datetime | None = column(_AT, "When it was over", null=True)
    told: list[str] = column(ARRAY(Text), "Channels that were told of it", default=text("'{}'"))
    told_over: list[str] = column(ARRAY(Text), "Channels that were told that it is over", default=text("'{}'"))
