"""Schema `core`: documents of different registers that record one business event."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Integer, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of


class DocumentLink(Table, table=True):
    """Two documents of one event, or a case for people; columns as identity.documents.schema.LINK plus `since`."""

    __tablename__ = "document_link"
    __table_args__ = (
        one_of("kind", enums.DOCUMENT_LINK_KINDS),
        one_of("status", enums.DOCUMENT_LINK_STATUSES),
        Index("ix_document_link_right_record_id", "right_record_id"),
        Index("ix_document_link_review", "left_record_id", postgresql_where=text("status = 'review'")),
        Index("ix_document_link_sum_left", "left_record_id", postgresql_where=text("kind = 'instalment'")),
        Index("ix_document_link_sum_right", "right_record_id", postgresql_where=text("kind = 'instalment'")),
        {"schema": "core", "comment": "Documents of different registers that record one business event"},
    )

    left_record_id: int = column(BigInteger, "The one document: the smaller id", key=True)
    right_record_id: int = column(BigInteger, "The other document", key=True)
    kind: str = column(Text, "same: one event in two registers; settles: pays for it; instalment: by a sum of several")
    status: str = column(Text, "linked, or review: people are asked")
    bits: int = column(Integer, "Weight of the evidence in 1/1024 bit")
    amount: Decimal | None = column(Numeric, "What a payment or credit note settles of the other one", null=True)
    evidence: list[dict[str, Any]] = column(JSONB, "Findings with their bits")
    since: datetime = column(DateTime(timezone=True), "When it was linked, or asked about")


class DocumentPlace(Table, table=True):
    """Where a document is looked for, and on face 0 what it says; columns as identity.documents.schema.PLACE."""

    __tablename__ = "document_place"
    __table_args__ = (
        Index("ix_document_place_amount_key_day", "amount_key", "day"),
        Index("ix_document_place_client_key_day", "client_key", "day"),
        Index("ix_document_place_number_key_day", "number_key", "day", postgresql_where=text("number_key IS NOT NULL")),
        Index(
            "ix_document_place_parent_record_id",
            "parent_record_id",
            postgresql_where=text("parent_record_id IS NOT NULL"),
        ),
        Index("ix_document_place_client", "client", postgresql_where=text("client IS NOT NULL")),
        {
            "schema": "core",
            "comment": "The keys by which documents of other registers are found, and what they say, as last linked",
        },
    )

    record_id: int = column(BigInteger, "The document", key=True)
    face: int = column(Integer, "0: as it is; else its amount with the tax of that rate", key=True)
    day: int | None = column(Integer, "Days since 1970-01-01", null=True)
    amount_key: int | None = column(BigInteger, "Hash of amount and currency", null=True)
    client_key: int | None = column(BigInteger, "Hash of amount, currency and client", null=True)
    number_key: int | None = column(BigInteger, "Hash of the digits of its number", null=True)
    parent_record_id: int | None = column(BigInteger, "The interaction that it says it belongs to", null=True)
    client: int | None = column(BigInteger, "Hash of its client's id", null=True)
    register_key: int | None = column(BigInteger, "Hash of source and type", null=True)
    amount: int | None = column(BigInteger, "Amount in 1/10,000; negative where it reverses another", null=True)
    currency: int | None = column(BigInteger, "Hash of its currency", null=True)
    number: int | None = column(BigInteger, "Hash of its number without signs and case", null=True)
    digits: int | None = column(Integer, "Digits of its number", null=True)
    state: int | None = column(Integer, "0 plain, 1 sold; what came to nothing has no place", null=True)


class DocumentOpen(Table, table=True):
    """A paper that nothing settles, and all that sums depend on; columns as identity.documents.schema.OPEN."""

    __tablename__ = "document_open"
    __table_args__ = (
        Index("ix_document_open_client", "client"),
        {"schema": "core", "comment": "Orders, invoices and payments that nothing settles, but sums of others"},
    )

    record_id: int = column(BigInteger, "The document", key=True)
    client: int = column(BigInteger, "Hash of its client's id")
    currency: int = column(BigInteger, "Hash of its currency; 0: not known", default=text("0"))
    register_key: int = column(BigInteger, "Hash of source and type", default=text("0"))
    event_id: int = column(BigInteger, "The smallest document that is linked with it as the same", default=text("0"))
    day: int = column(Integer, "Days since 1970-01-01", default=text("0"))
    worth: int = column(BigInteger, "Amount of all of these that counts, in 1/10,000", default=text("0"))
