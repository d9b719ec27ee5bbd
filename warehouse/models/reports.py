"""Schema `ops`: what the reports say that are too dear to be worked out whenever somebody looks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)
_NONE = text("0")


class RegisterOverlap(Table, table=True):
    """How many clients two registers have in common, week by week."""

    __tablename__ = "register_overlap"
    __table_args__ = (
        CheckConstraint('register_a < register_b COLLATE "C"', name="order"),
        {"schema": "ops", "comment": "How many clients each pair of registers has in common, week by week"},
    )

    week_on: date = column(Date, "Monday of the week (UTC) in which it was counted", key=True)
    register_a: str = column(Text, "The one source; bytewise before the other", key=True)
    register_b: str = column(Text, "The other source", key=True)
    only_a: int = column(BigInteger, "Clients and prospects with records in the one only")
    only_b: int = column(BigInteger, "Clients and prospects with records in the other only")
    in_both: int = column(BigInteger, "Clients and prospects with records in both")
    in_conflict: int = column(BigInteger, "Of those: the two have no value in common for some golden attribute")
    taken_at: datetime = column(_AT, "When it was counted")
    changed_seq: int = column(BigInteger, "The last change event by then")


class RegisterCombination(Table, table=True):
    """How many clients stand in exactly these registers, week by week."""

    __tablename__ = "register_combination"
    __table_args__ = ({"schema": "ops", "comment": "How many clients stand in exactly these registers, week by week"},)

    week_on: date = column(Date, "Monday of the week (UTC) in which it was counted", key=True)
    registers: list[str] = column(ARRAY(Text), "The sources, bytewise", key=True)
    clients: int = column(BigInteger, "Clients and prospects with records in all of these and in no other")
    taken_at: datetime = column(_AT, "When it was counted")
    changed_seq: int = column(BigInteger, "The last change event by then")
    examples: list[UUID] | None = column(
        ARRAY(Uuid),
        "Up to 50 of these clients, the first by number; null: counted by a version that kept none",
        null=True,
    )


class Reconciliation(Table, table=True):
    """Rows and control sums of one stream from the source to what is served, as one reconciliation found them."""

    __tablename__ = "reconciliation"
    __table_args__ = ({"schema": "ops", "comment": "Rows and control sums of each stream, stage by stage"},)

    run_id: int = column(BigInteger, "The reconciliation: a run of its own in ops.run", key=True)
    source: str = column(Text, "Source", key=True)
    stream: str = column(Text, "Stream", key=True)
    sync_run_id: int | None = column(BigInteger, "The source's last finished sync by then", null=True)
    not_landed: int = column(BigInteger, "Open rejects of the sync: input that never became a record", default=_NONE)
    suppressed: int = column(BigInteger, "Of those: input about persons who were erased", default=_NONE)
    raw_rows: int = column(BigInteger, "Records of the source, tombstones included", default=_NONE)
    tombstones: int = column(BigInteger, "Records that the source no longer has", default=_NONE)
    left_out: int = column(BigInteger, "Records that the mapping leaves out, or does not look at", default=_NONE)
    rejected: int = column(BigInteger, "Records that could not be mapped", default=_NONE)
    waiting: int = column(BigInteger, "Records that still wait to be standardised", default=_NONE)
    leaving: int = column(BigInteger, "Standard records whose end waits to be standardised", default=_NONE)
    made: int = column(BigInteger, "Standard records without one of the source: parts of cards, former", default=_NONE)
    standard_rows: int = column(BigInteger, "Standard records, interactions or relationships", default=_NONE)
    unexplained: int = column(BigInteger, "Records lost or added without any of these reasons", default=_NONE)
    linked_rows: int = column(BigInteger, "Of the standard ones: those that belong to a client", default=_NONE)
    open_references: int = column(BigInteger, "Facts about a record that has not come", default=_NONE)
    without_party: int = column(BigInteger, "Facts that name no record", default=_NONE)
    unlinked: int = column(BigInteger, "Standard records that wait for their client", default=_NONE)
    served_rows: int = column(BigInteger, "Rows of the served views", default=_NONE)
    unserved: int = column(BigInteger, "Standard or linked rows that the served views lack", default=_NONE)
    raw_amount: Decimal | None = column(Numeric, "Amounts as the records of the source say them, added up", null=True)
    waiting_amount: Decimal | None = column(Numeric, "Of that what the standard form has not seen yet", null=True)
    standard_amount: Decimal | None = column(Numeric, "Amounts of the interactions, added up", null=True)
    linked_amount: Decimal | None = column(Numeric, "Of those: of interactions with a client", null=True)
    served_amount: Decimal | None = column(Numeric, "Amounts of fct_interaction, added up", null=True)
    taken_at: datetime = column(_AT, "When it was counted")
    changed_seq: int = column(BigInteger, "The last change event by then")


class ReconciliationRow(Table, table=True):
    """The rows behind what the last reconciliation counted, but for tombstones: those stand in raw.record."""

    __tablename__ = "reconciliation_row"
    __table_args__ = (
        one_of("reason", enums.RECONCILIATION_REASONS),
        {"schema": "ops", "comment": "The rows behind the differences of the last reconciliation"},
    )

    record_id: int = column(BigInteger, "The record", key=True)
    reason: str = column(Text, "Why it is not where the others are", key=True)
    run_id: int = column(BigInteger, "The reconciliation")
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    raw_amount: Decimal | None = column(Numeric, "The amount as the source says it", null=True)
    standard_amount: Decimal | None = column(Numeric, "The amount as it is served", null=True)
