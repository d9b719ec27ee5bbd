"""What clients need, by which dealings it is seen, and segments by needs.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_WORDS, _NUMBER, _LONG, _FLAG = sa.Text(), sa.Integer(), sa.BigInteger(), sa.Boolean()
_AT, _DAY, _AMOUNT, _ID = sa.DateTime(timezone=True), sa.Date(), sa.Numeric(), sa.Uuid()
_REAL: sa.Double[float] = sa.Double()
_OPEN = sa.text("left_at IS NULL")


def upgrade() -> None:
    """Eight tables, filled by the first run with a needs.yaml."""
    op.create_table(
        "need",
        _column("code", _WORDS, "Code, such as urgency"),
        _column("label_en", _WORDS, "Label in English"),
        _column("label_ru", _WORDS, "Label in Russian", True),
        _column("job_en", _WORDS, "The job to be done in the client's words, in English"),
        _column("job_ru", _WORDS, "The job to be done in the client's words, in Russian", True),
        _column("dimension", _WORDS, "What kind of need it is, such as time or price"),
        _column("half_life_days", _AMOUNT, "After so many days a sighting counts half", True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_need")),
        schema="core",
        comment="What clients may need, from needs.yaml",
    )
    op.create_table(
        "need_signal",
        _column("signal_key", _NUMBER, "Its place by need and code, from 1"),
        _column("need", _WORDS, "Code of core.need"),
        _column("code", _WORDS, "Its name within the need"),
        _column("origin", _WORDS, "declared, observed or inferred"),
        _column("is_against", _FLAG, "It speaks against the need"),
        _column("weight", _AMOUNT, "How much one sighting counts"),
        _column("label_en", _WORDS, "What is told of it in English"),
        _column("label_ru", _WORDS, "What is told of it in Russian", True),
        _column("word_starts", _WORDS, "Beginnings one of which a text with its words has", True),
        _column("word_query", _WORDS, "The text search for its words", True),
        sa.CheckConstraint("origin IN ('declared', 'observed', 'inferred')", name=op.f("ck_need_signal_origin")),
        sa.PrimaryKeyConstraint("signal_key", name=op.f("pk_need_signal")),
        schema="core",
        comment="By what each need is recognised, from needs.yaml",
    )
    op.create_table(
        "need_rate",
        _column("signal_key", _NUMBER, "The signal"),
        _column("type", _WORDS, "Code of core.interaction_type"),
        _column("rate", _REAL, "Weight of sightings by weight of dealings, over all clients"),
        sa.PrimaryKeyConstraint("signal_key", "type", name=op.f("pk_need_rate")),
        schema="core",
        comment="How often each signal is seen in dealings of a type, frozen",
    )
    op.create_table(
        "client_need",
        _column("client_id", _ID, "The client"),
        _column("need", _WORDS, "Code of core.need"),
        _column("origin", _WORDS, "declared, observed or inferred"),
        _column("is_held", _FLAG, "It is held to be there by this origin"),
        _column("sightings_for", _NUMBER, "Dealings in which something speaks for it"),
        _column("sightings_against", _NUMBER, "Dealings in which something speaks against it"),
        _column("weight_for", _LONG, "Weight of those for it, aged, in millionths"),
        _column("weight_against", _LONG, "Weight of those against it, aged, in millionths"),
        _column(
            "expected_for", _LONG, "Weight expected of so many dealings, in millionths; null: of words none is", True
        ),
        _column("expected_against", _LONG, "The same of what speaks against it", True),
        _column("dealings", _NUMBER, "Dealings of the kinds in which needs are looked for"),
        _column("first_on", _DAY, "Day of the first sighting", True),
        _column("last_on", _DAY, "Day of the last sighting", True),
        sa.CheckConstraint("origin IN ('declared', 'observed', 'inferred')", name=op.f("ck_client_need_origin")),
        sa.PrimaryKeyConstraint("client_id", "need", "origin", name=op.f("pk_client_need")),
        schema="core",
        comment="Needs of clients: declared, observed and inferred kept apart",
    )
    op.create_table(
        "client_need_evidence",
        _column("client_id", _ID, "The client"),
        _column("signal_key", _NUMBER, "What is seen: core.need_signal"),
        _column("record_id", _LONG, "The interaction in which it is seen"),
        _column("occurred_on", _DAY, "The interaction's day", True),
        sa.PrimaryKeyConstraint("client_id", "signal_key", "record_id", name=op.f("pk_client_need_evidence")),
        schema="core",
        comment="Interactions that speak for or against needs of their clients",
    )
    op.create_table(
        "segment_scheme",
        _column("scheme", _WORDS, "Its name"),
        _column("basis", _WORDS, "needs, lifecycle or value"),
        _column("label_en", _WORDS, "Label in English"),
        _column("label_ru", _WORDS, "Label in Russian", True),
        _column("owner", _WORDS, "Who answers for it", True),
        _column("is_served", _FLAG, "It is shown to readers: it has passed its check, or needs none"),
        _column("checked_at", _AT, "When it was checked last", True),
        _column("figures", postgresql.JSONB(astext_type=sa.Text()), "What the check found", True),
        sa.CheckConstraint("basis IN ('needs', 'lifecycle', 'value')", name=op.f("ck_segment_scheme_basis")),
        sa.PrimaryKeyConstraint("scheme", name=op.f("pk_segment_scheme")),
        schema="core",
        comment="Schemes that divide clients, from segments.yaml, with their last check",
    )
    op.create_table(
        "segment",
        _column("scheme", _WORDS, "The scheme"),
        _column("segment", _WORDS, "Its name"),
        _column("position", _NUMBER, "Its place in the file, from 1"),
        _column("label_en", _WORDS, "Label in English"),
        _column("label_ru", _WORDS, "Label in Russian", True),
        _column("needs", postgresql.ARRAY(sa.Text()), "Needs that its clients have; none where the basis is another"),
        _column("policy", _WORDS, "What is done for it, in words", True),
        sa.PrimaryKeyConstraint("scheme", "segment", name=op.f("pk_segment")),
        schema="core",
        comment="Segments of the schemes, from segments.yaml",
    )
    op.create_table(
        "client_segment",
        _column("client_id", _ID, "The client"),
        _column("scheme", _WORDS, "The scheme"),
        _column("entered_at", _AT, "From when"),
        _column("segment", _WORDS, "The segment; null: unknown", True),
        _column("entered_reason", _WORDS, "composition, declared, rule; few, none, close: why it is unknown"),
        _column("probability", _REAL, "How probable its best segment is, to four places"),
        _column("runner_up", _WORDS, "The next best segment; null: none of them", True),
        _column("runner_up_probability", _REAL, "How probable that is", True),
        _column("left_at", _AT, "Until when; null: it is in it", True),
        _column("left_reason", _WORDS, "Why it is in the next one, or gone, or rules", True),
        sa.CheckConstraint(
            "entered_reason IN ('composition', 'declared', 'rule', 'few', 'none', 'close')",
            name=op.f("ck_client_segment_entered_reason"),
        ),
        sa.CheckConstraint(
            "left_reason IN ('composition', 'declared', 'rule', 'few', 'none', 'close', 'gone', 'rules')",
            name=op.f("ck_client_segment_left_reason"),
        ),
        sa.PrimaryKeyConstraint("client_id", "scheme", "entered_at", name=op.f("pk_client_segment")),
        schema="core",
        comment="Segments of clients, dated, with the next best one",
    )
    held = sa.text("is_held")
    op.create_index("ix_client_need_need", "client_need", ["need", "origin"], schema="core", postgresql_where=held)
    op.create_index(
        "uq_client_segment_open", "client_segment", ["client_id", "scheme"], unique=True, schema="core",
        postgresql_where=_OPEN,
    )  # fmt: skip
    op.create_index(
        "ix_client_segment_segment", "client_segment", ["scheme", "segment"], schema="core", postgresql_where=_OPEN
    )


def downgrade() -> None:
    """All of it goes; the next run of the new version finds it again, dated from then."""
    for name in (
        "client_segment",
        "segment",
        "segment_scheme",
        "client_need_evidence",
        "client_need",
        "need_rate",
        "need_signal",
        "need",
    ):
        op.drop_table(name, schema="core")


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment, autoincrement=False)
