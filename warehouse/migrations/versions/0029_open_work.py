"""What waits can be counted without a look at the rows.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Indexes of what is open: rejects, review cases, writes without an answer."""
    op.create_index("ix_reject_open", "reject", ["source", "stream"], schema="ops", postgresql_where=sa.text("is_open"))
    op.create_index(
        "ix_review_case_open",
        "review_case",
        ["kind", "opened_at"],
        schema="identity",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_write_receipt_unanswered",
        "write_receipt",
        ["source"],
        schema="ops",
        postgresql_where=sa.text("status IN ('sent', 'unknown')"),
    )


def downgrade() -> None:
    """They are counted row by row again."""
    op.drop_index("ix_write_receipt_unanswered", table_name="write_receipt", schema="ops")
    op.drop_index("ix_review_case_open", table_name="review_case", schema="identity")
    op.drop_index("ix_reject_open", table_name="reject", schema="ops")
