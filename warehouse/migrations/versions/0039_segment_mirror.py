"""Whether operations treat the clients of each segment differently.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_WORDS, _NUMBER, _FLAG, _DAY = sa.Text(), sa.Integer(), sa.Boolean(), sa.Date()
_AT = sa.DateTime(timezone=True)
_REAL: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """One table, filled by `onefold segments mirror`."""
    op.create_table(
        "segment_mirror",
        _column("scheme", _WORDS, "The scheme"),
        _column("segment", _WORDS, "The segment"),
        _column("outcome", _WORDS, "What clients get, such as lead_time"),
        _column("position", _NUMBER, "Its place among the outcomes, from 1"),
        _column("label_en", _WORDS, "Label of the outcome in English"),
        _column("label_ru", _WORDS, "Label of the outcome in Russian", True),
        _column("measure", _WORDS, "days, share or rate (a year)"),
        _column("is_less_better", _FLAG, "Less of it is better for the client"),
        _column("is_promised", _FLAG, "The policy of the segment promises it"),
        _column("verdict", _WORDS, "How the clients are treated"),
        _column("clients", _NUMBER, "Clients of the segment with the outcome"),
        _column("compared", _NUMBER, "Clients they are compared with"),
        _column("typical", _REAL, "What its clients get, on average", True),
        _column("typical_elsewhere", _REAL, "What those get with whom they are compared, on average", True),
        _column(
            "difference",
            _REAL,
            "Of days and rates: part of what others get by which it is more; of shares: points",
            True,
        ),
        _column("difference_low", _REAL, "Lower end of the 95 % interval", True),
        _column("difference_high", _REAL, "Upper end of the 95 % interval", True),
        _column("p_value", _REAL, "Corrected for all segments and outcomes of the scheme", True),
        _column("meets_promise", _FLAG, "What its clients get on average is what is promised", True),
        _column("effect", _WORDS, "What better treatment does to repeat business; null: not asked", True),
        _column(
            "effect_difference",
            _REAL,
            "Part by which repeat business is more where treatment is better by a fifth",
            True,
        ),
        _column("effect_low", _REAL, "Lower end of the 95 % interval", True),
        _column("effect_high", _REAL, "Upper end of the 95 % interval", True),
        _column("since_on", _DAY, "From which day on dealings were looked at"),
        _column("looked_at", _AT, "When it was looked at"),
        sa.CheckConstraint("measure IN ('days', 'share', 'rate')", name=op.f("ck_segment_mirror_measure")),
        sa.CheckConstraint(
            "verdict IN ('as_promised', 'decorative', 'opposite', 'without_policy', 'like_everyone', 'cannot_tell')",
            name=op.f("ck_segment_mirror_verdict"),
        ),
        sa.CheckConstraint(
            "effect IN ('more', 'less', 'no_effect', 'cannot_tell')", name=op.f("ck_segment_mirror_effect")
        ),
        sa.PrimaryKeyConstraint("scheme", "segment", "outcome", name=op.f("pk_segment_mirror")),
        schema="core",
        comment="Whether operations treat the clients of each segment differently",
    )


def downgrade() -> None:
    """It goes; looking again finds it."""
    op.drop_table("segment_mirror", schema="core")


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment, autoincrement=False)
