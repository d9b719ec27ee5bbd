"""A receipt says which one it takes back.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COMMENT = "The receipt of the change that this one takes back"


def upgrade() -> None:
    """A column that is empty for all that was written of the hub's own accord."""
    op.add_column("write_receipt", sa.Column("undoes", sa.BigInteger, nullable=True, comment=COMMENT), schema="ops")


def downgrade() -> None:
    """What was taken back looks as if it had been written."""
    op.drop_column("write_receipt", "undoes", schema="ops")
