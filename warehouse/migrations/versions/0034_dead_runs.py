"""Runs whose process has died are found at once, among however many.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two indexes of few rows."""
    _index("ix_run_running", "run_id", "running")
    _index("ix_run_failed", "started_at", "failed")


def downgrade() -> None:
    """As it was."""
    for name in ("ix_run_failed", "ix_run_running"):
        op.drop_index(name, "run", schema="ops")


def _index(name: str, column: str, status: str) -> None:
    op.create_index(name, "run", [column], schema="ops", postgresql_where=sa.text(f"status = '{status}'"))
