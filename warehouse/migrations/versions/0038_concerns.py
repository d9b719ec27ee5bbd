"""Concerns with the rows that prove them, policies that can be measured, overrides of guards, and who used segments.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_WORDS, _NUMBER, _LONG, _FLAG = sa.Text(), sa.Integer(), sa.BigInteger(), sa.Boolean()
_AT, _DAY, _ID = sa.DateTime(timezone=True), sa.Date(), sa.Uuid()
_KINDS = "failure, stopped, stale, review or drift"
_IN = "kind IN ('failure', 'stopped', 'stale', 'review', 'drift'"
_POLICY = (
    ("policy_field", _WORDS, "What is measured of it"),
    ("policy_test", _WORDS, "is, at_least or at_most"),
    ("policy_value", _WORDS, "The value that is expected"),
    ("policy_from", _DAY, "From which day on it is promised"),
)


def upgrade() -> None:
    """Five tables, filled by the first run with a concerns.yaml and by what people do; columns that stay null."""
    op.create_table(
        "concern",
        _column("concern", _WORDS, "Its name"),
        _column("position", _NUMBER, "Its place, from 1: shipped ones first"),
        _column("question_en", _WORDS, "The question in English"),
        _column("question_ru", _WORDS, "The question in Russian", True),
        _column("owner", _WORDS, "Who is to look at it", True),
        _column("template", _WORDS, "none_of, more_than, drifts_from, missed_and_silent, contact_pressure or sql"),
        _column("threshold", _NUMBER, "From how many clients on it is raised"),
        _column("is_shipped", _FLAG, "It comes with Onefold"),
        _column("state", _WORDS, "calm, raised, not_available or failed"),
        _column("why", _WORDS, "Why it is not available, or failed", True),
        _column("clients", _NUMBER, "Clients that it is about now"),
        _column("row_count", _NUMBER, "Rows that prove it now"),
        _column("is_cut", _FLAG, "There are more rows than are kept"),
        sa.CheckConstraint(
            "template IN ('none_of', 'more_than', 'drifts_from', 'missed_and_silent', 'contact_pressure', 'sql')",
            name=op.f("ck_concern_template"),
        ),
        sa.CheckConstraint("state IN ('calm', 'raised', 'not_available', 'failed')", name=op.f("ck_concern_state")),
        sa.PrimaryKeyConstraint("concern", name=op.f("pk_concern")),
        schema="core",
        comment="Concerns from concerns.yaml, and what they say now",
    )
    op.create_table(
        "concern_raise",
        _column("concern", _WORDS, "The concern"),
        _column("raised_at", _AT, "When it was raised"),
        _column("clients", _NUMBER, "Clients that it was about then"),
        _column("row_count", _NUMBER, "Rows that proved it then"),
        _column("threshold", _NUMBER, "From how many clients on it was raised"),
        _column("closed_at", _AT, "When it was over; null: it lasts", True),
        _column("closed_as", _WORDS, "calm, rules, gone or not_available", True),
        _column("acknowledged_at", _AT, "When somebody took note of it", True),
        _column("acknowledged_by", _WORDS, "Who took note of it", True),
        _column("acknowledge_reason", _WORDS, "What they said to it; no client's name", True),
        sa.CheckConstraint(
            "closed_as IN ('calm', 'rules', 'gone', 'not_available')", name=op.f("ck_concern_raise_closed_as")
        ),
        sa.PrimaryKeyConstraint("concern", "raised_at", name=op.f("pk_concern_raise")),
        schema="core",
        comment="When each concern was raised and over, why, and who said what to it",
    )
    op.create_index(
        "uq_concern_raise_open", "concern_raise", ["concern"], unique=True, schema="core",
        postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "concern_row",
        _column("concern", _WORDS, "The concern"),
        _column("row_key", _ID, "Of the client and the dealing"),
        _column("client_id", _ID, "The client", True),
        _column("record_id", _LONG, "The dealing", True),
        _column("note", _WORDS, "What the question says of it, such as a figure", True),
        _column("since", _AT, "Since when it is so"),
        sa.PrimaryKeyConstraint("concern", "row_key", name=op.f("pk_concern_row")),
        schema="core",
        comment="Clients and dealings that prove concerns now",
    )
    op.create_index("ix_concern_row_client_id", "concern_row", ["client_id"], schema="core")
    op.create_table(
        "guard_override",
        _numbered("override_id", "Rises with every override"),
        _column("client_id", _ID, "The client"),
        _column("purpose", _WORDS, "What the lists are for"),
        _column(
            "guards",
            postgresql.ARRAY(sa.Text()),
            "open_complaint, broken_promise, contact_pressure: those that are meant",
        ),
        _column("reason", _WORDS, "Why, in the words of who said so"),
        _column("made_by", _WORDS, "Who said so"),
        _column("made_at", _AT, "When"),
        _column("until", _DAY, "The last day on which it holds"),
        _column("ended_at", _AT, "When it was taken back", True),
        _column("ended_by", _WORDS, "Who took it back", True),
        sa.PrimaryKeyConstraint("override_id", name=op.f("pk_guard_override")),
        schema="ops",
        comment="Clients that may be on a list in spite of a guard: who says so, why, until when",
    )
    op.create_index("ix_guard_override_client_id", "guard_override", ["client_id"], schema="ops")
    op.create_table(
        "segment_use",
        _numbered("use_id", "Rises with every use"),
        _column("at", _AT, "When"),
        _column("who", _WORDS, "The login name, or the service's"),
        _column("how", _WORDS, "The command, the call of the API or the page"),
        _column("purpose", _WORDS, "What for", True),
        _column("scheme", _WORDS, "The scheme"),
        _column("segment", _WORDS, "The segment; null: all of the scheme", True),
        _column("clients", _NUMBER, "Clients that were told", True),
        _column("left_out", _NUMBER, "Clients that guards and bans kept off", True),
        sa.PrimaryKeyConstraint("use_id", name=op.f("pk_segment_use")),
        schema="ops",
        comment="Who read or exported which segment, when and what for",
    )
    op.create_index("ix_segment_use_scheme", "segment_use", ["scheme", "at"], schema="ops")
    for name, kind, comment in _POLICY:
        op.add_column("segment", _column(name, kind, comment, True), schema="core")
    review = _column("review_on", _DAY, "When somebody is to say whether it is still of use", True)
    op.add_column("segment_scheme", review, schema="core")
    _notice_kinds(f"{_IN}, 'concern')", "failure, stopped, stale, review, drift or concern")


def downgrade() -> None:
    """All of it goes: the next run of the new version asks again; what people said and did is lost."""
    op.execute("DELETE FROM ops.notice WHERE kind = 'concern'")
    _notice_kinds(f"{_IN})", _KINDS)
    op.execute("DROP VIEW IF EXISTS onefold_v1.dim_segment")
    op.drop_column("segment_scheme", "review_on", schema="core")
    for name, _, _ in reversed(_POLICY):
        op.drop_column("segment", name, schema="core")
    for schema, name in (
        ("ops", "segment_use"),
        ("ops", "guard_override"),
        ("core", "concern_row"),
        ("core", "concern_raise"),
        ("core", "concern"),
    ):
        op.drop_table(name, schema=schema)


def _notice_kinds(condition: str, comment: str) -> None:
    op.drop_constraint(op.f("ck_notice_kind"), "notice", schema="ops")
    op.create_check_constraint(op.f("ck_notice_kind"), "notice", condition, schema="ops")
    op.alter_column("notice", "kind", comment=comment, schema="ops")


def _numbered(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _LONG, sa.Identity(always=True), nullable=False, comment=comment)


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment, autoincrement=False)
