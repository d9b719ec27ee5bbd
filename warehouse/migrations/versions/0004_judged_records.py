"""Judgements know which version of their records they were said about.

Those in force are taken to be about what their records are now.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what records were when they were judged."""
    op.create_table(
        "judged_record",
        sa.Column("judgement_id", sa.BigInteger(), nullable=False, comment="The judgement"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="A record that it names"),
        sa.Column(
            "content_hash", sa.Uuid(), nullable=False, comment="Content hash of its standard record at that time"
        ),
        sa.Column("record", postgresql.JSONB(), nullable=False, comment="Its standard record at that time"),
        sa.Column(
            "identifiers",
            postgresql.JSONB(),
            nullable=False,
            comment="Its identifiers at that time: type, value, is_valid, invalid_reason",
        ),
        sa.Column(
            "is_suspended",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The record has changed its identity since: the judgement does not speak of it now",
        ),
        sa.ForeignKeyConstraint(
            ["judgement_id"], ["identity.judgement.judgement_id"], name="fk_judged_record_judgement_id"
        ),
        sa.PrimaryKeyConstraint("judgement_id", "record_id", name="pk_judged_record"),
        schema="identity",
        comment="What each record was when a judgement was said about it",
    )
    op.create_index("ix_judged_record_record_id", "judged_record", ["record_id"], schema="identity")
    op.create_index(
        "ix_judged_record_suspended",
        "judged_record",
        ["judgement_id"],
        schema="identity",
        postgresql_where=sa.text("is_suspended"),
    )
    op.execute(
        """
        INSERT INTO identity.judged_record (judgement_id, record_id, content_hash, record, identifiers)
        SELECT j.judgement_id, s.record_id, s.content_hash, to_jsonb(s), (
            SELECT coalesce(jsonb_agg(
                jsonb_build_object(
                    'type', i.type, 'value', i.value, 'is_valid', i.is_valid, 'invalid_reason', i.invalid_reason
                ) ORDER BY i.type COLLATE "C", i.value COLLATE "C"
            ), '[]')
            FROM identity.identifier AS i
            WHERE i.record_id = s.record_id
        )
        FROM identity.judgement AS j
        JOIN identity.standard_record AS s ON s.record_id = ANY (j.left_ids || j.right_ids)
        WHERE j.verdict <> 'lift'
            AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
        """
    )


def downgrade() -> None:
    """Forget the versions: judgements speak of their records whatever they are."""
    op.drop_table("judged_record", schema="identity")
