"""What registers have in common and whether everything that came is served, as it was counted.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables, empty."""
    op.create_table(
        "register_overlap",
        sa.Column("week_on", sa.Date(), nullable=False, comment="Monday of the week (UTC) in which it was counted"),
        sa.Column("register_a", sa.Text(), nullable=False, comment="The one source; bytewise before the other"),
        sa.Column("register_b", sa.Text(), nullable=False, comment="The other source"),
        sa.Column(
            "only_a", sa.BigInteger(), nullable=False, comment="Clients and prospects with records in the one only"
        ),
        sa.Column(
            "only_b", sa.BigInteger(), nullable=False, comment="Clients and prospects with records in the other only"
        ),
        sa.Column("in_both", sa.BigInteger(), nullable=False, comment="Clients and prospects with records in both"),
        sa.Column(
            "in_conflict",
            sa.BigInteger(),
            nullable=False,
            comment="Of those: the two have no value in common for some golden attribute",
        ),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False, comment="When it was counted"),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False, comment="The last change event by then"),
        sa.CheckConstraint('register_a < register_b COLLATE "C"', name=op.f("ck_register_overlap_order")),
        sa.PrimaryKeyConstraint("week_on", "register_a", "register_b", name=op.f("pk_register_overlap")),
        schema="ops",
        comment="How many clients each pair of registers has in common, week by week",
    )
    op.create_table(
        "register_combination",
        sa.Column("week_on", sa.Date(), nullable=False, comment="Monday of the week (UTC) in which it was counted"),
        sa.Column("registers", postgresql.ARRAY(sa.Text()), nullable=False, comment="The sources, bytewise"),
        sa.Column(
            "clients",
            sa.BigInteger(),
            nullable=False,
            comment="Clients and prospects with records in all of these and in no other",
        ),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False, comment="When it was counted"),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False, comment="The last change event by then"),
        sa.PrimaryKeyConstraint("week_on", "registers", name=op.f("pk_register_combination")),
        schema="ops",
        comment="How many clients stand in exactly these registers, week by week",
    )
    op.create_table(
        "reconciliation",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The reconciliation: a run of its own in ops.run"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("sync_run_id", sa.BigInteger(), nullable=True, comment="The source's last finished sync by then"),
        sa.Column(
            "not_landed",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Open rejects of the sync: input that never became a record",
        ),
        sa.Column(
            "suppressed",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Of those: input about persons who were erased",
        ),
        sa.Column(
            "raw_rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records of the source, tombstones included",
        ),
        sa.Column(
            "tombstones",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records that the source no longer has",
        ),
        sa.Column(
            "left_out",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records that the mapping leaves out, or does not look at",
        ),
        sa.Column(
            "rejected",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records that could not be mapped",
        ),
        sa.Column(
            "waiting",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records that still wait to be standardised",
        ),
        sa.Column(
            "leaving",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Standard records whose end waits to be standardised",
        ),
        sa.Column(
            "made",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Standard records without one of the source: parts of cards, former",
        ),
        sa.Column(
            "standard_rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Standard records, interactions or relationships",
        ),
        sa.Column(
            "unexplained",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Records lost or added without any of these reasons",
        ),
        sa.Column(
            "linked_rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Of the standard ones: those that belong to a client",
        ),
        sa.Column(
            "open_references",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts about a record that has not come",
        ),
        sa.Column(
            "without_party",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that name no record",
        ),
        sa.Column(
            "unlinked",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Standard records that wait for their client",
        ),
        sa.Column(
            "served_rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Rows of the served views",
        ),
        sa.Column(
            "unserved",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Standard or linked rows that the served views lack",
        ),
        sa.Column(
            "raw_amount", sa.Numeric(), nullable=True, comment="Amounts as the records of the source say them, added up"
        ),
        sa.Column(
            "waiting_amount", sa.Numeric(), nullable=True, comment="Of that what the standard form has not seen yet"
        ),
        sa.Column("standard_amount", sa.Numeric(), nullable=True, comment="Amounts of the interactions, added up"),
        sa.Column("linked_amount", sa.Numeric(), nullable=True, comment="Of those: of interactions with a client"),
        sa.Column("served_amount", sa.Numeric(), nullable=True, comment="Amounts of fct_interaction, added up"),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False, comment="When it was counted"),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False, comment="The last change event by then"),
        sa.PrimaryKeyConstraint("run_id", "source", "stream", name=op.f("pk_reconciliation")),
        schema="ops",
        comment="Rows and control sums of each stream, stage by stage",
    )
    op.create_table(
        "reconciliation_row",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it is not where the others are"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The reconciliation"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("raw_amount", sa.Numeric(), nullable=True, comment="The amount as the source says it"),
        sa.Column("standard_amount", sa.Numeric(), nullable=True, comment="The amount as it is served"),
        sa.CheckConstraint(
            "reason IN ('left_out', 'rejected', 'waiting', 'leaving', 'made', 'missing', 'surplus', 'other_amount',"
            " 'open_reference', 'without_party', 'unlinked', 'unserved')",
            name=op.f("ck_reconciliation_row_reason"),
        ),
        sa.PrimaryKeyConstraint("record_id", "reason", name=op.f("pk_reconciliation_row")),
        schema="ops",
        comment="The rows behind the differences of the last reconciliation",
    )


def downgrade() -> None:
    """What was counted is gone; it can be counted anew, but for the weeks before."""
    for table in ("reconciliation_row", "reconciliation", "register_combination", "register_overlap"):
        op.drop_table(table, schema="ops")
