"""Schema `ops`: whose a review case is, what was done on it, what waits for a second word, what is asked again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Identity, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class CaseDesk(Table, table=True):
    """Whose a case is, and until when it is put aside."""

    __tablename__ = "case_desk"
    __table_args__ = (
        Index("ix_case_desk_assignee", "assignee", postgresql_where=text("assignee IS NOT NULL")),
        {"schema": "ops", "comment": "Whose a review case is, and until when it is put aside"},
    )

    fingerprint: UUID = column(Uuid, "The review case", key=True)
    assignee: str | None = column(Text, "The login of who should look at it; null: nobody in particular", null=True)
    deferred_until: date | None = column(Date, "It comes back on this day; null: it is not put aside", null=True)


class CaseBatch(Table, table=True):
    """Cases that are decided together: by one word for a pattern, or by a workbook."""

    __tablename__ = "case_batch"
    __table_args__ = (
        one_of("kind", enums.CASE_BATCH_KINDS),
        {"schema": "ops", "comment": "Cases that were decided together, each by a judgement of its own"},
    )

    batch_id: UUID = column(Uuid, "Of chance", key=True)
    kind: str = column(Text, "pattern, workbook, undo of either; decision: one that took longer than a moment")
    started_by: str = column(Text, "Who")
    started_at: datetime = column(_AT, "When it began")
    seen_at: datetime = column(_AT, "When it last came on: one that does not is stopped")
    finished_at: datetime | None = column(_AT, "When it was through", null=True)
    total: int = column(Integer, "Cases to decide")
    done: int = column(Integer, "Cases that it has come to", default=text("0"))
    report: dict[str, Any] = column(JSONB, "Outcome -> cases that had it", default=text("'{}'"))


class CaseEvent(Table, table=True):
    """What somebody did on a case; append-only."""

    __tablename__ = "case_event"
    __table_args__ = (
        one_of("action", enums.CASE_ACTIONS),
        Index("ix_case_event_fingerprint", "fingerprint", "event_id"),
        Index("ix_case_event_judgement_id", "judgement_id", postgresql_where=text("judgement_id IS NOT NULL")),
        Index("ix_case_event_batch_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        Index("ix_case_event_undo", "fingerprint", postgresql_where=text("action = 'proposed' AND verdict = 'undo'")),
        {"schema": "ops", "comment": "What was done on review cases, and by whom; append-only"},
    )

    event_id: int = column(BigInteger, "Rises with every event", key=True, extra=(Identity(always=True),))
    fingerprint: UUID = column(Uuid, "The review case")
    action: str = column(Text, "assigned, deferred, comment, proposed, confirmed, refused, decided or undone")
    done_by: str = column(Text, "Who did it")
    at: datetime = column(_AT, "When")
    assignee: str | None = column(Text, "Of assigned: the login of whose it is now; null: nobody's", null=True)
    until: date | None = column(Date, "Of deferred: the day on which it comes back; null: at once", null=True)
    verdict: str | None = column(
        Text,
        "Of proposed, confirmed, refused: same, not_same, related, cannot_tell, or undo, to take the judgement back; "
        "of decided: one of these four, or split, move, pin, still_the_same, somebody_else",
        null=True,
    )
    judgement_id: int | None = column(
        BigInteger, "Of decided and undone, and of an undo that is proposed or refused: the judgement", null=True
    )
    batch_id: UUID | None = column(
        Uuid, "Cases that were decided together", null=True, extra=(ForeignKey("ops.case_batch.batch_id"),)
    )
    note: str | None = column(Text, "In the words of who did it", null=True)


class CaseProposal(Table, table=True):
    """A decision that waits for a second person."""

    __tablename__ = "case_proposal"
    __table_args__ = (
        one_of("verdict", enums.CASE_VERDICTS),
        one_of("state", enums.PROPOSAL_STATES),
        Index("uq_case_proposal_open", "fingerprint", unique=True, postgresql_where=text("state = 'open'")),
        {"schema": "ops", "comment": "Decisions that wait for a second person, and what became of them"},
    )

    proposal_id: int = column(BigInteger, "Rises with every proposal", key=True, extra=(Identity(always=True),))
    fingerprint: UUID = column(Uuid, "The review case")
    verdict: str = column(Text, "same, not_same, related, cannot_tell")
    left_ids: list[int] = column(ARRAY(BigInteger), "Records on the one side")
    right_ids: list[int] = column(ARRAY(BigInteger), "Records on the other side")
    relationship: str | None = column(Text, "For related: branch_of, household, namesake, ...", null=True)
    reason: str | None = column(Text, "Why, in the words of who proposes it", null=True)
    seen: dict[str, Any] = column(JSONB, "client_id -> changed_seq as it was seen")
    proposed_by: str = column(Text, "Who proposes it")
    proposed_at: datetime = column(_AT, "When")
    state: str = column(Text, "open, confirmed, refused or stale", default=text("'open'"))
    answered_by: str | None = column(Text, "Who confirmed or refused it: never who proposed it", null=True)
    answered_at: datetime | None = column(_AT, "When", null=True)


class CaseRepeat(Table, table=True):
    """A decided case that is asked once more, without saying so."""

    __tablename__ = "case_repeat"
    __table_args__ = (
        one_of("verdict", enums.CASE_VERDICTS),
        one_of("second_verdict", enums.CASE_VERDICTS),
        Index("ix_case_repeat_waiting", "due_at", postgresql_where=text("second_verdict IS NULL")),
        Index("ix_case_repeat_fingerprint", "fingerprint"),
        {"schema": "ops", "comment": "Decided cases that are asked once more, and what was said then"},
    )

    repeat_id: int = column(BigInteger, "Rises with every repeat", key=True, extra=(Identity(always=True),))
    fingerprint: UUID = column(Uuid, "The review case")
    judgement_id: int = column(BigInteger, "What was said first")
    verdict: str = column(Text, "The first answer")
    decided_by: str = column(Text, "Who gave it")
    due_at: datetime = column(_AT, "When who gave it may be asked again; others at once")
    seen: dict[str, Any] = column(JSONB, "record_id -> client_id when it was asked first")
    second_verdict: str | None = column(Text, "The second answer; null: it waits", null=True)
    answered_by: str | None = column(Text, "Who gave that", null=True)
    answered_at: datetime | None = column(_AT, "When", null=True)
