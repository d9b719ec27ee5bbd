"""write_back: what the hub knows of a client, into the fields that it owns in the source systems.

A run without `apply` writes nothing anywhere and tells each difference. With it every change has a receipt, committed
before it is sent: a killed run is followed by one that looks what arrived, and sends the rest by the same keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from connectors.canonical import canonical
from connectors.errors import ConnectorError
from connectors.page import Change, Receipt, StreamRequest, TellsWaits, WritesBack
from onefold.configuration.errors import SecretMissing
from onefold.errors import NothingFound, UsageError
from onefold.steps.echo import same
from onefold.steps.report import WriteBackReport, WriteStreamReport
from onefold.steps.sync import failure, fault, find_source, open_source, source_lock, stream_request
from onefold.steps.write_plan import Difference, Plan, Planned, make_plan
from warehouse import runs, write_receipts
from warehouse.write_receipts import NOTHING_SETTLED, Answered, NewReceipt

if TYPE_CHECKING:
    from connectors.page import Connector
    from onefold.configuration import SourceConfiguration
    from onefold.context import Context
    from onefold.progress import Stage

Tell = Callable[[Difference], None]


def write_back(
    context: Context,
    source: str,
    streams: Sequence[str] = (),
    *,
    apply: bool = False,
    limit: int | None = None,
    again: bool = False,
    tell: Tell | None = None,
) -> WriteBackReport:
    """Compare the clients with the records of `source`, and with `apply` write what differs.

    `limit` bounds the records that are written (or shown); `again` takes also what the source refused before, and what
    somebody changed back there. `tell` hears every difference. A stream that fails is reported and leaves its
    neighbours alone. Raises NothingFound, UsageError where `apply` meets a stream that is not switched on, and HubBusy.
    """
    configured = find_source(context, source)
    chosen = _chosen(configured, streams, apply=apply)
    started = time.perf_counter()
    with context.connection(f"onefold write-back {source}") as conn:
        if not apply:
            work = Work(context, conn, configured, None, limit, again, tell)
            reports = _streams(work, chosen)
            return WriteBackReport(source, None, round(time.perf_counter() - started, 3), tuple(reports))
        with source_lock(conn, source):
            runs.stop_abandoned(conn, command="write_back", source=source, at=context.clock())
            run_id = runs.start_run(conn, command="write_back", source=source, at=context.clock())
            reports = _streams(Work(context, conn, configured, run_id, limit, again, tell), chosen)
            report = WriteBackReport(source, run_id, round(time.perf_counter() - started, 3), tuple(reports))
            runs.finish_run(conn, run_id, status=report.status, report=report.as_dict(), at=context.clock())
    return report


def _chosen(configured: SourceConfiguration, streams: Sequence[str], *, apply: bool) -> list[str]:
    """The streams that are written back, with `apply` those that are switched on; those that are asked for must be."""
    name = configured.source
    unknown = sorted(set(streams) - set(configured.streams))
    if unknown:
        known = ", ".join(configured.streams)
        raise NothingFound(f"{name} has no stream {', '.join(unknown)}.", f"It has: {known}.")
    rules = {stream: one.write_back for stream, one in configured.streams.items() if one.write_back is not None}
    missing = [stream for stream in streams if stream not in rules]
    if missing or not rules:
        what = f"{', '.join(missing)} of {name}" if missing else f"No stream of {name}"
        raise NothingFound(f"{what} has no `write_back`.", "Add it to the stream in config/sources.")
    chosen = [stream for stream in rules if not streams or stream in streams]
    off = [stream for stream in chosen if not rules[stream].enabled]
    if apply and not streams and len(off) < len(chosen):
        return [stream for stream in chosen if stream not in off]
    if apply and off:
        hint = "Look at the differences without --apply, then say `enabled: true` there."
        raise UsageError(f"`write_back` of {name}:{', '.join(off)} is not switched on.", hint)
    return chosen


@dataclass(frozen=True)
class Work:
    """One run of one source: what its streams have in common. Without `run_id` nothing is written."""

    context: Context
    conn: psycopg.Connection[Any]
    configured: SourceConfiguration
    run_id: int | None
    limit: int | None
    again: bool
    tell: Tell | None


def _streams(work: Work, chosen: Sequence[str]) -> list[WriteStreamReport]:
    source = work.configured.source
    try:
        with open_source(work.context, work.configured) as connector:
            reports: list[WriteStreamReport] = []
            for name in chosen:
                left = None if work.limit is None else work.limit - sum(one.changes for one in reports)
                reports.append(_StreamRun(replace(work, limit=left), connector, name).done())
            return reports
    except (ConnectorError, SecretMissing) as error:  # the source as a whole could not be opened
        return [WriteStreamReport(stream=name, **failure(source, error)) for name in chosen]


class _StreamRun:
    """One stream's write-back."""

    def __init__(self, work: Work, connector: Connector, name: str) -> None:
        self.work, self.connector, self.name = work, connector, name
        self.place = f"{work.configured.source}:{name}"
        self.request: StreamRequest = stream_request(work.context, work.configured, name)
        self.report = WriteStreamReport(stream=name)

    def done(self) -> WriteStreamReport:
        """Look at all records, and send what differs in batches."""
        work = self.work
        with work.context.progress.stage(f"{self.place} write-back") as stage:
            if isinstance(self.connector, TellsWaits):
                self.connector.tell_waits(lambda seconds, why: stage.note(f"waits {seconds:.0f} s: {why}"))
            try:
                stream = work.configured.streams[self.name]
                plan = make_plan(self.connector, self.request, stream, work.configured.source, again=work.again)
                if work.limit is not None and work.limit <= 0:
                    return self.report
                if work.run_id is not None:
                    write_receipts.forget_unanswered(work.conn, work.configured.source, self.name)
                self._go_through(plan, stage)
            except ConnectorError as error:
                return replace(self.report, **failure(self.place, error))
            except psycopg.Error:
                raise  # the hub's database itself, not this stream
            except Exception as error:  # a connector of somebody else's must not end its neighbours' run
                return replace(self.report, **fault(self.place, error))
        return self.report

    def _go_through(self, plan: Plan, stage: Stage) -> None:
        work, waiting = self.work, list[Planned]()
        # What was left alone is looked at again where it is asked for, settled or not.
        settled = NOTHING_SETTLED if plan.again else plan.plan_hash
        for candidate in write_receipts.candidates(work.conn, plan.source, plan.stream, settled):
            looked = plan.look(candidate)
            self._count(
                records=1,
                changes=looked.planned is not None,
                changed_back=looked.overruled,
                refused_before=looked.refused,
            )
            if work.tell is not None:
                for difference in plan.differences(looked, candidate):
                    work.tell(difference)
            if looked.planned is not None:
                waiting.append(looked.planned)
            is_enough = work.limit is not None and self.report.changes >= work.limit
            if len(waiting) >= plan.writing.batch or is_enough:
                self._send(plan, waiting, stage)
                waiting = []
            if is_enough:
                return
        self._send(plan, waiting, stage)

    def _send(self, plan: Plan, batch: Sequence[Planned], stage: Stage) -> None:
        """One batch: note it, send it, note what the source said."""
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
            self._count(accepted=len(arrived), unknown=len(unknown))
            raise
        for receipt_id, change in zip(ids, changes, strict=True):
            receipt = said.get(change.key) or Receipt(change.key, "unknown", None, "the connector gave no receipt")
            answers.append(Answered(receipt_id, receipt.status, receipt.code, receipt.message))
        write_receipts.answer(work.conn, answers, now=work.context.clock())
        for status in ("accepted", "refused", "unknown"):
            self._count(**{status: sum(one.status == status for one in answers)})
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

    def _count(self, **more: int) -> None:
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
    )
