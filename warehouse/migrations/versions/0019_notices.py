"""What somebody is to be told by mail or webhook.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, empty until a scheduled run has something to tell."""
    at = sa.DateTime(timezone=True)
    channels = postgresql.ARRAY(sa.Text())
    op.create_table(
        "notice",
        sa.Column(
            "notice_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Rises with every notice",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="failure, stopped, stale, review or drift"),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="The kind and what it is about; one notice of a key is open at a time",
        ),
        sa.Column("subject", sa.Text(), nullable=False, comment="In a few words"),
        sa.Column("detail", sa.Text(), nullable=False, comment="What happened and what to do; no client data"),
        sa.Column("opened_at", at, nullable=False, comment="When it came up"),
        sa.Column("closed_at", at, nullable=True, comment="When it was over"),
        sa.Column(
            "told",
            channels,
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Channels that were told of it",
        ),
        sa.Column(
            "told_over",
            channels,
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Channels that were told that it is over",
        ),
        sa.CheckConstraint("kind IN ('failure', 'stopped', 'stale', 'review', 'drift')", name=op.f("ck_notice_kind")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notice")),
        schema="ops",
        comment="What came up and is told by mail or webhook, once; no client data",
    )
    op.create_index(
        "uq_notice_open",
        "notice",
        ["key"],
        unique=True,
        schema="ops",
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Nobody is told anything."""
    op.drop_table("notice", schema="ops")
