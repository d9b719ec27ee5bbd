"""Schema `ops`: what is to be mended in the registers themselves."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Identity, Index, Text, Uuid, text

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)
_OPEN, _CLOSED = text("closed_at IS NULL"), text("closed_at IS NOT NULL")


class SourceFix(Table, table=True):
    """One duplicate or wrong value of a register, from when it was seen until it is gone."""

    __tablename__ = "source_fix"
    __table_args__ = (
        one_of("kind", enums.FIX_KINDS),
        one_of("closed_as", enums.FIX_ENDS),
        Index("uq_source_fix_open", "fingerprint", unique=True, postgresql_where=_OPEN),
        Index("ix_source_fix_open", "fix_id", postgresql_where=_OPEN),
        Index("ix_source_fix_open_source", "source", "fix_id", postgresql_where=_OPEN),
        Index("ix_source_fix_closed", "fix_id", postgresql_where=_CLOSED),
        Index("ix_source_fix_closed_source", "source", "fix_id", postgresql_where=_CLOSED),
        Index("ix_source_fix_client_id", "client_id"),
        Index("ix_source_fix_record_id", "record_id"),
        {"schema": "ops", "comment": "Duplicates and wrong values in the registers, until a sync shows them mended"},
    )

    fix_id: int = column(BigInteger, "Rises with every entry", key=True, extra=(Identity(always=True),))
    fingerprint: UUID = column(Uuid, "Of kind, records, attribute and value: open once at a time")
    kind: str = column(Text, "duplicate, invalid, outvoted, contradicts or emptied")
    source: str = column(Text, "The register in which it is to be mended")
    stream: str = column(Text, "Stream of the register")
    source_key: str = column(Text, "The record's key in its source")
    record_id: int = column(BigInteger, "The record that is to be mended")
    other_record_id: int | None = column(
        BigInteger, "Of a duplicate the other record; else the one whose value is better", null=True
    )
    client_id: UUID = column(Uuid, "The client that the record belonged to when it was looked at last")
    attribute: str | None = column(Text, "The attribute; null: the record itself", null=True)
    value: str | None = column(Text, "What the register says", null=True)
    better: str | None = column(Text, "The golden value, or what the register said before it was emptied", null=True)
    rule: str | None = column(Text, "Why it is wrong: what makes it invalid, or the rule by which it lost", null=True)
    opened_at: datetime = column(_AT, "When it was seen first")
    closed_at: datetime | None = column(_AT, "When it was seen no more", null=True)
    closed_as: str | None = column(Text, "fixed, gone, apart, judged or settled", null=True)


class SourceFixWeek(Table, table=True):
    """How many entries were opened and closed in a week; what is open is the difference over all weeks."""

    __tablename__ = "source_fix_week"
    __table_args__ = (
        one_of("kind", enums.FIX_KINDS),
        {"schema": "ops", "comment": "How many entries of ops.source_fix were opened and closed, week by week"},
    )

    week_on: date = column(Date, "Its Monday", key=True)
    source: str = column(Text, "The register", key=True)
    kind: str = column(Text, "duplicate, invalid, outvoted, contradicts or emptied", key=True)
    attribute: str = column(Text, "The attribute; empty: records themselves", key=True)
    opened: int = column(BigInteger, "Entries that were opened", default=text("0"))
    closed: int = column(BigInteger, "Entries that were closed", default=text("0"))
