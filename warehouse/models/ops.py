"""Schema `ops`: how the hub runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Run(Table, table=True):
    """One execution of a step."""

    __tablename__ = "run"
    __table_args__ = (
        one_of("status", enums.RUN_STATUSES),
        Index("ix_run_command_source_run_id", "command", "source", "run_id"),
        Index(
            "ix_run_unpublished",
            "run_id",
            postgresql_where=text("command = 'sync' AND published_by IS NULL"),
        ),
        Index("ix_run_published_by", "published_by", postgresql_where=text("published_by IS NOT NULL")),
        Index("ix_run_running", "run_id", postgresql_where=text("status = 'running'")),
        Index("ix_run_failed", "started_at", postgresql_where=text("status = 'failed'")),
        {"schema": "ops", "comment": "One execution of a step"},
    )

    run_id: int = column(BigInteger, "Rises with every run", key=True, extra=(Identity(always=True),))
    command: str = column(Text, "The step: sync, standardise, resolve, publish, ...")
    source: str | None = column(Text, "The source that it worked on, if one", null=True)
    status: str = column(Text, "running, done, failed, deferred, stopped or held")
    started_at: datetime = column(_AT, "When it began")
    finished_at: datetime | None = column(_AT, "When it ended; null while running or after a crash", null=True)
    report: dict[str, Any] | None = column(JSONB, "Its report: counts and ids, no client data", null=True)
    published_by: int | None = column(
        BigInteger, "Of a sync: the publication that showed what it landed, or the hold; null: none yet", null=True
    )
    trace_id: str | None = column(Text, "The trace (W3C, 32 hexadecimal digits) that it was part of", null=True)


class Checkpoint(Table, table=True):
    """Where the next sync of a stream resumes."""

    __tablename__ = "checkpoint"
    __table_args__ = (
        {"schema": "ops", "comment": "Where the next sync of a stream resumes; written with the page's rows"},
    )

    source: str = column(Text, "Source", key=True)
    stream: str = column(Text, "Stream", key=True)
    state: dict[str, Any] = column(JSONB, "The connector's own state; only it reads it")
    at: datetime = column(_AT, "When the last page was landed")
    run_id: int = column(BigInteger, "The run that landed it")
    passed_run_id: int | None = column(
        BigInteger, "The last run whose pages are within the limits; null: the first load is not whole yet", null=True
    )


class Reject(Table, table=True):
    """Input that could not be landed or mapped, kept with its bytes."""

    __tablename__ = "reject"
    __table_args__ = (
        one_of("step", ("sync", "standardise")),
        Index("ix_reject_source_stream", "source", "stream"),
        Index("ix_reject_record_id", "record_id", postgresql_where=text("record_id IS NOT NULL")),
        Index("ix_reject_open", "source", "stream", postgresql_where=text("is_open")),
        Index("ix_reject_newest", "source", "first_at", "fingerprint", postgresql_where=text("is_open")),
        {
            "schema": "ops",
            "comment": "Input that could not be landed or mapped, kept with its bytes and its reason",
        },
    )

    fingerprint: UUID = column(Uuid, "BLAKE2b-128 of source, stream, step, place, reason and bytes", key=True)
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str | None = column(Text, "The record's key, if it could be read", null=True)
    record_id: int | None = column(BigInteger, "The record, if its key could be read", null=True)
    step: str = column(Text, "Where it was refused: sync or standardise")
    reason: str = column(Text, "Short code in kebab-case")
    detail: str = column(Text, "One sentence for a data engineer; holds no client data")
    place: str = column(Text, "Where it stands at the source: file and line, page, sheet and cell")
    path: str | None = column(Text, "The field's path in the payload, if one field is to blame", null=True)
    payload: bytes = column(LargeBinary, "The input as it came, byte by byte")
    run_id: int = column(BigInteger, "The run that refused it first")
    first_at: datetime = column(_AT, "When it was refused first")
    is_open: bool = column(Boolean, "Still refused as far as is known", default=text("true"))
    is_retried: bool = column(Boolean, "It was tried again since", default=text("false"))
    closed_at: datetime | None = column(_AT, "When a later version or mapping took it in", null=True)


class Pending(Table, table=True):
    """Work queues of the steps: append-only, without a unique key on the record."""

    __tablename__ = "pending"
    __table_args__ = (
        one_of("step", enums.STEPS),
        {
            "schema": "ops",
            "comment": "Work queues: a step reads rows, and deletes exactly those with its results",
        },
    )

    step: str = column(Text, "The step that has to look at the record", key=True)
    id: int = column(BigInteger, "Rises with every entry", key=True, extra=(Identity(always=True),))
    record_id: int = column(BigInteger, "The record")


class SweepMark(Table, table=True):
    """Which keys a pass over a whole stream has shown so far."""

    __tablename__ = "sweep_mark"
    __table_args__ = (
        Index("ix_sweep_mark_source_stream_pass_id", "source", "stream", "pass_id"),
        {"schema": "ops", "comment": "Records that an unfinished pass over a whole stream has shown so far"},
    )

    id: int = column(BigInteger, "Rises with every page", key=True, extra=(Identity(always=True),))
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    pass_id: str = column(Text, "The pass; stays the same when it is resumed")
    record_ids: list[int] = column(ARRAY(BigInteger), "Records on one page of the pass")
    reject_fingerprints: list[UUID] = column(ARRAY(Uuid), "Rejects on one page of the pass", default=text("'{}'"))


class HubClock(Table, table=True):
    """One row: the last as_of, the last change event, and how many clients there are."""

    __tablename__ = "hub_clock"
    __table_args__ = (
        CheckConstraint("only_row", name="only_row"),
        {
            "schema": "ops",
            "comment": "One row: the last as_of and the last change event, moved under the hub lock only",
        },
    )

    only_row: bool = column(Boolean, "Always true: there is one row", key=True, default=text("true"))
    last_as_of: datetime | None = column(_AT, "The last as_of that was given out", null=True)
    last_event_id: int = column(BigInteger, "The last id of ops.change_event", default=text("0"))
    clients: int | None = column(BigInteger, "How many clients have records; null until a run counted them", null=True)
    feed_floor: int = column(BigInteger, "Change events up to this number are no longer in the feed", default=text("0"))
    scoped_event_id: int | None = column(
        BigInteger, "The change event up to which core.client_scope is kept; null: it is not", null=True
    )
    time_zone: str | None = column(Text, "The time zone in which days begin for the hub; null: UTC", null=True)


class ChangeEvent(Table, table=True):
    """The change feed."""

    __tablename__ = "change_event"
    __table_args__ = (
        one_of("kind", enums.CHANGE_KINDS),
        Index("ix_change_event_client_id", "client_id", postgresql_where=text("client_id IS NOT NULL")),
        {"schema": "ops", "comment": "The change feed; ids are contiguous and in commit order"},
    )

    id: int = column(BigInteger, "Contiguous, allocated under the hub lock", key=True)
    at: datetime = column(_AT, "The as_of of the change")
    kind: str = column(Text, "created, changed, redirected, retired, revived; links, facts: a batch that moved")
    client_id: UUID | None = column(Uuid, "The client; null for a batch of links or facts", null=True)
    payload: dict[str, Any] = column(JSONB, "What changed: fields, target, counts")


class Definition(Table, table=True):
    """Hashes of the SQL definitions that are installed."""

    __tablename__ = "definition"
    __table_args__ = (
        {
            "schema": "ops",
            "comment": "Hashes of things that are installed from files: SQL definitions, mappings",
        },
    )

    kind: str = column(Text, "What it is: sql, mapping, ...", key=True)
    name: str = column(Text, "Its name within the kind", key=True)
    fingerprint: UUID = column(Uuid, "BLAKE2b-128 of the installed text")
    at: datetime = column(_AT, "When it was installed", default=text("now()"))


class SourceToken(Table, table=True):
    """Tokens that sources hand out."""

    __tablename__ = "source_token"
    __table_args__ = ({"schema": "ops", "comment": "Tokens that sources hand out; secret"},)

    source: str = column(Text, "Source", key=True)
    token: dict[str, Any] = column(JSONB, "Access and refresh token, and when it ends")
    saved_at: datetime = column(_AT, "When it was saved", default=text("now()"))


class WriteReceipt(Table, table=True):
    """What was written back to a source, a row for each record and time."""

    __tablename__ = "write_receipt"
    __table_args__ = (
        one_of("status", enums.RECEIPT_STATUSES),
        Index("ix_write_receipt_record_id", "record_id", "receipt_id"),
        Index("ix_write_receipt_source_stream", "source", "stream", "receipt_id"),
        Index("ix_write_receipt_unanswered", "source", postgresql_where=text("status IN ('sent', 'unknown')")),
        {"schema": "ops", "comment": "What was written back to sources: one receipt per record and time"},
    )

    receipt_id: int = column(BigInteger, "Rises with every receipt", key=True, extra=(Identity(always=True),))
    run_id: int = column(BigInteger, "The run that sent it last")
    source: str = column(Text, "Source")
    stream: str = column(Text, "Stream")
    source_key: str = column(Text, "The record's key in its source")
    record_id: int = column(BigInteger, "The record")
    client_id: UUID = column(Uuid, "The client whose values were written")
    golden_seq: int = column(BigInteger, "The version of its golden record: changed_seq of core.client")
    fields: dict[str, Any] = column(JSONB, "Field of the system -> value that was written")
    before: dict[str, Any] = column(JSONB, "Field of the system -> value before, as far as was known")
    payload_hash: UUID = column(Uuid, "BLAKE2b-128 over the written fields")
    plan_hash: UUID = column(Uuid, "BLAKE2b-128 over what was configured to be written")
    idempotence_key: UUID = column(Uuid, "The same whenever this change is sent again")
    status: str = column(Text, "sent, accepted, refused or unknown")
    code: str | None = column(Text, "The source's answer: its code or status", null=True)
    message: str | None = column(Text, "The source's words, without values and secrets", null=True)
    sent_at: datetime = column(_AT, "When it was sent last")
    answered_at: datetime | None = column(_AT, "When the source answered", null=True)
    echoed_at: datetime | None = column(_AT, "When a sync brought back what was written", null=True)
    undoes: int | None = column(BigInteger, "The receipt of the change that this one takes back", null=True)
