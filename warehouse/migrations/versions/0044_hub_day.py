"""One day for all: served views tell it in the time zone of the hub.

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The next publish fills it."""
    comment = "The time zone in which days begin for the hub; null: UTC"
    op.add_column("hub_clock", sa.Column("time_zone", sa.Text(), comment=comment), schema="ops")


def downgrade() -> None:
    """Views that read it are older then, too."""
    op.drop_column("hub_clock", "time_zone", schema="ops")
