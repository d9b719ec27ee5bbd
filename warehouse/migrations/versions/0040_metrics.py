"""What is measured from both sides, and on what grounds clients stay.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_WORDS, _NUMBER, _FLAG, _DAY, _AMOUNT, _ID = sa.Text(), sa.Integer(), sa.Boolean(), sa.Date(), sa.Numeric(), sa.Uuid()
_REAL: sa.Double[float] = sa.Double()
_LIST = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    """Five tables, filled by the first run with a metrics.yaml."""
    op.create_table(
        "metric",
        _column("metric", _WORDS, "Its name"),
        _column("version", _NUMBER, "Version of the definition"),
        _column("label_en", _WORDS, "Label in English"),
        _column("label_ru", _WORDS, "Label in Russian", True),
        _column("perspective", _WORDS, "Whose side it is told from: client or enterprise"),
        _column("unit", _WORDS, "share, days, count or money"),
        _column("direction", _WORDS, "Which way is good: up, down or none"),
        _column("kind", _WORDS, "share, mean, ratio or total"),
        _column("types", _LIST, "Interaction types that it is about"),
        _column("breakdowns", _LIST, "What it is counted over beside the hub: client, segment, month"),
        _column("minimum", _NUMBER, "With fewer observations no value is told"),
        _column("minimum_per_client", _NUMBER, "The same of one client"),
        _column("definition", _WORDS, "The SELECT over the served views"),
        _column("is_available", _FLAG, "Something is observed"),
        _column("why_en", _WORDS, "Why it is not available, in English", True),
        _column("why_ru", _WORDS, "Why it is not available, in Russian", True),
        sa.CheckConstraint("direction IN ('up', 'down', 'none')", name=op.f("ck_metric_direction")),
        sa.CheckConstraint("kind IN ('share', 'mean', 'ratio', 'total')", name=op.f("ck_metric_kind")),
        sa.CheckConstraint("perspective IN ('client', 'enterprise')", name=op.f("ck_metric_perspective")),
        sa.PrimaryKeyConstraint("metric", name=op.f("pk_metric")),
        schema="core",
        comment="What is measured, from metrics.yaml and the shipped definitions",
    )
    op.create_table(
        "client_metric_month",
        _column("client_id", _ID, "The client"),
        _column("metric", _WORDS, "Name of core.metric"),
        _column("month", _DAY, "First day of the month"),
        _column("observations", _NUMBER, "How many"),
        _column("total", _AMOUNT, "Sum of their values"),
        _column("weight", _AMOUNT, "Sum of their weights; of all but a ratio how many they are"),
        _column("squares", _AMOUNT, "Sum of the squares of their values"),
        sa.PrimaryKeyConstraint("client_id", "metric", "month", name=op.f("pk_client_metric_month")),
        schema="core",
        comment="What is observed of clients by metric and month, as sums",
    )
    op.create_index("ix_client_metric_month_metric", "client_metric_month", ["metric", "month"], schema="core")
    op.create_table(
        "metric_value",
        _column("metric", _WORDS, "Name of core.metric"),
        _column("place", _WORDS, "hub, month:YYYY-MM-DD or segment:SCHEME:SEGMENT"),
        _column("scope", _WORDS, "hub, month or segment"),
        _column("month", _DAY, "First day of the month", True),
        _column("scheme", _WORDS, "Scheme of the segment", True),
        _column("segment", _WORDS, "The segment", True),
        _column("version", _NUMBER, "Version of the definition"),
        _column("observations", _NUMBER, "How many"),
        _column("clients", _NUMBER, "Of how many clients"),
        _column("value", _AMOUNT, "The value; null: too few observations", True),
        _column("low", _AMOUNT, "Lower end of its 95 % interval; null: none is told", True),
        _column("high", _AMOUNT, "Upper end of its 95 % interval", True),
        sa.CheckConstraint("scope IN ('hub', 'month', 'segment')", name=op.f("ck_metric_value_scope")),
        sa.PrimaryKeyConstraint("metric", "place", name=op.f("pk_metric_value")),
        schema="core",
        comment="Values of metrics with their sample and 95 % interval",
    )
    op.create_table(
        "loyalty",
        _column("ground", _WORDS, "Name of the metric that is the ground: promises_kept or needs_met"),
        _column("outcome", _WORDS, "retained: bought again within a year; repeated: twice or more"),
        _column("since", _DAY, "The ground is of the two years before this day, the outcome of the year after it"),
        _column("clients", _NUMBER, "Clients with enough observations of the ground who bought in these two years"),
        _column(
            "difference", _REAL, "Share of those at 80 % or more less that of the others, like volumes compared", True
        ),
        _column("low", _REAL, "Lower end of its interval", True),
        _column("high", _REAL, "Upper end of its interval", True),
        _column("trend_p", _REAL, "Probability of such a trend over the bands by chance", True),
        _column("verdict", _WORDS, "effect, no effect, cannot tell, or not available"),
        _column("why_en", _WORDS, "Why it cannot be told, in English", True),
        _column("why_ru", _WORDS, "Why it cannot be told, in Russian", True),
        sa.CheckConstraint(
            "verdict IN ('effect', 'no effect', 'cannot tell', 'not available')", name=op.f("ck_loyalty_verdict")
        ),
        sa.PrimaryKeyConstraint("ground", "outcome", name=op.f("pk_loyalty")),
        schema="core",
        comment="Loyalty against its grounds: differences with their interval",
    )
    op.create_table(
        "loyalty_band",
        _column("ground", _WORDS, "Name of the metric that is the ground"),
        _column("outcome", _WORDS, "retained or repeated"),
        _column("band", _NUMBER, "0: below 50 %, 1: below 80 %, 2: below 100 %, 3: all"),
        _column("clients", _NUMBER, "Clients in it"),
        _column("came_back", _NUMBER, "Those of them with the outcome"),
        _column("share", _REAL, "Their share", True),
        _column("low", _REAL, "Lower end of its 95 % interval", True),
        _column("high", _REAL, "Upper end of its 95 % interval", True),
        sa.PrimaryKeyConstraint("ground", "outcome", "band", name=op.f("pk_loyalty_band")),
        schema="core",
        comment="How many clients came back, by bands of a ground",
    )


def downgrade() -> None:
    """All of it goes; the next run of the new version measures it again."""
    for name in ("loyalty_band", "loyalty", "metric_value", "client_metric_month", "metric"):
        op.drop_table(name, schema="core")


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment, autoincrement=False)
