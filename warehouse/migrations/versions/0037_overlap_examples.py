"""Some of the clients behind each number of the overlap.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Null until the overlap is counted again, which the next publish or `onefold report overlap` does."""
    op.add_column(
        "register_combination",
        sa.Column(
            "examples",
            postgresql.ARRAY(sa.Uuid()),
            nullable=True,
            comment="Up to 50 of these clients, the first by number; null: counted by a version that kept none",
        ),
        schema="ops",
    )


def downgrade() -> None:
    """They are looked for among the first records again."""
    op.drop_column("register_combination", "examples", schema="ops")
