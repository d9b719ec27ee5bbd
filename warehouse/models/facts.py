"""Schema `core`: the facts that hang on source records, and the registry of their types."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class InteractionType(Table, table=True):
    """The open registry of interaction types."""

    __tablename__ = "interaction_type"
    __table_args__ = (
        one_of("direction", enums.DIRECTIONS),
        one_of("money", enums.MONEY),
        one_of("tax", enums.TAX),
        {"schema": "core", "comment": "The open registry of interaction types, from interactions.yaml"},
    )

    code: str = column(Text, "Code, such as sales_order", key=True)
    department: str | None = column(Text, "Department that works with it", null=True)
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)
    direction: str | None = column(Text, "inbound, outbound or internal", null=True)
    detail_schema: dict[str, Any] = column(JSONB, "JSON Schema of detail", default=text("'{}'"))
    money: str = column(
        Text, "What its amount means: quoted, ordered, invoiced, paid, credited, none", default=text("'none'")
    )
    tax: str | None = column(Text, "net or gross", null=True)
    has_lines: bool = column(Boolean, "A stream gives its interactions lines, or once did", default=text("false"))


class InteractionField(Table, table=True):
    """Which field of detail each column of a typed view serves; a column once served keeps its field and type."""

    __tablename__ = "interaction_field"
    __table_args__ = (
        one_of("detail_type", enums.DETAIL_TYPES),
        {
            "schema": "core",
            "comment": "Columns of the typed views fct_<type>, and the fields of detail they serve",
        },
    )

    type: str = column(Text, "Code of core.interaction_type", key=True)
    column_name: str = column(Text, "Column of the view", key=True)
    field: str = column(Text, "Field of detail")
    detail_type: str = column(Text, "text, number, boolean, date, timestamp, list or object")
    label_en: str = column(Text, "Label in English")
    label_ru: str | None = column(Text, "Label in Russian", null=True)


class Interaction(Table, table=True):
    """What happened with a client; columns as warehouse.shapes.INTERACTION plus derived ones."""

    __tablename__ = "interaction"
    __table_args__ = (
        one_of("precision", enums.PRECISIONS),
        one_of("direction", enums.DIRECTIONS),
        Index("ix_interaction_party_record_id", "party_record_id"),
        Index("ix_interaction_client_id_occurred_at", "client_id", "occurred_at"),
        Index("ix_interaction_changed_seq", "changed_seq"),
        Index("ix_interaction_occurred_on", "occurred_on"),
        Index(
            "ix_interaction_parent_record_id",
            "parent_record_id",
            postgresql_where=text("parent_record_id IS NOT NULL"),
        ),
        Index(
            "ix_interaction_reverses_record_id",
            "reverses_record_id",
            postgresql_where=text("reverses_record_id IS NOT NULL"),
        ),
        Index(
            "ix_interaction_chain_cycle",
            "record_id",
            postgresql_where=text("chain_id = record_id AND parent_record_id IS NOT NULL"),
        ),
        Index(
            "ix_interaction_without_rate",
            "currency",
            "occurred_on",
            postgresql_where=text(
                "amount IS NOT NULL AND reporting_amount IS NULL AND changed_seq IS NOT NULL AND NOT is_deleted"
            ),
        ),
        Index("ix_interaction_event_id", "event_id", postgresql_where=text("event_id IS NOT NULL")),
        Index("ix_interaction_unpublished", "record_id", postgresql_where=text("changed_seq IS NULL")),
        {
            "schema": "core",
            "comment": "What happened with a client: one row per source record that states it",
        },
    )

    record_id: int = column(BigInteger, "The source record that it is", key=True)
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    type: str = column(Text, "Code of core.interaction_type")
    party_record_id: int | None = column(BigInteger, "The client's source record, landed or not yet", null=True)
    occurred_at: datetime | None = column(_AT, "When it happened", null=True)
    occurred_on: date | None = column(Date, "Local date at the source", null=True)
    time_zone: str | None = column(Text, "Time zone in which the source meant it", null=True)
    precision: str | None = column(Text, "day, minute or second", null=True)
    channel: str | None = column(Text, "Channel, such as phone or shop", null=True)
    direction: str | None = column(Text, "inbound, outbound or internal", null=True)
    document_number: str | None = column(Text, "Number of the document", null=True)
    summary: str | None = column(Text, "One line for the timeline", null=True)
    amount: Decimal | None = column(Numeric, "Amount in its currency", null=True)
    currency: str | None = column(Text, "Currency, ISO 4217", null=True)
    parent_record_id: int | None = column(BigInteger, "The interaction that it belongs to", null=True)
    reverses_record_id: int | None = column(BigInteger, "The interaction that it reverses", null=True)
    url: str | None = column(Text, "The card in its own system", null=True)
    detail: dict[str, Any] = column(JSONB, "Further fields of its type")
    content_hash: UUID = column(Uuid, "Hash over all of the above, lines and promises")
    client_id: UUID | None = column(Uuid, "Derived: the client that party_record_id belongs to now", null=True)
    changed_seq: int | None = column(BigInteger, "The change event; null until the change is published", null=True)
    is_deleted: bool = column(Boolean, "Its source record is gone", default=text("false"))
    chain_id: int | None = column(BigInteger, "Derived: the topmost interaction over parents, or itself", null=True)
    reporting_amount: Decimal | None = column(Numeric, "Derived: amount in the reporting currency", null=True)
    reporting_currency: str | None = column(Text, "Derived: the reporting currency when it was published", null=True)
    rate: Decimal | None = column(Numeric, "Derived: the rate, frozen; null while there is none", null=True)
    rate_on: date | None = column(Date, "Derived: the day of the rate", null=True)
    reversal_of: int | None = column(BigInteger, "Derived: reverses_record_id, once that has come", null=True)
    reversed_by: list[int] | None = column(ARRAY(BigInteger), "Derived: the interactions that reverse it", null=True)
    reversed_amount: Decimal | None = column(Numeric, "Derived: how much of amount they take back", null=True)
    event_id: int | None = column(BigInteger, "Derived: the business event that it records with others", null=True)
    is_counted: bool | None = column(Boolean, "Derived: of the event's documents it is the one that counts", null=True)
    counted_by: int | None = column(BigInteger, "Derived: the document that counts in its place, or itself", null=True)


class InteractionLine(Table, table=True):
    """Lines of an interaction; columns as warehouse.shapes.INTERACTION_LINE."""

    __tablename__ = "interaction_line"
    __table_args__ = (
        Index("ix_interaction_line_unpublished", "record_id", postgresql_where=text("is_unpublished")),
        {"schema": "core", "comment": "Lines of an order, invoice or delivery"},
    )

    record_id: int = column(BigInteger, "The interaction", key=True)
    position: int = column(Integer, "Position, from 1", key=True)
    item_code: str | None = column(Text, "The item's code in its source", null=True)
    item_name: str | None = column(Text, "The item's name", null=True)
    quantity: Decimal | None = column(Numeric, "Quantity", null=True)
    unit: str | None = column(Text, "Unit of the quantity", null=True)
    unit_price: Decimal | None = column(Numeric, "Price of one unit", null=True)
    amount: Decimal | None = column(Numeric, "Amount of the line", null=True)
    is_removed: bool = column(Boolean, "The interaction no longer has it", default=text("false"))
    is_unpublished: bool | None = column(Boolean, "Readers still see what stood here before; else null", null=True)


class Promise(Table, table=True):
    """What was promised and what happened; columns as warehouse.shapes.PROMISE."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_record_id", "record_id"),
        Index("ix_promise_unpublished", "record_id", postgresql_where=text("is_unpublished")),
        {"schema": "core", "comment": "What was promised to the client, and what happened"},
    )

    promise_key: int = column(BigInteger, "Surrogate", key=True, extra=(Identity(always=True),))
    record_id: int = column(BigInteger, "The interaction in which it was made")
    kind: str = column(Text, "What was promised, such as delivery_date")
    due_on: date | None = column(Date, "Promised date", null=True)
    actual_on: date | None = column(Date, "Date on which it happened", null=True)
    due_value: Decimal | None = column(Numeric, "Promised value", null=True)
    actual_value: Decimal | None = column(Numeric, "Value that came", null=True)
    is_removed: bool = column(Boolean, "The interaction no longer has it", default=text("false"))
    is_unpublished: bool | None = column(Boolean, "Readers still see what stood here before; else null", null=True)


