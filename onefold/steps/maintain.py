"""maintain: what hub.yaml keeps for a time only is deleted when that is over, and tables that need it are vacuumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onefold.steps.logged import logged
from onefold.steps.report import Report
from warehouse import feed_retention, health, retention

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class MaintainReport(Report):
    """What was deleted and cleaned up."""

    deleted: dict[str, int] = field(default_factory=dict)
    """Of what `retention` in hub.yaml names: rows."""
    vacuumed: tuple[str, ...] = ()
    """Tables with many dead rows, or without statistics."""


@logged("maintain")
def maintain(context: Context) -> MaintainReport:
    """Delete in short transactions what is older than `retention` says; without a word there everything is kept. Then
    vacuum tables that autovacuum has left behind, beside whoever reads and writes.
    """
    kept = {name: span for name, span in context.configuration.hub.retention if name in retention.TABLES}
    now = context.clock()
    before = {name: now - span for name, span in kept.items() if span is not None}
    with context.connection("onefold maintain") as conn, context.progress.stage("maintain") as stage:
        deleted = retention.apply(conn, before, advance=stage.advance)
        feed = context.configuration.hub.retention
        if feed.change_events is not None or feed.unread_change_events is not None:
            bounds = [None if span is None else now - span for span in (feed.change_events, feed.unread_change_events)]
            deleted["change_events"] = feed_retention.clear(conn, *bounds, advance=stage.advance)
        neglected = health.neglected(health.tables(conn))
        health.vacuum(conn, neglected)
        return MaintainReport(deleted, tuple(neglected))
