"""Which papers nothing settles, so that sums are sought among these alone.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table. The next publish of the new version links all documents anew, and fills it."""
    op.create_table(
        "document_open",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The document"),
        sa.Column("client", sa.BigInteger(), nullable=False, comment="Hash of its client's id"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_document_open")),
        schema="core",
        comment="Orders, invoices and payments that nothing settles, but sums of others",
    )
    op.create_index("ix_document_open_client", "document_open", ["client"], schema="core")


def downgrade() -> None:
    """The links are all that is needed before."""
    op.drop_table("document_open", schema="core")
