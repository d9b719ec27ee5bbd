"""Which readers see which departments.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, empty: row-level security is off until hub.yaml turns it on."""
    op.create_table(
        "reader_scope",
        sa.Column("role", sa.Text(), nullable=False, comment="Role of the database, or a group that it is a member of"),
        sa.Column("department", sa.Text(), nullable=False, comment="Department"),
        sa.PrimaryKeyConstraint("role", "department", name=op.f("pk_reader_scope")),
        schema="ops",
        comment="Departments that a role of the database sees, where row-level security is on",
    )
    op.create_table(
        "source_department",
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("department", sa.Text(), nullable=False, comment="Department"),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_department")),
        schema="ops",
        comment="The department of each source, as its configuration says",
    )


def downgrade() -> None:
    """Nobody is granted a department any more."""
    op.drop_table("source_department", schema="ops")
    op.drop_table("reader_scope", schema="ops")
