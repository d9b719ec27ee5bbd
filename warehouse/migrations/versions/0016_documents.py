"""Documents of different registers that record one business event.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STEPS = ("standardise", "resolve", "publish")
_VERDICTS = ("same", "not_same", "related", "cannot_tell", "pin", "lift")


def upgrade() -> None:
    """Two tables, empty; three derived columns, unknown until the documents are linked."""
    _words("ops", "pending", "step", (*_STEPS, "documents"))
    _words("identity", "judgement", "verdict", (*_VERDICTS, "same_document", "not_same_document"))
    for name, type_, comment in (
        ("event_id", sa.BigInteger(), "Derived: the business event that it records with others"),
        ("is_counted", sa.Boolean(), "Derived: of the event's documents it is the one that counts"),
        ("counted_by", sa.BigInteger(), "Derived: the document that counts in its place, or itself"),
    ):
        op.add_column("interaction", sa.Column(name, type_, nullable=True, comment=comment), schema="core")
    op.create_index(
        "ix_interaction_event_id",
        "interaction",
        ["event_id"],
        schema="core",
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
    _link()
    _place()


def downgrade() -> None:
    """What people said about documents goes with the links."""
    op.drop_table("document_place", schema="core")
    op.drop_table("document_link", schema="core")
    op.execute(
        "DROP VIEW IF EXISTS onefold_v1.report_document_overlap, onefold_v1.fct_revenue, onefold_v1.xref_document"
    )
    for name in ("counted_by", "is_counted", "event_id"):
        op.execute(f"ALTER TABLE core.interaction DROP COLUMN {name} CASCADE")
    op.execute("DELETE FROM ops.pending WHERE step = 'documents'")
    op.execute(
        """
        DELETE FROM identity.judgement AS j
        WHERE j.verdict IN ('same_document', 'not_same_document') OR EXISTS (
            SELECT FROM identity.judgement AS l
            WHERE l.judgement_id = j.lifts AND l.verdict IN ('same_document', 'not_same_document')
        )
        """
    )
    _words("ops", "pending", "step", _STEPS)
    _words("identity", "judgement", "verdict", _VERDICTS)


def _words(schema: str, table: str, column: str, words: tuple[str, ...]) -> None:
    """Let a column hold these words."""
    op.drop_constraint(f"ck_{table}_{column}", table, schema=schema)
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({listed})", schema=schema)


def _link() -> None:
    op.create_table(
        "document_link",
        sa.Column(
            "left_record_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="The one document: the smaller id",
        ),
        sa.Column(
            "right_record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The other document"
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="same: one event in two registers; settles: pays for it; instalment: by a sum of several",
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="linked, or review: people are asked"),
        sa.Column("bits", sa.Integer(), nullable=False, comment="Weight of the evidence in 1/1024 bit"),
        sa.Column(
            "amount", sa.Numeric(), nullable=True, comment="What a payment or credit note settles of the other one"
        ),
        sa.Column("evidence", postgresql.JSONB(), nullable=False, comment="Findings with their bits"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="When it was linked, or asked about"),
        sa.CheckConstraint("kind IN ('same', 'settles', 'instalment')", name=op.f("ck_document_link_kind")),
        sa.CheckConstraint("status IN ('linked', 'review')", name=op.f("ck_document_link_status")),
        sa.PrimaryKeyConstraint("left_record_id", "right_record_id", name="pk_document_link"),
        schema="core",
        comment="Documents of different registers that record one business event",
    )
    op.create_index("ix_document_link_right_record_id", "document_link", ["right_record_id"], schema="core")
    op.create_index(
        "ix_document_link_review",
        "document_link",
        ["left_record_id"],
        schema="core",
        postgresql_where=sa.text("status = 'review'"),
    )


def _place() -> None:
    op.create_table(
        "document_place",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The document"),
        sa.Column(
            "face",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="0: as it is; else its amount with the tax of that rate",
        ),
        sa.Column("day", sa.Integer(), nullable=True, comment="Days since 1970-01-01"),
        sa.Column("amount_key", sa.BigInteger(), nullable=True, comment="Hash of amount and currency"),
        sa.Column("client_key", sa.BigInteger(), nullable=True, comment="Hash of amount, currency and client"),
        sa.Column("number_key", sa.BigInteger(), nullable=True, comment="Hash of the digits of its number"),
        sa.Column(
            "parent_record_id", sa.BigInteger(), nullable=True, comment="The interaction that it says it belongs to"
        ),
        sa.Column("client", sa.BigInteger(), nullable=True, comment="Hash of its client's id"),
        sa.PrimaryKeyConstraint("record_id", "face", name="pk_document_place"),
        schema="core",
        comment="The keys by which documents of other registers are found, as last linked",
    )
    for name in ("amount_key", "client_key"):
        op.create_index(f"ix_document_place_{name}_day", "document_place", [name, "day"], schema="core")
    op.create_index(
        "ix_document_place_number_key_day",
        "document_place",
        ["number_key", "day"],
        schema="core",
        postgresql_where=sa.text("number_key IS NOT NULL"),
    )
    for name in ("parent_record_id", "client"):
        op.create_index(
            f"ix_document_place_{name}",
            "document_place",
            [name],
            schema="core",
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
