"""Runs that would change too much are held, and can be taken back.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CONTRACTS = "fills two columns of ops.checkpoint and ops.run, a row for each stream and step, which nothing older reads"

_STEPS = ("standardise", "resolve", "publish", "documents")
_STATUSES = ("running", "done", "failed", "deferred", "stopped")
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What has landed so far is within the limits, and published."""
    _words("pending", "step", (*_STEPS, "landed"))
    _words("run", "status", (*_STATUSES, "held"))
    _comment_of_status("running, done, failed, deferred, stopped or held")
    op.add_column(
        "checkpoint",
        sa.Column(
            "passed_run_id",
            sa.BigInteger(),
            nullable=True,
            comment="The last run whose pages are within the limits; null: the first load is not whole yet",
        ),
        schema="ops",
    )
    op.execute("UPDATE ops.checkpoint SET passed_run_id = run_id")
    op.add_column(
        "run",
        sa.Column(
            "published_by",
            sa.BigInteger(),
            nullable=True,
            comment="Of a sync: the publication that showed what it landed, or the hold; null: none yet",
        ),
        schema="ops",
    )
    op.execute(
        """
        UPDATE ops.run AS r SET published_by = coalesce(
            (SELECT min(p.run_id) FROM ops.run AS p
            WHERE p.command = 'publish' AND p.source IS NULL AND p.status = 'done' AND p.run_id > r.run_id),
            r.run_id
        )
        WHERE r.command = 'sync' AND r.status <> 'running'
        """
    )
    op.create_index(
        "ix_run_unpublished",
        "run",
        ["run_id"],
        schema="ops",
        postgresql_where=sa.text("command = 'sync' AND published_by IS NULL"),
    )
    op.create_index(
        "ix_run_published_by",
        "run",
        ["published_by"],
        schema="ops",
        postgresql_where=sa.text("published_by IS NOT NULL"),
    )
    _hold()
    _held_record()


def downgrade() -> None:
    """What was held is forgotten; what waited for its check is taken in."""
    op.drop_table("held_record", schema="raw")
    op.drop_table("hold", schema="ops")
    op.drop_index("ix_run_published_by", "run", schema="ops")
    op.drop_index("ix_run_unpublished", "run", schema="ops")
    op.drop_column("run", "published_by", schema="ops")
    op.drop_column("checkpoint", "passed_run_id", schema="ops")
    op.execute("UPDATE ops.run SET status = 'stopped' WHERE status = 'held'")
    op.execute("UPDATE ops.pending SET step = 'standardise' WHERE step = 'landed'")
    _comment_of_status("running, done, failed, deferred or stopped")
    _words("run", "status", _STATUSES)
    _words("pending", "step", _STEPS)


def _words(table: str, column: str, words: tuple[str, ...]) -> None:
    """Let a column hold these words."""
    op.drop_constraint(f"ck_{table}_{column}", table, schema="ops")
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({listed})", schema="ops")


def _comment_of_status(comment: str) -> None:
    op.alter_column("run", "status", schema="ops", comment=comment)


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The run, as people name it"),
        sa.Column(
            "cause",
            sa.Text(),
            nullable=False,
            comment="stream, records (of several), rules (configuration or model) or rollback",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'open'"),
            nullable=False,
            comment="open (a person decides), released, discarded, rolled_back or settled",
        ),
        sa.Column(
            "findings",
            postgresql.JSONB(),
            nullable=False,
            comment="What went beyond which limit: counts, names of fields, ids",
        ),
        sa.Column(
            "run_ids",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="The syncs whose versions were set aside",
        ),
        sa.Column("held_at", _AT, nullable=False, comment="When it was held or taken back"),
        sa.Column("decided_at", _AT, nullable=True, comment="When it was decided"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Who decided"),
        sa.CheckConstraint("cause IN ('stream', 'records', 'rules', 'rollback')", name=op.f("ck_hold_cause")),
        sa.CheckConstraint(
            "state IN ('open', 'released', 'discarded', 'rolled_back', 'settled')", name=op.f("ck_hold_state")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_hold")),
        schema="ops",
        comment="Runs that would have changed too much, and runs that were taken back",
    )
    op.create_index("ix_hold_state", "hold", ["state"], schema="ops", postgresql_where=sa.text("state = 'open'"))


def _held_record() -> None:
    op.create_table(
        "held_record",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The record"),
        sa.Column("hold_id", sa.BigInteger(), nullable=False, comment="The run in ops.hold"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("payload", postgresql.JSONB(), nullable=False, comment="The record as the source said it"),
        sa.Column("payload_hash", sa.Uuid(), nullable=False, comment="Hash of that payload"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="The version is a deletion"),
        sa.Column(
            "is_deletion_inferred",
            sa.Boolean(),
            nullable=False,
            comment="That deletion was inferred by a complete pass",
        ),
        sa.Column("source_updated_at", _AT, nullable=True, comment="When the source said that it changed"),
        sa.Column("ingested_at", _AT, nullable=False, comment="When that version was landed"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that landed that version"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_held_record")),
        schema="raw",
        comment="Versions of records that are kept aside: not taken in, or taken back",
    )
    op.create_index("ix_held_record_hold_id", "held_record", ["hold_id"], schema="raw")
    op.create_index("ix_held_record_source_stream", "held_record", ["source", "stream"], schema="raw")
