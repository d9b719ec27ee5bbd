"""What the mirror said before: that a promise is kept no longer is told.

Revision ID: 0046
Revises: 0045
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The next looks fill it."""
    comment = "The last verdict that was another one and could tell"
    op.add_column("segment_mirror", sa.Column("former_verdict", sa.Text(), comment=comment), schema="core")


def downgrade() -> None:
    """Nobody asks for it any more."""
    op.drop_column("segment_mirror", "former_verdict", schema="core")
