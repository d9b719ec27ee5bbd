"""The facts of a party that wait to be published are found by an index.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index on the few versions that are open."""
    op.create_index(
        "ix_interaction_version_open_party",
        "interaction_version",
        [sa.text("((version ->> 'party_record_id'::text)::bigint)")],
        schema="core",
        postgresql_where=sa.text("ended_seq IS NULL"),
    )


def downgrade() -> None:
    """Without it they are read one by one."""
    op.drop_index("ix_interaction_version_open_party", "interaction_version", schema="core")
