"""Erasures, what keeps the erased from coming back, and who looked at whom.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Three tables, empty."""
    op.create_table(
        "erasure",
        sa.Column(
            "erasure_id", sa.Uuid(), nullable=False, comment="Given when it is made; the same when it is replayed"
        ),
        sa.Column(
            "client_ids",
            postgresql.ARRAY(sa.Uuid()),
            nullable=False,
            comment="The client, and ids that had been merged into it",
        ),
        sa.Column("erased_at", _AT, nullable=False, comment="When it was made"),
        sa.Column("erased_by", sa.Text(), nullable=False, comment="Who made it"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in the words of who made it"),
        sa.Column(
            "ground",
            sa.Text(),
            nullable=True,
            comment="Why documents were kept under the bare id; null: they were not",
        ),
        sa.Column("counts", postgresql.JSONB(), nullable=False, comment="Table -> rows that were redacted"),
        sa.Column("replayed_at", _AT, nullable=True, comment="When it was done again on a restored backup"),
        sa.Column("lifted_at", _AT, nullable=True, comment="When the person was let in again"),
        sa.Column("lifted_by", sa.Text(), nullable=True, comment="Who let the person in again"),
        sa.Column("lift_reason", sa.Text(), nullable=True, comment="Why the person was let in again"),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasure"),
        schema="ops",
        comment="Erasures of persons: who, when, why, counts; no value of the person",
    )
    op.create_index("ix_erasure_client_ids", "erasure", ["client_ids"], schema="ops", postgresql_using="gin")
    op.create_table(
        "suppression",
        sa.Column(
            "hash",
            sa.Uuid(),
            nullable=False,
            comment="Keyed BLAKE2b-128 of the source key, the identifier or the refused bytes",
        ),
        sa.Column("erasure_id", sa.Uuid(), nullable=False, comment="The erasure"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="record (a source key), identifier (type and value) or reject (bytes)",
        ),
        sa.Column(
            "record_id",
            sa.BigInteger(),
            nullable=True,
            comment="For a record: its id, where it has been landed",
        ),
        sa.Column(
            "client_id", sa.Uuid(), nullable=True, comment="For a record: the bare id that its documents stand under"
        ),
        sa.Column("key_check", sa.Uuid(), nullable=False, comment="Tells which key the hash was made with"),
        sa.Column(
            "is_lifted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The person was let in again",
        ),
        sa.CheckConstraint("kind IN ('record', 'identifier', 'reject')", name=op.f("ck_suppression_kind")),
        sa.ForeignKeyConstraint(["erasure_id"], ["ops.erasure.erasure_id"], name="fk_suppression_erasure_id"),
        sa.PrimaryKeyConstraint("hash", "erasure_id", name="pk_suppression"),
        schema="ops",
        comment="What may not come back, as hashes with a key that is kept outside the database",
    )
    op.create_index(
        "ix_suppression_record_id",
        "suppression",
        ["record_id"],
        schema="ops",
        postgresql_where=sa.text("record_id IS NOT NULL"),
    )
    op.create_table(
        "access_log",
        sa.Column(
            "access_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Rises with every access",
        ),
        sa.Column("at", _AT, nullable=False, comment="When"),
        sa.Column("who", sa.Text(), nullable=False, comment="The login name, or the service's"),
        sa.Column("how", sa.Text(), nullable=False, comment="The command: client, find, subject-report, export"),
        sa.Column("client_id", sa.Uuid(), nullable=True, comment="The client; null: an export of a whole view"),
        sa.Column("scope", sa.Text(), nullable=True, comment="For an export: the view"),
        sa.PrimaryKeyConstraint("access_id", name="pk_access_log"),
        schema="ops",
        comment="Who read or exported which client's data through Onefold, and when; no values",
    )
    op.create_index("ix_access_log_client_id", "access_log", ["client_id"], schema="ops")
    op.create_index("ix_access_log_at", "access_log", ["at"], schema="ops")


def downgrade() -> None:
    """What was erased stays so; it may come back with the next full sync."""
    for table in ("access_log", "suppression", "erasure"):
        op.drop_table(table, schema="ops")
