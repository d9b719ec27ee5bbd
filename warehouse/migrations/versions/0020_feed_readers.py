"""Registered readers of the change feed, and up to which number it has been cleared.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A table, empty, and a number: nothing is cleared yet."""
    op.create_table(
        "feed_reader",
        sa.Column("name", sa.Text(), nullable=False, comment="The reader's name"),
        sa.Column(
            "read_seq",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="It has read up to this change event",
        ),
        sa.Column(
            "registered_at", _AT, server_default=sa.text("now()"), nullable=False, comment="When it was registered"
        ),
        sa.Column("read_at", _AT, nullable=True, comment="When it read last"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_reader")),
        schema="ops",
        comment="Registered readers of the change feed: what they have not read is kept for them",
    )
    op.add_column(
        "hub_clock",
        sa.Column(
            "feed_floor",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Change events up to this number are no longer in the feed",
        ),
        schema="ops",
    )


def downgrade() -> None:
    """Who had read how far is forgotten; what was cleared stays so."""
    op.drop_column("hub_clock", "feed_floor", schema="ops")
    op.drop_table("feed_reader", schema="ops")
