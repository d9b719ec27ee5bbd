"""A rate that was stated anew is served as it was until the change is published.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column, null for all that is published."""
    op.add_column(
        "exchange_rate",
        sa.Column(
            "served",
            postgresql.JSONB(),
            nullable=True,
            comment="The row as readers see it until its change is published",
        ),
        schema="core",
    )


def downgrade() -> None:
    """Without it a rate is not seen while its change waits."""
    op.drop_column("exchange_rate", "served", schema="core")
