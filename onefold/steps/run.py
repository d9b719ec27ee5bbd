"""run: every source, then standardise, resolve and publish once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onefold.errors import HubBusy
from onefold.steps.report import RunReport, StreamReport, SyncReport
from onefold.steps.sync import find_source, sync

if TYPE_CHECKING:
    from onefold.context import Context


def run(context: Context, sources: Sequence[str] = (), *, full: bool = False) -> RunReport:
    """Sync `sources` (default: all), then bring the client view up to date.

    A source that fails or is busy is reported; the others and the later steps go on with what has landed.
    """
    from onefold.steps.publish import publish
    from onefold.steps.resolve import resolve
    from onefold.steps.standardise import standardise

    started = time.perf_counter()
    names = [find_source(context, name).source for name in sources] or list(context.configuration.sources)
    syncs = tuple(sync_or_say(context, name, full=full) for name in names)
    standardised = standardise(context)
    resolved = resolve(context)
    published = publish(context)
    return RunReport(round(time.perf_counter() - started, 3), syncs, standardised, resolved, published)


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
