"""The access log says how many rows an export or a report took.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column, null for what was logged before."""
    op.add_column(
        "access_log",
        sa.Column(
            "row_count",
            sa.BigInteger(),
            nullable=True,
            comment="Rows of the export or report; null: a look at a client, or an export that did not end",
        ),
        schema="ops",
    )


def downgrade() -> None:
    """Without it only who, what and when."""
    op.drop_column("access_log", "row_count", schema="ops")
