"""What is to be mended in the registers themselves.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_STEPS = ("standardise", "in_common", "resolve", "publish", "documents", "landed")
_OPEN, _CLOSED = sa.text("closed_at IS NULL"), sa.text("closed_at IS NOT NULL")


def upgrade() -> None:
    """Two tables, filled by the first run of the new version, and their queue."""
    _steps(("standardise", "in_common", "resolve", "publish", "documents", "fixes", "landed"))
    at, number, words = sa.DateTime(timezone=True), sa.BigInteger(), sa.Text()
    op.create_table(
        "source_fix",
        sa.Column("fix_id", number, sa.Identity(always=True), nullable=False, comment="Rises with every entry"),
        _column("fingerprint", sa.Uuid(), "Of kind, records, attribute and value: open once at a time"),
        _column("kind", words, "duplicate, invalid, outvoted, contradicts or emptied"),
        _column("source", words, "The register in which it is to be mended"),
        _column("stream", words, "Stream of the register"),
        _column("source_key", words, "The record's key in its source"),
        _column("record_id", number, "The record that is to be mended"),
        _column("other_record_id", number, "Of a duplicate the other record; else the one whose value is better", True),
        _column("client_id", sa.Uuid(), "The client that the record belonged to when it was looked at last"),
        _column("attribute", words, "The attribute; null: the record itself", True),
        _column("value", words, "What the register says", True),
        _column("better", words, "The golden value, or what the register said before it was emptied", True),
        _column("rule", words, "Why it is wrong: what makes it invalid, or the rule by which it lost", True),
        _column("opened_at", at, "When it was seen first"),
        _column("closed_at", at, "When it was seen no more", True),
        _column("closed_as", words, "fixed, gone, apart, judged or settled", True),
        sa.CheckConstraint(
            "kind IN ('duplicate', 'invalid', 'outvoted', 'contradicts', 'emptied')", name=op.f("ck_source_fix_kind")
        ),
        sa.CheckConstraint(
            "closed_as IN ('fixed', 'gone', 'apart', 'judged', 'settled')", name=op.f("ck_source_fix_closed_as")
        ),
        sa.PrimaryKeyConstraint("fix_id", name=op.f("pk_source_fix")),
        schema="ops",
        comment="Duplicates and wrong values in the registers, until a sync shows them mended",
    )
    _index("uq_source_fix_open", ["fingerprint"], unique=True, where=_OPEN)
    for state, where in (("open", _OPEN), ("closed", _CLOSED)):
        _index(f"ix_source_fix_{state}", ["fix_id"], where=where)
        _index(f"ix_source_fix_{state}_source", ["source", "fix_id"], where=where)
    for name in ("client_id", "record_id"):
        _index(f"ix_source_fix_{name}", [name])
    op.create_table(
        "source_fix_week",
        _column("week_on", sa.Date(), "Its Monday"),
        _column("source", words, "The register"),
        _column("kind", words, "duplicate, invalid, outvoted, contradicts or emptied"),
        _column("attribute", words, "The attribute; empty: records themselves"),
        _count("opened", "Entries that were opened"),
        _count("closed", "Entries that were closed"),
        sa.CheckConstraint(
            "kind IN ('duplicate', 'invalid', 'outvoted', 'contradicts', 'emptied')",
            name=op.f("ck_source_fix_week_kind"),
        ),
        sa.PrimaryKeyConstraint("week_on", "source", "kind", "attribute", name=op.f("pk_source_fix_week")),
        schema="ops",
        comment="How many entries of ops.source_fix were opened and closed, week by week",
    )


def downgrade() -> None:
    """The list goes; the next run of the new version makes it again."""
    op.drop_table("source_fix_week", schema="ops")
    op.drop_table("source_fix", schema="ops")
    op.execute("DELETE FROM ops.pending WHERE step = 'fixes'")
    _steps(_STEPS)


def _steps(known: tuple[str, ...]) -> None:
    op.drop_constraint("ck_pending_step", "pending", schema="ops")
    listed = ", ".join(f"'{word}'" for word in known)
    op.create_check_constraint(op.f("ck_pending_step"), "pending", f"step IN ({listed})", schema="ops")


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment)


def _count(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment=comment)


def _index(name: str, columns: list[str], *, unique: bool = False, where: sa.TextClause | None = None) -> None:
    op.create_index(name, "source_fix", columns, unique=unique, schema="ops", postgresql_where=where)
