"""Facts are found by their day.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index, for whoever asks for a month; built beforehand where there are many facts (prepare.py)."""
    op.create_index("ix_interaction_occurred_on", "interaction", ["occurred_on"], schema="core")


def downgrade() -> None:
    """Whoever asks for a month reads all facts."""
    op.drop_index("ix_interaction_occurred_on", table_name="interaction", schema="core")
