"""What is wrong with the data can be counted and paged without a look at all rows.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Indexes of identifiers that are not valid, and of open rejects by their age."""
    op.create_index(
        "ix_identifier_invalid",
        "identifier",
        ["type", "record_id"],
        schema="identity",
        postgresql_where=sa.text("NOT is_valid"),
    )
    op.create_index(
        "ix_reject_newest",
        "reject",
        ["source", "first_at", "fingerprint"],
        schema="ops",
        postgresql_where=sa.text("is_open"),
    )


def downgrade() -> None:
    """They are searched row by row again."""
    op.drop_index("ix_reject_newest", table_name="reject", schema="ops")
    op.drop_index("ix_identifier_invalid", table_name="identifier", schema="identity")
