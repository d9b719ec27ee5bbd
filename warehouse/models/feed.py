"""Schema `ops`: who reads the change feed, and how far."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text, text

from warehouse.models.base import Table, column

_AT = DateTime(timezone=True)


class FeedReader(Table, table=True):
    """Registered readers of the change feed."""

    __tablename__ = "feed_reader"
    __table_args__ = (
        {"schema": "ops", "comment": "Registered readers of the change feed: what they have not read is kept for them"},
    )

    name: str = column(Text, "The reader's name", key=True)
    read_seq: int = column(BigInteger, "It has read up to this change event", default=text("0"))
    registered_at: datetime = column(_AT, "When it was registered", default=text("now()"))
    read_at: datetime | None = column(_AT, "When it read last", null=True)
