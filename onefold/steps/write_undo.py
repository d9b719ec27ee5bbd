"""write_undo: what one run wrote back to a source is taken back, where it still stands there as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from connectors.canonical import decode
from connectors.errors import SourceConfigurationError
from connectors.page import WritesBack, Writing
from connectors.paths import compile_path
from onefold.errors import NothingFound
from onefold.steps.echo import same
from onefold.steps.logged import logged
from onefold.steps.sync import find_source
from onefold.steps.write_plan import Difference, Planned, fingerprint
from onefold.steps.write_send import StreamRun, Tell, Work, carry_out
from warehouse import write_receipts

if TYPE_CHECKING:
    from onefold.context import Context
    from onefold.progress import Stage
    from onefold.steps.report import WriteBackReport
    from warehouse.write_receipts import Written

LAST = "last"
"""The last run that wrote to the source."""


@logged("take_back")
def take_back(
    context: Context,
    source: str,
    run: str,
    streams: Sequence[str] = (),
    *,
    apply: bool = False,
    tell: Tell | None = None,
) -> WriteBackReport:
    """Put back what stood in the fields before a run (its number, or `last`) wrote them; without `apply` only tell.

    Left alone, and told, is what changed since: at the source by people, or by a later run. The stream need not have
    `write_back` any more. With `apply` each field is looked at first where the system can be looked at. Raises
    NothingFound where the run wrote nothing there, and HubBusy.
    """
    configured = find_source(context, source)
    with context.connection(f"onefold write-back {source} --undo") as conn:
        run_id = write_receipts.last_run(conn, source) if run == LAST else int(run) if run.isdecimal() else None
        written = write_receipts.written_streams(conn, source, run_id) if run_id is not None else []
        chosen = [name for name in written if name in configured.streams and (not streams or name in streams)]
        if run_id is None or not chosen:
            what = "Nothing was written" if run == LAST else f"Run {run} wrote nothing"
            raise NothingFound(f"{what} to {', '.join(streams) or source}.", f"`onefold receipts {source}` shows runs.")
        if gone := [name for name in written if name not in configured.streams and not streams]:
            raise NothingFound(
                f"Run {run_id} wrote to {', '.join(gone)} as well, which {source} has no more in config/sources.",
                "Put it back there, or name the streams to take back.",
            )
        return carry_out(
            Work(context, conn, configured, None, tell=tell, undo_of=run_id), chosen, _UndoRun, apply=apply
        )


@dataclass(frozen=True)
class UndoPlan:
    """How the fields of a stream are put back."""

    source: str
    stream: str
    writing: Writing
    undo_of: int

    @property
    def plan_hash(self) -> str:
        """Of no write-back: what was taken back is never taken for settled."""
        return fingerprint(["undo", self.undo_of])

    def look(self, one: Written, there: Mapping[str, Any] | None = None, *, is_gone: bool = False) -> Looked:
        """What of one change is put back, and what is left alone and why. `there`: what stands in the source now."""
        taken, before = decode(one.fields), decode(one.before)
        later = decode(one.later) if one.later else []
        undone = [each for each in later if each["undoes"] == one.receipt_id]
        if any(each["status"] == "accepted" for each in undone):
            return Looked()
        resumed = undone[-1] if undone else None
        fields: dict[str, Any] = {}
        left: dict[str, str] = {}
        now = self._now(one, taken) if there is None else there
        for name, value in taken.items():
            old = before.get(name)
            rewritten = [each["run_id"] for each in later if each["undoes"] is None and name in each["fields"]]
            if one.is_deleted or is_gone:
                left[name] = "gone"
            elif rewritten:
                left[name] = f"written again by run {rewritten[-1]}"
            elif not same(now.get(name), value) and not (resumed and same(now.get(name), old)):
                left[name] = "changed since" if one.status == "accepted" else "unknown whether it arrived"
            elif old is None and not self.writing.can_empty:
                left[name] = "was empty: empty it there"
            else:
                fields[name] = old
        planned = self._planned(one, fields, {name: taken[name] for name in fields}, resumed) if fields else None
        return Looked(planned, left, now, before)

    def _now(self, one: Written, taken: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in the fields as far as is known: as landed, under what was taken since."""
        if one.status == "accepted" and one.echoed_at is None and one.sent_at >= one.landed_at:
            return dict(taken)
        landed = decode(one.payload)
        return {name: compile_path(self.writing.paths[name]).get(landed) for name in taken}

    def _planned(
        self, one: Written, fields: Mapping[str, Any], before: Mapping[str, Any], resumed: Mapping[str, Any] | None
    ) -> Planned:
        key = resumed["idempotence_key"].replace("-", "") if resumed else fingerprint([one.record_id, one.receipt_id])
        receipt = resumed["receipt_id"] if resumed else None
        return Planned(one, fields, before, fingerprint(fields), key, receipt, undoes=one.receipt_id)

    def differences(self, looked: Looked, one: Written) -> Iterator[Difference]:
        """The look at a change as rows for people."""
        record = f"{self.source}:{self.stream}:{one.source_key}"
        for name, value in looked.planned.fields.items() if looked.planned is not None else ():
            yield Difference(record, one.client_id, name, looked.now.get(name), value)
        for name, why in looked.left.items():
            yield Difference(record, one.client_id, name, looked.now.get(name), looked.before.get(name), why)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one change found."""

    planned: Planned | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    """Field -> why it is left alone."""
    now: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)


class _UndoRun(StreamRun):
    """One stream's part of a run that is taken back."""

    def go_through(self, stage: Stage) -> None:
        """Look at every change of the run, and put back in batches what can be."""
        work, undo_of = self.work, self.work.undo_of
        assert undo_of is not None
        source = work.configured.source
        if work.run_id is not None:
            write_receipts.forget_unanswered(work.conn, source, self.name)
        changes = partial(write_receipts.written, work.conn, source, self.name, undo_of)
        fields = sorted({name for one in changes() for name in decode(one.fields)})
        if not fields:  # what was written was erased since
            return
        plan = UndoPlan(source, self.name, self._writing(fields), undo_of)
        # Once more: of a large run not all is held at once. What is written now belongs to another run.
        waiting = changes()
        while batch := list(islice(waiting, plan.writing.batch)):
            self._put_back(plan, batch, stage)

    def _put_back(self, plan: UndoPlan, batch: Sequence[Written], stage: Stage) -> None:
        """One batch. Before it is written the source is asked what stands there, where it can be."""
        there = self._there(plan, batch)
        found = [
            (
                one,
                plan.look(one)
                if there is None
                else plan.look(one, there.get(one.source_key, {}), is_gone=one.source_key not in there),
            )
            for one in batch
        ]
        for one, looked in found:
            notes = list(looked.left.values())
            is_changed = any(note == "changed since" for note in notes)
            self.count(
                records=looked.planned is not None or bool(notes),
                changes=looked.planned is not None,
                changed_back=is_changed,
                left=bool(notes) and not is_changed,
            )
            if self.work.tell is not None:
                for difference in plan.differences(looked, one):
                    self.work.tell(difference)
        self.send(plan, [looked.planned for _, looked in found if looked.planned is not None], stage)

    def _there(self, plan: UndoPlan, batch: Sequence[Written]) -> Mapping[str, Mapping[str, Any]] | None:
        """What stands in the source; None where it is not asked: in a dry run, or where it cannot be."""
        if self.work.run_id is None or not plan.writing.can_look:
            return None
        assert isinstance(self.connector, WritesBack)
        fields = sorted({name for one in batch for name in decode(one.fields)})
        return self.connector.look(self.request, [one.source_key for one in batch], fields)

    def _writing(self, fields: Sequence[str]) -> Writing:
        writing = self.connector.writing(self.request, fields) if isinstance(self.connector, WritesBack) else None
        if writing is None:
            hint = "Its manifest has no `write` for it any more; put it back, or clear the fields there"
            message = "the connector cannot write this stream"
            raise SourceConfigurationError(message, source=self.work.configured.source, stream=self.name, hint=hint)
        return writing
