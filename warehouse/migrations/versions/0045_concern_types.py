"""Which interaction types a concern looks at: whoever is held to departments sees those of its own.

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The next publish asks anew and fills it."""
    comment = "Interaction types that it looks at; null: any, as SQL may"
    op.add_column("concern", sa.Column("types", ARRAY(sa.Text()), comment=comment), schema="core")


def downgrade() -> None:
    """Policies that read it are made anew with the older ones."""
    op.drop_column("concern", "types", schema="core")
