"""A run says of which trace it was part.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that earlier runs leave empty."""
    comment = "The trace (W3C, 32 hexadecimal digits) that it was part of"
    op.add_column("run", sa.Column("trace_id", sa.Text(), nullable=True, comment=comment), schema="ops")


def downgrade() -> None:
    """Which runs belonged together is forgotten."""
    op.drop_column("run", "trace_id", schema="ops")
