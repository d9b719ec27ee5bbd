"""The hub's figures for Prometheus and whatever else reads OpenMetrics; the same for the command and for a server.

Labels are names of the configuration (sources, streams), of steps, kinds and tables, never a client's value.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from onefold import logs
from onefold.failures import describe
from onefold.steps.freshness import FRESHNESS, freshness
from onefold.steps.logged import close_dead
from onefold.steps.schedule import due_sources, overdue
from onefold.steps.watch import disk
from warehouse import figures
from warehouse.version import packaged_revision

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

log = logging.getLogger(__name__)


def collect(context: Context, conn: psycopg.Connection) -> Iterator[Metric]:
    """All figures of the hub, as docs/observability.md lists them; reads by indexes and catalogues only.

    Raises psycopg.Error where the database does not answer.
    """
    close_dead(conn, at=context.clock())
    yield _build()
    yield from _hub(conn)
    yield from _streams(context, conn)
    yield from _work(conn)
    yield from _runs(context, conn)
    yield from _weights(conn)
    yield from _sizes(context, conn)


def registry(context: Context) -> CollectorRegistry:
    """A registry that asks the hub anew whenever it is read; while the database does not answer, `onefold_up` is 0 and
    nothing else is told."""
    found = CollectorRegistry(auto_describe=False)
    found.register(_Asking(context))
    return found


class _Asking(Collector):
    """On a connection of its own each time: a server's restart between two questions is nothing to it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asking = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked before somebody wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything, or `onefold_up 0`."""
        import psycopg

        from warehouse.connect import HubDatabaseError

        started, told = time.perf_counter(), list[Metric]()
        try:
            # One at a time: scrapes that wait for the same table take no further connections.
            with self._asking, self._context.connection("onefold metrics") as conn:
                figures.be_quick(conn)
                told = list(collect(self._context, conn))
        except (psycopg.OperationalError, HubDatabaseError) as error:
            logs.tell(log, logging.WARNING, "metrics.unanswered", describe(error))
        yield _gauge("onefold_up", "Whether the hub's database answers", [((), bool(told))])
        seconds = time.perf_counter() - started
        yield _gauge("onefold_scrape_duration_seconds", "How long these figures took", [((), seconds)])
        yield from told


def _build() -> Metric:
    from importlib.metadata import version

    told = InfoMetricFamily("onefold_build", "The version that tells these figures, and that of its tables")
    told.add_metric([], {"version": version("onefold"), "revision": packaged_revision()})
    return told


def _hub(conn: psycopg.Connection) -> Iterator[Metric]:
    found = figures.hub(conn)
    if found["clients"] is not None:
        yield _gauge("onefold_clients", "Clients that have records", [((), found["clients"])])
    events = CounterMetricFamily("onefold_change_events", "Events in the change feed since it began")
    events.add_metric([], found["change_events"] or 0)
    yield events
    yield _gauge("onefold_holds_open", "Runs that are held and wait for a person", [((), found["holds"])])


def _streams(context: Context, conn: psycopg.Connection) -> Iterator[Metric]:
    now = context.clock()
    read = {(row["source"], row["stream"]): row["synced_at"] for row in figures.streams(conn)}
    synced, fresh = [(place, at.timestamp()) for place, at in read.items()], []
    configured = [(name, stream) for name, source in context.configuration.sources.items() for stream in source.streams]
    for source, stream in [*read, *(place for place in configured if place not in read)]:
        at = read.get((source, stream))
        known = {"source": source, "stream": stream, "synced_at": at.isoformat() if at else None}
        state = freshness(context, known, now)
        fresh += [((source, stream, one), one == state) for one in FRESHNESS]
    name = "onefold_stream_last_sync_timestamp_seconds"
    yield _gauge(name, "When the last page of a stream landed", synced, "source", "stream")
    words = "1 for how fresh a stream is by `freshness` of its source, 0 for the others"
    yield _gauge("onefold_stream_freshness", words, fresh, "source", "stream", "state")
    due = [((one.source,), overdue(one, now)) for one in due_sources(context, conn) if one.schedule]
    words = "For how long a source is due by its schedule; 0 when it is not"
    yield _gauge("onefold_source_overdue_seconds", words, due, "source")


