"""run: every source, then standardise, resolve and publish once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from onefold.errors import HubBusy
from onefold.logs import carried
from onefold.steps.logged import logged
from onefold.steps.report import PublishReport, ResolveReport, RunReport, StandardiseReport, StreamReport, SyncReport
from onefold.steps.schedule import enabled_sources
from onefold.steps.sync import find_source, sync
from warehouse import queue

if TYPE_CHECKING:
    from onefold.context import Context


FOLLOWED = 60_000
"""Records that wait from which they are standardised while the sources are still read."""
LOOK = 0.5
"""Seconds after which is looked how many wait."""


class _Abandoned(Exception):
    """The sync ended with an error that ends the run."""


@logged("run")
def run(context: Context, sources: Sequence[str] | None = None, *, full: bool = False) -> RunReport:
    """Sync `sources` (default: all), then bring the client view up to date.

    A source that fails or is busy is reported; the others and the later steps go on with what has landed. Where much
    comes in it is standardised meanwhile.
    """
    started = time.perf_counter()
    names = enabled_sources(context) if sources is None else [find_source(context, name).source for name in sources]
    syncs, meanwhile = _sync_followed(context, names, full=full)
    standardised, resolved, published = bring_up_to_date(context, meanwhile)
    return RunReport(round(time.perf_counter() - started, 3), syncs, standardised, resolved, published)


def _sync_followed(
    context: Context, names: Sequence[str], *, full: bool
) -> tuple[tuple[SyncReport, ...], StandardiseReport | None]:
    """The sources one after the other; what the step after them has done meanwhile, if it had to begin."""
    done, abandoned = Event(), Event()
    with ThreadPoolExecutor(1, thread_name_prefix="standardise") as pool:
        following = pool.submit(carried(_follow), context, done, abandoned)
        try:
            syncs = tuple(sync_or_say(context, name, full=full) for name in names)
        except BaseException:
            abandoned.set()
            raise
        finally:
            done.set()
        return syncs, following.result()


def _follow(context: Context, done: Event, abandoned: Event) -> StandardiseReport | None:
    """Standardise what lands until the sync is `done`, from when much waits; None: it never did."""
    if done.wait(LOOK):
        return None
    with context.connection("onefold run, following") as conn:
        while queue.size(conn, "standardise") < FOLLOWED:
            if done.wait(LOOK):
                return None
    from onefold.steps.standardise import standardise

    def more() -> bool:
        if abandoned.is_set():
            raise _Abandoned
        return not done.is_set()

    return standardise(context, more)


def bring_up_to_date(
    context: Context, standardised: StandardiseReport | None = None
) -> tuple[StandardiseReport, ResolveReport, PublishReport]:
    """Standardise (unless it is done), resolve and publish. A step is loaded only when it has something to do."""
    from onefold.steps.idle import idle_publish, idle_resolve, idle_standardise

    with context.connection("onefold run") as conn:
        standardised = standardised or idle_standardise(context, conn)
        if standardised is None:
            from onefold.steps.standardise import standardise

            standardised = standardise(context)
        resolved = idle_resolve(context, conn)
        if resolved is None:
            from onefold.steps.resolve import resolve

            resolved = resolve(context)
        published = None if resolved.held else idle_publish(context, conn)
        if resolved.held is not None and resolved.held.cause == "rules":
            published = PublishReport(None, 0.0)
        if published is None:
            from onefold.steps.publish import publish

            published = publish(context)
    return standardised, resolved, published


def sync_or_say(context: Context, source: str, *, full: bool) -> SyncReport:
    """A source that another process is syncing is no failure of the hub: it is deferred."""
    try:
        return sync(context, source, full=full)
    except HubBusy as error:
        streams = find_source(context, source).streams
        waiting = tuple(
            StreamReport(stream=name, status="deferred", error=str(error), error_class="HubBusy") for name in streams
        )
        return SyncReport(source, 0, 0.0, waiting)
