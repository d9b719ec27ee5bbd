"""plan and apply: what the configuration as it stands would do to the stored data, tried on a copy; and doing it.

The same steps run on a copy of the hub as would run on the hub itself, so that the plan is what happens, to the record.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from onefold.errors import HubBusy, OnefoldError
from onefold.progress import megabytes
from onefold.steps.expectations import check
from onefold.steps.idle import idle_publish, idle_resolve, idle_standardise
from onefold.steps.logged import logged
from onefold.steps.report import PlanReport
from warehouse import plan as counted
from warehouse import queue, runs
from warehouse.backup.copying import copied

if TYPE_CHECKING:
    from onefold.context import Context


_STEPS = ("standardise", "in_common", "resolve", "publish", "documents")


class NotApplied(OnefoldError):
    """Expectations would not hold; nothing was done."""


@logged("plan")
def plan(context: Context) -> PlanReport:
    """What standardise, resolve and publish would do now with the edited configuration. Nothing of the hub is written.

    Needs room for a second hub while it works, and a user who may create databases (the embedded server's may). Raises
    HubBusy while another plan is made.
    """
    started = time.perf_counter()
    with ExitStack() as stack:
        conn = stack.enter_context(context.connection("onefold plan"))
        if not runs.try_plan_lock(conn):
            raise HubBusy("Another plan of this hub is being made.", "Wait for it.")
        waiting = {step: count for step in _STEPS if (count := queue.size(conn, step))}
        steps = (idle_standardise, idle_resolve, idle_publish)
        if not waiting and all(step(context, conn) is not None for step in steps):
            return PlanReport(round(time.perf_counter() - started, 3), waiting, check=check(context, conn))
        context.settings.home.mkdir(parents=True, exist_ok=True)
        with context.progress.stage("copy the hub, MiB") as stage:
            copy = copied(context.database_url, context.settings.home, now=context.clock(), advance=megabytes(stage))
            url = stack.enter_context(copy)
        return _tried(replace(context, database_url=url), waiting, started)


def _tried(context: Context, waiting: dict[str, int], started: float) -> PlanReport:
    """The steps on the copy, and what they changed."""
    from onefold.steps.publish import publish
    from onefold.steps.resolve import resolve
    from onefold.steps.standardise import standardise

    with context.connection("onefold plan") as conn:
        counted.keep_before(conn)
        standardise(context)
        resolve(context, limited=False)
        publish(context, is_read=False, limited=False)
        clients_before, clients_after, links_moved = counted.clients(conn)
        (merged, largest_merged), (split, largest_split) = counted.regrouped(conn)
        values, examples = counted.values(conn)
        opened, closed = counted.cases(conn)
        return PlanReport(
            seconds=round(time.perf_counter() - started, 3),
            waiting=waiting,
            remapped=tuple(counted.remapped(conn)),
            clients_before=clients_before,
            clients_after=clients_after,
            links_moved=links_moved,
            merged=merged,
            split=split,
            largest_merged=tuple(one._asdict() for one in largest_merged),
            largest_split=tuple(one._asdict() for one in largest_split),
            values=tuple(values),
            examples=tuple(examples),
            cases_opened=opened,
            cases_closed=closed,
            check=check(context, conn),
        )


@logged("apply")
def apply(context: Context, *, by: str, force: bool = False) -> PlanReport:
    """Plan, and then do it on the hub, whatever the change limits say: who applies has seen it. Raises NotApplied where
    the plan misses an expectation, unless `force`."""
    from onefold.steps.hold import take_rules

    started = time.perf_counter()
    planned = plan(context)
    if planned.check.misses and not force:
        first = planned.check.misses[0]
        count = len(planned.check.misses)
        of = planned.check.checked
        raise NotApplied(
            f"{count} of {of} expectations would not hold; nothing was done. The first: {first.place}: {first.message}",
            "See all with `onefold plan`; apply in spite of them with --force.",
        )
    take_rules(context, by=by)
    return replace(planned, seconds=round(time.perf_counter() - started, 3))
