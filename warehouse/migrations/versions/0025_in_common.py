"""Documents that two registers keep in parallel are evidence for their clients.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_STEPS = ("standardise", "resolve", "publish", "documents", "landed")


def upgrade() -> None:
    """Three tables, empty until clients are resolved again."""
    _steps(("standardise", "in_common", "resolve", "publish", "documents", "landed"))
    op.create_table(
        "document_key",
        _number("record_id", "The document", is_key=True),
        _number("face", "0: as it is; else its amount with the tax of that rate", sa.Integer(), is_key=True),
        _number("party_id", "The client's record in its source"),
        _number("source_id", "Hash of the source"),
        _number("money", "What its amount means: the place in the list of meanings", sa.Integer()),
        _number("day", "Days since 1970-01-01", sa.Integer()),
        _number("number_key", "Hash of number, currency and amount to the whole unit", nullable=True),
        _number("day_key", "Hash of day, currency and a rare amount", nullable=True),
        sa.PrimaryKeyConstraint("record_id", "face", name="pk_document_key"),
        schema="identity",
        comment="The keys by which a document is found in other registers without its client",
    )
    for name in ("number_key", "day_key"):
        op.create_index(
            f"ix_document_key_{name}",
            "document_key",
            [name],
            schema="identity",
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
    op.create_table(
        "document_twin",
        _number("left_record_id", "The one document: the smaller id", is_key=True),
        _number("right_record_id", "The other document", is_key=True),
        _number("left_party_id", "The client's record of the one"),
        _number("right_party_id", "The client's record of the other"),
        _number("left_source_id", "Hash of the source of the one"),
        _number("right_source_id", "Hash of the source of the other"),
        _number("worth", "2: by number, amount and period; 1: by a rare amount on one day", sa.Integer()),
        sa.PrimaryKeyConstraint("left_record_id", "right_record_id", name="pk_document_twin"),
        schema="identity",
        comment="Documents of two registers that are one by number, amount and day alone",
    )
    for name in ("right_record_id", "left_party_id", "right_party_id"):
        op.create_index(f"ix_document_twin_{name}", "document_twin", [name], schema="identity")
    op.create_table(
        "shared_document",
        _number("record_id", "The one client record", is_key=True),
        _number("other_record_id", "The other one, of which there is a row as well", is_key=True),
        _number("level", "1: many, 2: several, 3: two, 4: one", sa.Integer()),
        sa.PrimaryKeyConstraint("record_id", "other_record_id", name="pk_shared_document"),
        schema="identity",
        comment="How much two client records have in common: evidence that they are one client",
    )
    op.create_index("ix_shared_document_other_record_id", "shared_document", ["other_record_id"], schema="identity")


def downgrade() -> None:
    """The evidence goes; clients that it made are resolved without it by the next run of the older version."""
    for name in ("shared_document", "document_twin", "document_key"):
        op.drop_table(name, schema="identity")
    op.execute("DELETE FROM ops.pending WHERE step = 'in_common'")
    _steps(_STEPS)


def _steps(words: tuple[str, ...]) -> None:
    op.drop_constraint("ck_pending_step", "pending", schema="ops")
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f("ck_pending_step"), "pending", f"step IN ({listed})", schema="ops")


def _number(
    name: str,
    comment: str,
    type_: sa.types.TypeEngine[int] | None = None,
    *,
    nullable: bool = False,
    is_key: bool = False,
) -> sa.Column[int]:
    return sa.Column(
        name,
        type_ or sa.BigInteger(),
        nullable=nullable,
        comment=comment,
        autoincrement=False if is_key else "auto",
    )
