"""write_back: what the hub knows of a client, into the fields that it owns in the source systems.

A run without `apply` writes nothing anywhere and tells each difference. `write_undo` takes a run back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from onefold.errors import NothingFound, UsageError
from onefold.steps import write_news
from onefold.steps.logged import logged
from onefold.steps.sync import find_source
from onefold.steps.write_plan import Planned, make_plan
from onefold.steps.write_send import StreamRun, Tell, Work, carry_out
from warehouse import write_receipts
from warehouse.write_receipts import NOTHING_SETTLED

if TYPE_CHECKING:
    from onefold.configuration import SourceConfiguration
    from onefold.context import Context
    from onefold.progress import Stage
    from onefold.steps.report import WriteBackReport


@logged("write_back")
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
    with context.connection(f"onefold write-back {source}") as conn:
        return carry_out(Work(context, conn, configured, None, limit, again, tell), chosen, _BackRun, apply=apply)


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


class _BackRun(StreamRun):
    """One stream's write-back."""

    def go_through(self, stage: Stage) -> None:
        """Look at all records with a client, and send what differs in batches."""
        work, waiting = self.work, list[Planned]()
        stream = work.configured.streams[self.name]
        plan = make_plan(self.connector, self.request, stream, work.configured.source, again=work.again)
        if work.limit is not None and work.limit <= 0:
            return
        if work.run_id is not None:
            write_receipts.forget_unanswered(work.conn, work.configured.source, self.name)
        # What was left alone is looked at again where it is asked for, settled or not.
        settled = NOTHING_SETTLED if plan.again or plan.is_derived else plan.plan_hash
        mark = write_news.now(work.context, work.conn, plan) if plan.is_derived and work.run_id is not None else None
        among = None if mark is None or plan.again else write_news.records(work.conn, plan, mark)
        for candidate in write_receipts.candidates(
            work.conn, plan.source, plan.stream, settled, derived=plan.is_derived, among=among
        ):
            looked = plan.look(candidate)
            self.count(
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
                self.send(plan, waiting, stage)
                waiting = []
            if is_enough:
                return
        self.send(plan, waiting, stage)
        # What no answer came to is looked at again.
        if mark is not None and not self.report.unknown:
            write_news.keep(work.conn, plan, mark)
