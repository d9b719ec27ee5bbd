"""news: whether anything waits to be standardised, resolved or published, for schedulers that ask before they start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.steps.idle import idle_publish, idle_resolve, idle_standardise
from onefold.steps.logged import logged
from onefold.steps.report import Report
from warehouse import queue

if TYPE_CHECKING:
    from onefold.context import Context

QUEUES = ("standardise", "resolve", "publish")


@dataclass(frozen=True, slots=True)
class NewsReport(Report):
    """What there is to do."""

    waiting: int
    """Entries of the three queues; a record may have several."""
    rules_changed: bool
    """Nothing waits, but mappings, rules or the model are others than those in force."""


@logged("news")
def news(context: Context) -> NewsReport:
    """Looks at queues and fingerprints only, and writes nothing."""
    with context.connection("onefold news") as conn:
        waiting = sum(queue.size(conn, step) for step in QUEUES)
        is_idle = waiting or all(idle(context, conn) for idle in (idle_standardise, idle_resolve, idle_publish))
        return NewsReport(waiting, not is_idle)
