"""Schema `identity`: documents that two registers keep in parallel, as evidence for their clients."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, text

from warehouse.models.base import Table, column


class DocumentKey(Table, table=True):
    """Where a document is looked for whatever its client; columns as identity.documents.papers.KEY."""

    __tablename__ = "document_key"
    __table_args__ = (
        Index("ix_document_key_number_key", "number_key", postgresql_where=text("number_key IS NOT NULL")),
        Index("ix_document_key_day_key", "day_key", postgresql_where=text("day_key IS NOT NULL")),
        {
            "schema": "identity",
            "comment": "The keys by which a document is found in other registers without its client",
        },
    )

    record_id: int = column(BigInteger, "The document", key=True)
    face: int = column(Integer, "0: as it is; else its amount with the tax of that rate", key=True)
    party_id: int = column(BigInteger, "The client's record in its source")
    source_id: int = column(BigInteger, "Hash of the source")
    money: int = column(Integer, "What its amount means: the place in the list of meanings")
    day: int = column(Integer, "Days since 1970-01-01")
    number_key: int | None = column(BigInteger, "Hash of number, currency and amount to the whole unit", null=True)
    day_key: int | None = column(BigInteger, "Hash of day, currency and a rare amount", null=True)


class DocumentTwin(Table, table=True):
    """Two documents that are one and the same; columns as identity.documents.twins.TWIN."""

    __tablename__ = "document_twin"
    __table_args__ = (
        Index("ix_document_twin_right_record_id", "right_record_id"),
        Index("ix_document_twin_left_party_id", "left_party_id"),
        Index("ix_document_twin_right_party_id", "right_party_id"),
        {"schema": "identity", "comment": "Documents of two registers that are one by number, amount and day alone"},
    )

    left_record_id: int = column(BigInteger, "The one document: the smaller id", key=True)
    right_record_id: int = column(BigInteger, "The other document", key=True)
    left_party_id: int = column(BigInteger, "The client's record of the one")
    right_party_id: int = column(BigInteger, "The client's record of the other")
    left_source_id: int = column(BigInteger, "Hash of the source of the one")
    right_source_id: int = column(BigInteger, "Hash of the source of the other")
    worth: int = column(Integer, "2: by number, amount and period; 1: by a rare amount on one day")


class SharedDocument(Table, table=True):
    """Client records with documents in common; columns as identity.documents.in_common.SHARED."""

    __tablename__ = "shared_document"
    __table_args__ = (
        Index("ix_shared_document_other_record_id", "other_record_id"),
        {
            "schema": "identity",
            "comment": "How much two client records have in common: evidence that they are one client",
        },
    )

    record_id: int = column(BigInteger, "The one client record", key=True)
    other_record_id: int = column(BigInteger, "The other one, of which there is a row as well", key=True)
    level: int = column(Integer, "1: many, 2: several, 3: two, 4: one")
