"""How changes reach a source: batch by batch, each with a receipt that is committed before it is sent.

A killed run is followed by one that looks what arrived, and sends the rest by the same keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from connectors.canonical import canonical
from connectors.errors import ConnectorError
from connectors.page import Change, Receipt, StreamRequest, TellsWaits, WritesBack, Writing
from onefold.configuration.errors import SecretMissing
from onefold.steps.echo import same
from onefold.steps.logged import start_run
from onefold.steps.report import WriteBackReport, WriteStreamReport
from onefold.steps.sync import failure, fault, open_source, source_lock, stream_request
from warehouse import runs, write_receipts
from warehouse.write_receipts import Answered, NewReceipt

if TYPE_CHECKING:
    from connectors.page import Connector
    from onefold.configuration import SourceConfiguration
    from onefold.context import Context
    from onefold.progress import Stage
    from onefold.steps.write_plan import Difference, Planned

Tell = Callable[["Difference"], None]


@dataclass(frozen=True)
class Work:
    """One run of one source: what its streams have in common. Without `run_id` nothing is written."""

    context: Context
    conn: psycopg.Connection[Any]
    configured: SourceConfiguration
    run_id: int | None
    limit: int | None = None
    again: bool = False
    tell: Tell | None = None
    undo_of: int | None = None
    """The run that is taken back."""


class Plan(Protocol):
    """What is written to one stream."""

    @property
    def source(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def writing(self) -> Writing: ...
    @property
    def plan_hash(self) -> str: ...


def carry_out(work: Work, streams: Sequence[str], kind: type[StreamRun], *, apply: bool) -> WriteBackReport:
    """Every stream in turn, with `apply` under the source's lock and in the run log. Raises HubBusy."""
    source, started = work.configured.source, time.perf_counter()

    def report(run: Work) -> WriteBackReport:
        reports = tuple(_streams(run, streams, kind))
        return WriteBackReport(source, run.run_id, round(time.perf_counter() - started, 3), reports, run.undo_of)

    if not apply:
        return report(work)
    with source_lock(work.conn, source):
        clock = work.context.clock
        run_id = start_run(work.context, work.conn, "write_back", source)
        done = report(replace(work, run_id=run_id))
        runs.finish_run(work.conn, run_id, status=done.status, report=done.as_dict(), at=clock())
    return done


def _streams(work: Work, chosen: Sequence[str], kind: type[StreamRun]) -> list[WriteStreamReport]:
    source = work.configured.source
    try:
        with open_source(work.context, work.configured) as connector:
            reports: list[WriteStreamReport] = []
            for name in chosen:
                left = None if work.limit is None else work.limit - sum(one.changes for one in reports)
                reports.append(kind(replace(work, limit=left), connector, name).done())
            return reports
    except (ConnectorError, SecretMissing) as error:  # the source as a whole could not be opened
        return [WriteStreamReport(stream=name, **failure(source, error)) for name in chosen]


