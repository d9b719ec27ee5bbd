"""Typed views of interactions: which types have lines, and which column serves which field of detail.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column and a table, empty: the next standardise fills them."""
    op.add_column(
        "interaction_type",
        sa.Column(
            "has_lines",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A stream gives its interactions lines, or once did",
        ),
        schema="core",
    )
    op.create_table(
        "interaction_field",
        sa.Column("type", sa.Text(), nullable=False, comment="Code of core.interaction_type"),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column of the view"),
        sa.Column("field", sa.Text(), nullable=False, comment="Field of detail"),
        sa.Column(
            "detail_type",
            sa.Text(),
            nullable=False,
            comment="text, number, boolean, date, timestamp, list or object",
        ),
        sa.Column("label_en", sa.Text(), nullable=False, comment="Label in English"),
        sa.Column("label_ru", sa.Text(), nullable=True, comment="Label in Russian"),
        sa.CheckConstraint(
            "detail_type IN ('text', 'number', 'boolean', 'date', 'timestamp', 'list', 'object')",
            name="detail_type",
        ),
        sa.PrimaryKeyConstraint("type", "column_name", name="pk_interaction_field"),
        schema="core",
        comment="Columns of the typed views fct_<type>, and the fields of detail they serve",
    )


def downgrade() -> None:
    """Typed views that are there stay as they are; nothing adds to them."""
    op.drop_table("interaction_field", schema="core")
    op.drop_column("interaction_type", "has_lines", schema="core", if_exists=True)
