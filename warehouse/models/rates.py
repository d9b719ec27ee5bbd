"""Schema `core`: exchange rates from their sources, and the currency in which the hub reports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models.base import Table, column


class ExchangeRate(Table, table=True):
    """Exchange rates as sources state them; columns as warehouse.shapes.RATE plus derived ones."""

    __tablename__ = "exchange_rate"
    __table_args__ = (
        Index("ix_exchange_rate_from_currency_to_currency_on_date", "from_currency", "to_currency", "on_date"),
        Index("ix_exchange_rate_unpublished", "record_id", postgresql_where=text("changed_seq IS NULL")),
        {"schema": "core", "comment": "Exchange rates: one row per source record that states one"},
    )

    record_id: int = column(BigInteger, "The source record that states it", key=True)
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    from_currency: str = column(Text, "What is bought, ISO 4217")
    to_currency: str = column(Text, "In what it is paid, ISO 4217")
    on_date: date = column(Date, "From which day it holds")
    rate: Decimal = column(Numeric, "What `nominal` units of from_currency cost in to_currency")
    nominal: Decimal = column(Numeric, "For how many units the rate is stated", default=text("1"))
    changed_seq: int | None = column(BigInteger, "The change event; null until the change is published", null=True)
    is_deleted: bool = column(Boolean, "Its source record is gone", default=text("false"))
    served: Any = column(JSONB, "The row as readers see it until its change is published", null=True)


class Reporting(Table, table=True):
    """In which currency amounts are reported: one row, as hub.yaml says, from the first publish on."""

    __tablename__ = "reporting"
    __table_args__ = ({"schema": "core", "comment": "The reporting currency and how old a rate may be: one row"},)

    is_only: bool = column(Boolean, "Always true", key=True, default=text("true"))
    currency: str = column(Text, "Reporting currency, ISO 4217")
    rate_days: int = column(Integer, "A rate holds for so many days after its own")