class StreamRun:
    """One stream's run; a subclass says what is written."""

    def __init__(self, work: Work, connector: Connector, name: str) -> None:
        self.work, self.connector, self.name = work, connector, name
        self.place = f"{work.configured.source}:{name}"
        self.request: StreamRequest = stream_request(work.context, work.configured, name)
        self.report = WriteStreamReport(stream=name)

    def go_through(self, stage: Stage) -> None:
        """Look at all records, and `send` what is to be written."""
        raise NotImplementedError

    def done(self) -> WriteStreamReport:
        """Go through the stream; an error of its own ends it and leaves its neighbours alone."""
        work = self.work
        with work.context.progress.stage(f"{self.place} write-back") as stage:
            if isinstance(self.connector, TellsWaits):
                self.connector.tell_waits(lambda seconds, why: stage.note(f"waits {seconds:.0f} s: {why}"))
            try:
                self.go_through(stage)
            except ConnectorError as error:
                return replace(self.report, **failure(self.place, error))
            except psycopg.Error:
                raise  # the hub's database itself, not this stream
            except Exception as error:  # a connector of somebody else's must not end its neighbours' run
                return replace(self.report, **fault(self.place, error))
        return self.report

    def send(self, plan: Plan, batch: Sequence[Planned], stage: Stage) -> None:
        """One batch: note it, send it, note what the source said. Without a run nothing is done."""
        work = self.work
        if work.run_id is None or not batch:
            return
        assert isinstance(self.connector, WritesBack)
        arrived = self._arrived(plan, [one for one in batch if one.resumed is not None])
        left = [one for one in batch if one.resumed not in arrived]
        ids = self._begin(plan, left)
        answers = [Answered(receipt_id, "accepted", "seen", None) for receipt_id in arrived]
        changes = [Change(one.candidate.source_key, one.fields, one.idempotence_key) for one in left]
        try:
            said = {one.key: one for one in self.connector.write(self.request, changes)} if changes else {}
        except ConnectorError as error:
            unknown = [Answered(receipt_id, "unknown", type(error).__name__, None) for receipt_id in ids]
            write_receipts.answer(work.conn, [*answers, *unknown], now=work.context.clock())
            self.count(accepted=len(arrived), unknown=len(unknown))
            raise
        for receipt_id, change in zip(ids, changes, strict=True):
            receipt = said.get(change.key) or Receipt(change.key, "unknown", None, "the connector gave no receipt")
            answers.append(Answered(receipt_id, receipt.status, receipt.code, receipt.message))
        write_receipts.answer(work.conn, answers, now=work.context.clock())
        for status in ("accepted", "refused", "unknown"):
            self.count(**{status: sum(one.status == status for one in answers)})
        stage.advance(len(batch))

    def _arrived(self, plan: Plan, resumed: Sequence[Planned]) -> set[int]:
        """Receipts of changes without an answer that the source shows to have taken."""
        if not resumed or not plan.writing.can_look:
            return set()
        assert isinstance(self.connector, WritesBack)
        keys = [one.candidate.source_key for one in resumed]
        fields = sorted({name for one in resumed for name in one.fields})
        there = self.connector.look(self.request, keys, fields)
        return {
            one.resumed
            for one in resumed
            if one.resumed is not None
            and (now := there.get(one.candidate.source_key)) is not None
            and all(same(now[name], value) for name, value in one.fields.items())
        }

    def _begin(self, plan: Plan, batch: Sequence[Planned]) -> list[int]:
        """The receipts of a batch, in its order: new ones, and those that are sent again."""
        work, run_id = self.work, self.work.run_id
        assert run_id is not None
        told: dict[str, Any] = {"run_id": run_id, "plan_hash": plan.plan_hash, "now": work.context.clock()}
        new = [one for one in batch if one.resumed is None]
        with work.conn.transaction():
            if again := {one.resumed: one.candidate.golden_seq for one in batch if one.resumed is not None}:
                write_receipts.begin_again(work.conn, again, **told)
            rows = [_receipt(one) for one in new]
            ids = iter(
                write_receipts.begin(work.conn, rows, source=plan.source, stream=plan.stream, **told) if rows else ()
            )
        return [next(ids) if one.resumed is None else one.resumed for one in batch]

    def count(self, **more: int) -> None:
        """Add to the report's counts."""
        counted = {name: getattr(self.report, name) + int(value) for name, value in more.items()}
        self.report = replace(self.report, **counted)


def _receipt(planned: Planned) -> NewReceipt:
    one = planned.candidate
    fields, before = canonical(planned.fields).decode(), canonical(planned.before).decode()
    return NewReceipt(
        one.source_key,
        one.record_id,
        one.client_id,
        one.golden_seq,
        fields,
        before,
        planned.payload_hash,
        planned.idempotence_key,
        planned.undoes,
    )
