"""Receipts of what is written back to sources.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, empty."""
    at = sa.DateTime(timezone=True)
    op.create_table(
        "write_receipt",
        sa.Column(
            "receipt_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Rises with every receipt",
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that sent it last"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record"),
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client whose values were written"),
        sa.Column(
            "golden_seq",
            sa.BigInteger(),
            nullable=False,
            comment="The version of its golden record: changed_seq of core.client",
        ),
        sa.Column(
            "fields", postgresql.JSONB(), nullable=False, comment="Field of the system -> value that was written"
        ),
        sa.Column(
            "before",
            postgresql.JSONB(),
            nullable=False,
            comment="Field of the system -> value before, as far as was known",
        ),
        sa.Column("payload_hash", sa.Uuid(), nullable=False, comment="BLAKE2b-128 over the written fields"),
        sa.Column("plan_hash", sa.Uuid(), nullable=False, comment="BLAKE2b-128 over what was configured to be written"),
        sa.Column("idempotence_key", sa.Uuid(), nullable=False, comment="The same whenever this change is sent again"),
        sa.Column("status", sa.Text(), nullable=False, comment="sent, accepted, refused or unknown"),
        sa.Column("code", sa.Text(), nullable=True, comment="The source's answer: its code or status"),
        sa.Column("message", sa.Text(), nullable=True, comment="The source's words, without values and secrets"),
        sa.Column("sent_at", at, nullable=False, comment="When it was sent last"),
        sa.Column("answered_at", at, nullable=True, comment="When the source answered"),
        sa.Column("echoed_at", at, nullable=True, comment="When a sync brought back what was written"),
        sa.CheckConstraint(
            "status IN ('sent', 'accepted', 'refused', 'unknown')", name=op.f("ck_write_receipt_status")
        ),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_write_receipt"),
        schema="ops",
        comment="What was written back to sources: one receipt per record and time",
    )
    op.create_index("ix_write_receipt_record_id", "write_receipt", ["record_id", "receipt_id"], schema="ops")
    op.create_index("ix_write_receipt_source_stream", "write_receipt", ["source", "stream", "receipt_id"], schema="ops")


def downgrade() -> None:
    """Forget the receipts: what was written is written again only where it differs."""
    op.drop_table("write_receipt", schema="ops")
