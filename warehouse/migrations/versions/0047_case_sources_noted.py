"""Review cases whose sources are not noted yet are found by their status: open ones first.

Revision ID: 0047
Revises: 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

CONTRACTS = "an index that only noting the sources looked into, which the new one serves"
_MISSING = sa.text("sources IS NULL")


def upgrade() -> None:
    """The new index does what the old one did."""
    op.create_index(
        "ix_review_case_not_noted",
        "review_case",
        ["status", "fingerprint"],
        schema="identity",
        postgresql_where=_MISSING,
    )
    op.drop_index("ix_review_case_unnamed", "review_case", schema="identity")


def downgrade() -> None:
    """Back to the one by fingerprints."""
    op.create_index(
        "ix_review_case_unnamed", "review_case", ["fingerprint"], schema="identity", postgresql_where=_MISSING
    )
    op.drop_index("ix_review_case_not_noted", "review_case", schema="identity")
