"""What a resolution of changes alone has to know of the last one.

Blocking keys are those of the first record of each point now and name their rule: they are emptied, and the next
resolution compares everything once and stores all anew.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _bigint(name: str, comment: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=comment)


def upgrade() -> None:
    """Empty the keys, whose form has changed, and add what stands beside them."""
    op.execute("TRUNCATE identity.blocking_key")
    op.drop_constraint("pk_blocking_key", "blocking_key", schema="identity")
    op.create_index("ix_blocking_key_key", "blocking_key", ["key"], schema="identity")
    op.alter_column(
        "blocking_key",
        "key",
        comment="56-bit hash of kind, rule and standard value, and the number of the rule",
        schema="identity",
    )
    op.create_table_comment(
        "blocking_key",
        "Blocking keys of the first record of each point: records that share one are compared",
        schema="identity",
    )
    op.create_table(
        "refused_block",
        sa.Column("key", sa.BigInteger(), nullable=False, comment="The blocking key"),
        _bigint("size", "Records that share it, each point counted once"),
        sa.PrimaryKeyConstraint("key", name="pk_refused_block"),
        schema="identity",
        comment="Blocking keys that too many records share: they propose no pairs",
    )
    op.create_table(
        "point",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        _bigint("fingerprint", "Hash of all that is compared; null: it stands alone", nullable=True),
        _bigint("first_id", "The first of the records that are taken as one with it"),
        sa.PrimaryKeyConstraint("record_id", name="pk_point"),
        schema="identity",
        comment="What the last resolution knew of a record: which others are alike",
    )
    op.create_index(
        "ix_point_fingerprint",
        "point",
        ["fingerprint"],
        schema="identity",
        postgresql_where=sa.text("fingerprint IS NOT NULL"),
    )
    op.create_index(
        "ix_standard_record_address",
        "standard_record",
        [sa.text(r"(street || E'\t' || house || E'\t' || postcode)")],
        schema="identity",
        postgresql_using="hash",
        postgresql_where=sa.text("kind = 'organisation'"),
    )
    op.create_table(
        "generic_value",
        _text("kind", "person or organisation"),
        _text("type", "Type of the identifier"),
        _text("value", "Standard form"),
        _bigint("names", "Distinct names behind it"),
        sa.PrimaryKeyConstraint("kind", "type", "value", name="pk_generic_value"),
        schema="identity",
        comment="Identifier values with so many names behind them that they are no evidence",
    )
    op.create_table(
        "generic_holder",
        _bigint("record_id", "The source record"),
        _text("type", "Type of the identifier"),
        _text("value", "Standard form"),
        schema="identity",
        comment="Records that bear a generic value, as the last resolution saw them",
    )
    op.create_index("ix_generic_holder_record_id", "generic_holder", ["record_id"], schema="identity")
    op.create_table(
        "accepted_value",
        _text("kind", "person or organisation"),
        _text("type", "Type of the identifier"),
        _text("value", "Standard form"),
        _text("stands_for", "The smallest of the values that are one"),
        sa.PrimaryKeyConstraint("kind", "type", "value", name="pk_accepted_value"),
        schema="identity",
        comment="Identifier values that a judgement makes one: they do not contradict",
    )


def downgrade() -> None:
    """Forget it; the keys are made anew by the next resolution of everything."""
    for table in ("accepted_value", "generic_holder", "generic_value", "point", "refused_block"):
        op.drop_table(table, schema="identity")
    op.drop_index("ix_standard_record_address", "standard_record", schema="identity")
    op.execute("TRUNCATE identity.blocking_key")
    op.drop_index("ix_blocking_key_key", "blocking_key", schema="identity")
    op.create_primary_key("pk_blocking_key", "blocking_key", ["key", "record_id"], schema="identity")
