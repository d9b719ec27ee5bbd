"""Small changes in a large register: keys of a record read from an index, and a number of clients that is kept.

Ids that come with the records are no longer offered a sequence besides.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_GIVEN = (
    ("raw", "record", "record_id"),
    ("identity", "standard_record", "record_id"),
    ("identity", "crosswalk", "record_id"),
    ("identity", "point", "record_id"),
    ("identity", "refused_block", "key"),
    ("identity", "model", "version"),
    ("core", "interaction", "record_id"),
    ("ops", "change_event", "id"),
)
"""Schema, table and key of those whose rows bring their own ids."""


def upgrade() -> None:
    """A wider index, a column, and no sequences that nobody asks."""
    op.drop_index("ix_blocking_key_record_id", "blocking_key", schema="identity")
    op.create_index(
        "ix_blocking_key_record_id", "blocking_key", ["record_id"], schema="identity", postgresql_include=["key"]
    )
    op.add_column(
        "hub_clock",
        sa.Column(
            "clients",
            sa.BigInteger(),
            nullable=True,
            comment="How many clients have records; null until a run counted them",
        ),
        schema="ops",
    )
    for schema, table, name in _GIVEN:
        op.alter_column(table, name, server_default=None, schema=schema)
        op.execute(f"DROP SEQUENCE {schema}.{table}_{name}_seq")


def downgrade() -> None:
    """Forget the number; the next run needs none."""
    for schema, table, name in _GIVEN:
        sequence = f"{schema}.{table}_{name}_seq"
        op.execute(f"CREATE SEQUENCE {sequence} OWNED BY {schema}.{table}.{name}")
        op.alter_column(table, name, server_default=sa.text(f"nextval('{sequence}')"), schema=schema)
    op.drop_column("hub_clock", "clients", schema="ops")
    op.drop_index("ix_blocking_key_record_id", "blocking_key", schema="identity")
    op.create_index("ix_blocking_key_record_id", "blocking_key", ["record_id"], schema="identity")
