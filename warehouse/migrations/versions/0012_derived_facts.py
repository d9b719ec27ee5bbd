"""What follows from interactions: chains, reversals, amounts in the reporting currency; exchange rates.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS: tuple[tuple[str, Any, str], ...] = (
    ("chain_id", sa.BigInteger(), "Derived: the topmost interaction over parents, or itself"),
    ("reporting_amount", sa.Numeric(), "Derived: amount in the reporting currency"),
    ("reporting_currency", sa.Text(), "Derived: the reporting currency when it was published"),
    ("rate", sa.Numeric(), "Derived: the rate, frozen; null while there is none"),
    ("rate_on", sa.Date(), "Derived: the day of the rate"),
    ("reversal_of", sa.BigInteger(), "Derived: reverses_record_id, once that has come"),
    ("reversed_by", postgresql.ARRAY(sa.BigInteger()), "Derived: the interactions that reverse it"),
    ("reversed_amount", sa.Numeric(), "Derived: how much of amount they take back"),
)
_INDEXES = (
    ("ix_interaction_parent_record_id", ["parent_record_id"], "parent_record_id IS NOT NULL"),
    ("ix_interaction_reverses_record_id", ["reverses_record_id"], "reverses_record_id IS NOT NULL"),
    ("ix_interaction_chain_cycle", ["record_id"], "chain_id = record_id AND parent_record_id IS NOT NULL"),
    (
        "ix_interaction_without_rate",
        ["currency", "occurred_on"],
        "amount IS NOT NULL AND reporting_amount IS NULL AND changed_seq IS NOT NULL AND NOT is_deleted",
    ),
)


def upgrade() -> None:
    """Columns without values: the next publish fills those of all interactions."""
    for column, type_, comment in _COLUMNS:
        op.add_column("interaction", sa.Column(column, type_, nullable=True, comment=comment), schema="core")
    for name, columns, condition in _INDEXES:
        op.create_index(name, "interaction", columns, schema="core", postgresql_where=sa.text(condition))
    op.create_table(
        "exchange_rate",
        sa.Column(
            "record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="The source record that states it",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("from_currency", sa.Text(), nullable=False, comment="What is bought, ISO 4217"),
        sa.Column("to_currency", sa.Text(), nullable=False, comment="In what it is paid, ISO 4217"),
        sa.Column("on_date", sa.Date(), nullable=False, comment="From which day it holds"),
        sa.Column(
            "rate", sa.Numeric(), nullable=False, comment="What `nominal` units of from_currency cost in to_currency"
        ),
        sa.Column(
            "nominal",
            sa.Numeric(),
            server_default=sa.text("1"),
            nullable=False,
            comment="For how many units the rate is stated",
        ),
        sa.Column(
            "changed_seq",
            sa.BigInteger(),
            nullable=True,
            comment="The change event; null until the change is published",
        ),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Its source record is gone",
        ),
        sa.PrimaryKeyConstraint("record_id", name="pk_exchange_rate"),
        schema="core",
        comment="Exchange rates: one row per source record that states one",
    )
    op.create_index(
        "ix_exchange_rate_from_currency_to_currency_on_date",
        "exchange_rate",
        ["from_currency", "to_currency", "on_date"],
        schema="core",
    )
    op.create_index(
        "ix_exchange_rate_unpublished",
        "exchange_rate",
        ["record_id"],
        schema="core",
        postgresql_where=sa.text("changed_seq IS NULL"),
    )
    op.create_table(
        "reporting",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Always true"),
        sa.Column("currency", sa.Text(), nullable=False, comment="Reporting currency, ISO 4217"),
        sa.Column("rate_days", sa.Integer(), nullable=False, comment="A rate holds for so many days after its own"),
        sa.PrimaryKeyConstraint("is_only", name="pk_reporting"),
        schema="core",
        comment="The reporting currency and how old a rate may be: one row",
    )


def downgrade() -> None:
    """What follows can be derived again; rates are still in the raw records."""
    op.drop_table("reporting", schema="core")
    op.drop_table("exchange_rate", schema="core")
    for name, _, _ in _INDEXES:
        op.drop_index(name, "interaction", schema="core")
    for column, _, _ in _COLUMNS:
        op.drop_column("interaction", column, schema="core")
