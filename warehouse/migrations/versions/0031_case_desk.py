"""Review cases are assigned, put aside, commented on, decided by two, decided together, and asked once more.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB()
_IDS = postgresql.ARRAY(sa.BigInteger())
_VERDICTS = "('same', 'not_same', 'related', 'cannot_tell')"


def upgrade() -> None:
    """Tables, empty until somebody works on a case."""
    op.create_table(
        "case_desk",
        _column("fingerprint", sa.Uuid(), "The review case"),
        _column("assignee", sa.Text(), "The login of who should look at it; null: nobody in particular", True),
        _column("deferred_until", sa.Date(), "It comes back on this day; null: it is not put aside", True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_case_desk")),
        schema="ops",
        comment="Whose a review case is, and until when it is put aside",
    )
    _index("case_desk", "ix_case_desk_assignee", ["assignee"], "assignee IS NOT NULL")
    op.create_table(
        "case_batch",
        _column("batch_id", sa.Uuid(), "Of chance"),
        _column("kind", sa.Text(), "pattern, workbook, undo of either; decision: one that took longer than a moment"),
        _column("started_by", sa.Text(), "Who"),
        _column("started_at", _AT, "When it began"),
        _column("seen_at", _AT, "When it last came on: one that does not is stopped"),
        _column("finished_at", _AT, "When it was through", True),
        _column("total", sa.Integer(), "Cases to decide"),
        _column("done", sa.Integer(), "Cases that it has come to", default="0"),
        _column("report", _JSON, "Outcome -> cases that had it", default="'{}'"),
        sa.CheckConstraint("kind IN ('pattern', 'workbook', 'undo', 'decision')", name=op.f("ck_case_batch_kind")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_case_batch")),
        schema="ops",
        comment="Cases that were decided together, each by a judgement of its own",
    )
    op.create_table(
        "case_event",
        _number("event_id", "Rises with every event"),
        _column("fingerprint", sa.Uuid(), "The review case"),
        _column("action", sa.Text(), "assigned, deferred, comment, proposed, confirmed, refused, decided or undone"),
        _column("done_by", sa.Text(), "Who did it"),
        _column("at", _AT, "When"),
        _column("assignee", sa.Text(), "Of assigned: the login of whose it is now; null: nobody's", True),
        _column("until", sa.Date(), "Of deferred: the day on which it comes back; null: at once", True),
        _column("verdict", sa.Text(), "Of proposed and decided: same, not_same, related, cannot_tell", True),
        _column("judgement_id", sa.BigInteger(), "Of decided and undone: the judgement", True),
        _column("batch_id", sa.Uuid(), "Cases that were decided together", True),
        _column("note", sa.Text(), "In the words of who did it", True),
        sa.CheckConstraint(
            "action IN ('assigned', 'deferred', 'comment', 'proposed', 'confirmed', 'refused', 'decided', 'undone')",
            name=op.f("ck_case_event_action"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["ops.case_batch.batch_id"], name=op.f("fk_case_event_batch_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_case_event")),
        schema="ops",
        comment="What was done on review cases, and by whom; append-only",
    )
    _index("case_event", "ix_case_event_fingerprint", ["fingerprint", "event_id"])
    _index("case_event", "ix_case_event_judgement_id", ["judgement_id"], "judgement_id IS NOT NULL")
    _index("case_event", "ix_case_event_batch_id", ["batch_id"], "batch_id IS NOT NULL")
    op.create_table(
        "case_proposal",
        _number("proposal_id", "Rises with every proposal"),
        _column("fingerprint", sa.Uuid(), "The review case"),
        _column("verdict", sa.Text(), "same, not_same, related, cannot_tell"),
        _column("left_ids", _IDS, "Records on the one side"),
        _column("right_ids", _IDS, "Records on the other side"),
        _column("relationship", sa.Text(), "For related: branch_of, household, namesake, ...", True),
        _column("reason", sa.Text(), "Why, in the words of who proposes it", True),
        _column("seen", _JSON, "client_id -> changed_seq as it was seen"),
        _column("proposed_by", sa.Text(), "Who proposes it"),
        _column("proposed_at", _AT, "When"),
        _column("state", sa.Text(), "open, confirmed, refused or stale", default="'open'"),
        _column("answered_by", sa.Text(), "Who confirmed or refused it: never who proposed it", True),
        _column("answered_at", _AT, "When", True),
        sa.CheckConstraint(f"verdict IN {_VERDICTS}", name=op.f("ck_case_proposal_verdict")),
        sa.CheckConstraint("state IN ('open', 'confirmed', 'refused', 'stale')", name=op.f("ck_case_proposal_state")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_case_proposal")),
        schema="ops",
        comment="Decisions that wait for a second person, and what became of them",
    )
    _index("case_proposal", "uq_case_proposal_open", ["fingerprint"], "state = 'open'", unique=True)
    op.create_table(
        "case_repeat",
        _number("repeat_id", "Rises with every repeat"),
        _column("fingerprint", sa.Uuid(), "The review case"),
        _column("judgement_id", sa.BigInteger(), "What was said first"),
        _column("verdict", sa.Text(), "The first answer"),
        _column("decided_by", sa.Text(), "Who gave it"),
        _column("due_at", _AT, "When who gave it may be asked again; others at once"),
        _column("seen", _JSON, "record_id -> client_id when it was asked first"),
        _column("second_verdict", sa.Text(), "The second answer; null: it waits", True),
        _column("answered_by", sa.Text(), "Who gave that", True),
        _column("answered_at", _AT, "When", True),
        sa.CheckConstraint(f"verdict IN {_VERDICTS}", name=op.f("ck_case_repeat_verdict")),
        sa.CheckConstraint(f"second_verdict IN {_VERDICTS}", name=op.f("ck_case_repeat_second_verdict")),
        sa.PrimaryKeyConstraint("repeat_id", name=op.f("pk_case_repeat")),
        schema="ops",
        comment="Decided cases that are asked once more, and what was said then",
    )
    _index("case_repeat", "ix_case_repeat_waiting", ["due_at"], "second_verdict IS NULL")
    _index("case_repeat", "ix_case_repeat_fingerprint", ["fingerprint"])


def downgrade() -> None:
    """Nobody's, never put aside, without history."""
    for name in ("case_repeat", "case_proposal", "case_event", "case_batch", "case_desk"):
        op.drop_table(name, schema="ops")


def _column(
    name: str, of: sa.types.TypeEngine[Any], comment: str, null: bool = False, default: str | None = None
) -> sa.Column[Any]:
    server_default = None if default is None else sa.text(default)
    return sa.Column(name, of, nullable=null, comment=comment, server_default=server_default)


def _number(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.Identity(always=True), nullable=False, comment=comment)


def _index(table: str, name: str, columns: list[str], where: str | None = None, *, unique: bool = False) -> None:
    condition: dict[str, Any] = {} if where is None else {"postgresql_where": sa.text(where)}
    op.create_index(name, table, columns, unique=unique, schema="ops", **condition)
