"""Review cases know the sources of their records, and the queue is read by an index alone.

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CONTRACTS = "an index whose column the new one begins with, so that nobody misses it"
_OPEN = sa.text("status = 'open'")


def upgrade() -> None:
    """Nobody has noted the sources yet: resolutions do, some at a time."""
    comment = "The sources of its records; null: not noted yet, which the next resolution does"
    sources: sa.Column[list[str]] = sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=True, comment=comment)
    op.add_column("review_case", sources, schema="identity")
    columns = ["impact", "weight", "opened_at", "kind", "fingerprint"]
    op.create_index(
        "ix_review_case_queue", "review_case", columns, schema="identity", postgresql_include=["sources"],
        postgresql_where=_OPEN,
    )  # fmt: skip
    op.create_index(
        "ix_review_case_unnamed", "review_case", ["fingerprint"], schema="identity",
        postgresql_where=sa.text("sources IS NULL"),
    )  # fmt: skip
    op.drop_index("ix_review_case_impact", "review_case", schema="identity")


def downgrade() -> None:
    """Back to the shorter index, without sources."""
    op.create_index("ix_review_case_impact", "review_case", ["impact"], schema="identity", postgresql_where=_OPEN)
    for name in ("ix_review_case_unnamed", "ix_review_case_queue"):
        op.drop_index(name, "review_case", schema="identity")
    op.drop_column("review_case", "sources", schema="identity")
