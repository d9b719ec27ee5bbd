"""How many clients are in a segment is kept where it stands.

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_SIZES = (
    ("segment", "clients", "Clients that are in it now; null: not counted yet"),
    ("segment_scheme", "unknown", "Clients that are in none of its segments; null: not counted yet"),
)


def upgrade() -> None:
    """The next look that moves a client counts them."""
    for table, name, comment in _SIZES:
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True, comment=comment), schema="core")


def downgrade() -> None:
    """Nothing is kept."""
    for table, name, _ in _SIZES:
        op.drop_column(table, name, schema="core")
