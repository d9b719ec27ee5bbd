"""Decisions of which somebody wants that they are taken back are found without going through all that was done.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_VERDICT = (
    "Of proposed, confirmed, refused: same, not_same, related, cannot_tell, or undo, to take the judgement back; "
    "of decided: one of these four, or split, move, pin, still_the_same, somebody_else"
)
_JUDGEMENT = "Of decided and undone, and of an undo that is proposed or refused: the judgement"


def upgrade() -> None:
    """An index, and what two columns mean."""
    where = sa.text("action = 'proposed' AND verdict = 'undo'")
    op.create_index("ix_case_event_undo", "case_event", ["fingerprint"], schema="ops", postgresql_where=where)
    _comments(_VERDICT, _JUDGEMENT)


def downgrade() -> None:
    """As it was."""
    _comments("Of proposed and decided: same, not_same, related, cannot_tell", "Of decided and undone: the judgement")
    op.drop_index("ix_case_event_undo", "case_event", schema="ops")


def _comments(verdict: str, judgement: str) -> None:
    op.alter_column("case_event", "verdict", schema="ops", comment=verdict)
    op.alter_column("case_event", "judgement_id", schema="ops", comment=judgement)