class Relationship(Table, table=True):
    """Relationships between records; columns as warehouse.shapes.RELATIONSHIP plus derived ones."""

    __tablename__ = "relationship"
    __table_args__ = (
        Index("ix_relationship_record_id", "record_id"),
        Index("ix_relationship_from_record_id", "from_record_id"),
        Index("ix_relationship_to_record_id", "to_record_id"),
        Index("ix_relationship_changed_seq", "changed_seq"),
        Index("ix_relationship_unpublished", "relationship_key", postgresql_where=text("changed_seq IS NULL")),
        {
            "schema": "core",
            "comment": "Relationships between source records, so that they survive merge and unmerge",
        },
    )

    relationship_key: int = column(BigInteger, "Surrogate", key=True, extra=(Identity(always=True),))
    record_id: int = column(BigInteger, "The record that states it")
    from_record_id: int = column(BigInteger, "The one: employee, branch, owner, successor")
    to_record_id: int = column(BigInteger, "The other: employer, head office, company, predecessor")
    type: str = column(Text, "works_at, branch_of, owner_of, member_of, successor_of, ...")
    role: str | None = column(Text, "In words, such as chief accountant", null=True)
    valid_from: date | None = column(Date, "From when it holds", null=True)
    valid_to: date | None = column(Date, "Until when it held", null=True)
    changed_seq: int | None = column(BigInteger, "The change event; null until the change is published", null=True)
    is_deleted: bool = column(Boolean, "No longer stated", default=text("false"))
