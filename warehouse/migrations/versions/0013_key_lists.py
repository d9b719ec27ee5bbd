"""The blocking keys of a record stand in one row: no index of all keys by record.

Nothing older may resolve from then on: it would not keep the new table up to date.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, filled from the keys that are there."""
    op.create_table(
        "key_list",
        sa.Column(
            "record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The first record of a point"
        ),
        sa.Column("keys", postgresql.ARRAY(sa.BigInteger()), nullable=False, comment="Its blocking keys, by rule"),
        sa.PrimaryKeyConstraint("record_id", name="pk_key_list"),
        schema="identity",
        comment="All blocking keys of a record in one row, for records with any",
    )
    op.execute(
        """
        INSERT INTO identity.key_list (record_id, keys)
        SELECT record_id, array_agg(key ORDER BY key & 255, key < 0, key) FROM identity.blocking_key GROUP BY record_id
        """
    )
    op.drop_index("ix_blocking_key_record_id", "blocking_key", schema="identity")


def downgrade() -> None:
    """The index again."""
    op.create_index(
        "ix_blocking_key_record_id", "blocking_key", ["record_id"], schema="identity", postgresql_include=["key"]
    )
    op.drop_table("key_list", schema="identity")
