"""Sweep marks also name the rejects of a pass, so that those the source has mended are closed at its end.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Append a column with a constant default: no row is rewritten, no reader waits."""
    op.add_column(
        "sweep_mark",
        sa.Column(
            "reject_fingerprints",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Rejects on one page of the pass",
        ),
        schema="ops",
    )


def downgrade() -> None:
    """Forget which rejects an unfinished pass has shown."""
    op.drop_column("sweep_mark", "reject_fingerprints", schema="ops")