def _work(conn: psycopg.Connection) -> Iterator[Metric]:
    waiting = [((row["step"],), row["records"]) for row in figures.queues(conn)]
    words = f"Entries in the queue of a step, counted up to {figures.COUNTED}"
    yield _gauge("onefold_queue_entries", words, waiting, "step")
    refused = [((row["source"], row["stream"]), row["rejects"]) for row in figures.rejects(conn)]
    yield _gauge(
        "onefold_rejects_open", "Input that could not be taken in and still cannot", refused, "source", "stream"
    )
    cases = figures.cases(conn)
    yield _gauge(
        "onefold_cases_open", "Cases that wait for a person's word", [((c["kind"],), c["cases"]) for c in cases], "kind"
    )
    oldest = [((c["kind"],), c["oldest_at"].timestamp()) for c in cases]
    yield _gauge("onefold_cases_oldest_timestamp_seconds", "When the oldest open case was opened", oldest, "kind")
    writes = [((row["source"],), row["writes"]) for row in figures.unanswered_writes(conn)]
    words = "Values written back to a source that it has not confirmed"
    yield _gauge("onefold_writes_unanswered", words, writes, "source")


def _runs(context: Context, conn: psycopg.Connection) -> Iterator[Metric]:
    rows = figures.last_runs(conn, list(context.configuration.sources))
    places = [((row["command"], row["source"] or ""), row) for row in rows]
    labels = ("step", "source")
    started = [(place, row["started_at"].timestamp()) for place, row in places]
    yield _gauge("onefold_run_last_started_timestamp_seconds", "When the last run of a step began", started, *labels)
    took = [
        (place, (row["finished_at"] - row["started_at"]).total_seconds()) for place, row in places if row["finished_at"]
    ]
    yield _gauge("onefold_run_last_duration_seconds", "How long the last run of a step took", took, *labels)
    well = [(place, row["well_at"].timestamp()) for place, row in places if row["well_at"]]
    words = "When a run of a step last ended well"
    yield _gauge("onefold_run_last_success_timestamp_seconds", words, well, *labels)
    status = [((*place, row["status"]), 1) for place, row in places]
    yield _gauge("onefold_run_last_status", "1 for the status of the last run of a step", status, *labels, "status")


def _weights(conn: psycopg.Connection) -> Iterator[Metric]:
    latest = (figures.spreads(conn, most=20) or [{"spread": {}}])[-1]["spread"]
    kinds = sorted(latest.items())
    pairs = [((kind,), found["pairs"]) for kind, found in kinds]
    yield _gauge("onefold_match_pairs", "Plausible pairs that the last run of resolve looked at", pairs, "kind")
    median = [((kind,), found["median"]) for kind, found in kinds if found["median"] is not None]
    yield _gauge("onefold_match_weight_median_bits", "Median weight of those that were linked", median, "kind")
    share = [((kind,), found["review"] / found["pairs"]) for kind, found in kinds if found["pairs"]]
    yield _gauge("onefold_match_review_ratio", "Share of those that people are asked about", share, "kind")


def _sizes(context: Context, conn: psycopg.Connection) -> Iterator[Metric]:
    found = disk(context, conn)
    yield _gauge("onefold_database_size_bytes", "The whole database", [((), found["database_bytes"])])
    sums = [((name,), size) for name, size in found["schemas"].items()]
    yield _gauge("onefold_schema_size_bytes", "Tables of a schema with their indexes", sums, "schema")
    largest = [((row["schema"], row["table"]), row["bytes"]) for row in found["tables"]]
    yield _gauge("onefold_table_size_bytes", "The largest tables with their indexes", largest, "schema", "table")
    if found["total_bytes"] is not None:
        free, total = found["free_bytes"], found["total_bytes"]
        yield _gauge("onefold_disk_free_bytes", "Free where the embedded database has its data", [((), free)])
        yield _gauge("onefold_disk_size_bytes", "Size of that file system", [((), total)])


def _gauge(name: str, words: str, values: Iterable[tuple[tuple[str, ...], float]], *labels: str) -> Metric:
    told = GaugeMetricFamily(name, words, labels=labels)
    for place, value in values:
        told.add_metric(list(place), float(value))
    return told
