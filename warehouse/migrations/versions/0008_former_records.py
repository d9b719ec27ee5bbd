"""What a record was before its key was given to somebody else stands as a record of its own.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, empty: the next look at suspended judgements fills it."""
    op.create_table(
        "former_record",
        sa.Column(
            "former_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="The former version as a record of its own, in identity.standard_record",
        ),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record, which is somebody else now"),
        sa.Column("content_hash", sa.Uuid(), nullable=False, comment="Content hash of its standard record as it was"),
        sa.Column(
            "until_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="What happened before belongs to the former version",
        ),
        sa.Column(
            "is_confirmed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A human has said that the record is somebody else now: this one stays",
        ),
        sa.PrimaryKeyConstraint("former_id", name="pk_former_record"),
        sa.UniqueConstraint("record_id", "content_hash", name="uq_former_record_record_id_content_hash"),
        schema="identity",
        comment="Versions of records that have changed their identity since, kept as records of their own",
    )


def downgrade() -> None:
    """Former versions are records no more; what happened with them follows the record again when it is resolved."""
    op.execute(
        """
        INSERT INTO ops.pending (step, record_id)
        SELECT step, id FROM identity.former_record AS f
        CROSS JOIN unnest(ARRAY['resolve', 'publish']) AS step
        CROSS JOIN unnest(ARRAY[f.former_id, f.record_id]) AS id
        """
    )
    op.execute("DELETE FROM identity.identifier AS t USING identity.former_record AS f WHERE t.record_id = f.former_id")
    op.execute(
        "DELETE FROM identity.standard_record AS t USING identity.former_record AS f WHERE t.record_id = f.former_id"
    )
    op.drop_table("former_record", schema="identity")
