"""Places and open papers of documents say what links and sums depend on, so that documents near a changed one are not
read.

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

_OF_PLACES = {
    "register_key": (sa.BigInteger(), "Hash of source and type"),
    "amount": (sa.BigInteger(), "Amount in 1/10,000; negative where it reverses another"),
    "currency": (sa.BigInteger(), "Hash of its currency"),
    "number": (sa.BigInteger(), "Hash of its number without signs and case"),
    "digits": (sa.Integer(), "Digits of its number"),
    "state": (sa.Integer(), "0 plain, 1 sold; what came to nothing has no place"),
}

_OF_OPEN = {
    "currency": (sa.BigInteger(), "Hash of its currency; 0: not known"),
    "register_key": (sa.BigInteger(), "Hash of source and type"),
    "event_id": (sa.BigInteger(), "The smallest document that is linked with it as the same"),
    "day": (sa.Integer(), "Days since 1970-01-01"),
    "worth": (sa.BigInteger(), "Amount of all of these that counts, in 1/10,000"),
}
_ENDS = ("left", "right")


def upgrade() -> None:
    """The next publish of the new version links all documents anew, and fills the new columns."""
    for name, (kind, comment) in _OF_PLACES.items():
        op.add_column("document_place", sa.Column(name, kind, nullable=True, comment=comment), schema="core")
    for name, (kind, comment) in _OF_OPEN.items():
        # With a default for a publish of the version before, after which all is linked anew as well.
        column = sa.Column(name, kind, nullable=False, server_default=sa.text("0"), comment=comment)
        op.add_column("document_open", column, schema="core")
    for end in _ENDS:
        op.create_index(
            f"ix_document_link_sum_{end}",
            "document_link",
            [f"{end}_record_id"],
            schema="core",
            postgresql_where=sa.text("kind = 'instalment'"),
        )
    op.create_table_comment(
        "document_place",
        "The keys by which documents of other registers are found, and what they say, as last linked",
        schema="core",
    )


def downgrade() -> None:
    """The keys are all that is needed before."""
    for end in _ENDS:
        op.drop_index(f"ix_document_link_sum_{end}", "document_link", schema="core")
    for table, columns in (("document_place", _OF_PLACES), ("document_open", _OF_OPEN)):
        for name in columns:
            op.drop_column(table, name, schema="core")
    op.create_table_comment(
        "document_place", "The keys by which documents of other registers are found, as last linked", schema="core"
    )
