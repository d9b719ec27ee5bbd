"""Clients of a segment page by page, and a fair sample of them: by the id of the client.

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

CONTRACTS = "an index whose columns the new one begins with, so that nobody misses it"
_OPEN = sa.text("left_at IS NULL")


def upgrade() -> None:
    """The new index does what the old one did."""
    columns = ["scheme", "segment", "client_id"]
    op.create_index("ix_client_segment_member", "client_segment", columns, schema="core", postgresql_where=_OPEN)
    op.drop_index("ix_client_segment_segment", "client_segment", schema="core")


def downgrade() -> None:
    """Back to the shorter one."""
    op.create_index(
        "ix_client_segment_segment", "client_segment", ["scheme", "segment"], schema="core", postgresql_where=_OPEN
    )
    op.drop_index("ix_client_segment_member", "client_segment", schema="core")
