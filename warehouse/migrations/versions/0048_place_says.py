"""Where a document is looked for says what it says, so that documents near a changed one are not read.

Revision ID: 0048
Revises: 0047
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_COLUMNS = {
    "register_key": (sa.BigInteger(), "Hash of source and type"),
    "amount": (sa.BigInteger(), "Amount in 1/10,000; negative where it reverses another"),
    "currency": (sa.BigInteger(), "Hash of its currency"),
    "number": (sa.BigInteger(), "Hash of its number without signs and case"),
    "digits": (sa.Integer(), "Digits of its number"),
    "state": (sa.Integer(), "0 plain, 1 sold; what came to nothing has no place"),
}


def upgrade() -> None:
    """Six columns. The next publish of the new version links all documents anew, and fills them."""
    op.execute("TRUNCATE core.document_place")
    for name, (kind, comment) in _COLUMNS.items():
        op.add_column("document_place", sa.Column(name, kind, nullable=True, comment=comment), schema="core")
    op.create_table_comment(
        "document_place",
        "The keys by which documents of other registers are found, and what they say, as last linked",
        schema="core",
    )


def downgrade() -> None:
    """The keys are all that is needed before."""
    for name in _COLUMNS:
        op.drop_column("document_place", name, schema="core")
    op.create_table_comment(
        "document_place", "The keys by which documents of other registers are found, as last linked", schema="core"
    )
