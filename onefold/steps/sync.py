"""sync: pull pages from a source and land them with their checkpoint, a transaction per page."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from connectors.errors import ComeBackLater, ConnectorError
from connectors.page import Page, StreamRequest, TellsWaits
from connectors.registry import open_connector
from onefold import logs
from onefold.configuration.errors import SecretMissing
from onefold.errors import HubBusy, NothingFound
from onefold.failures import frames
from onefold.steps.columns import seen
from onefold.steps.echo import echo_test
from onefold.steps.limits import StreamWatch
from onefold.steps.logged import logged, start_run
from onefold.steps.report import StreamReport, SyncReport
from onefold.steps.tokens import HubTokens
from onefold.steps.withhold import guard_of, screened
from warehouse import landing, pages, runs
from warehouse.connect import redact

if TYPE_CHECKING:
    from connectors.page import Connector
    from onefold.configuration import SourceConfiguration
    from onefold.context import Context
    from warehouse.echoes import EchoTest
    from warehouse.erasure.guard import Guard

log = logging.getLogger(__name__)


@logged("sync")
def sync(
    context: Context,
    source: str,
    streams: Sequence[str] = (),
    *,
    full: bool = False,
    accept_deletions: bool = False,
) -> SyncReport:
    """Pull what is new from `source`; `streams` limits it, `full` forgets the checkpoints and reads everything.

    `accept_deletions` lets it delete more than `limits` allow; a stream that changes more than they allow otherwise is
    held: its pages are kept aside, and everything stands as before.
    A stream that fails is reported and leaves its neighbours alone. Raises HubBusy when another process syncs it.
    """
    configured = find_source(context, source)
    unknown = sorted(set(streams) - set(configured.streams))
    if unknown:
        raise NothingFound(f"{source} has no stream {', '.join(unknown)}.", f"It has: {', '.join(configured.streams)}.")
    started = time.perf_counter()
    chosen = [name for name in configured.streams if not streams or name in streams]
    with context.connection(f"onefold sync {source}") as conn, source_lock(conn, source):
        run_id = start_run(context, conn, "sync", source)
        try:
            with open_source(context, configured) as connector, landing.flushed_together(conn):
                guard = guard_of(context, conn)
                work = SourceSync(context, conn, connector, configured, run_id, full, accept_deletions, guard)
                reports = [sync_stream(work, name) for name in chosen]
        except (ConnectorError, SecretMissing) as error:  # the source as a whole could not be opened
            reports = [StreamReport(stream=name, **failure(source, error)) for name in chosen]
        report = SyncReport(source, run_id, round(time.perf_counter() - started, 3), tuple(reports))
        runs.finish_run(conn, run_id, status=report.status, report=report.as_dict(), at=context.clock())
    return report


def find_source(context: Context, source: str) -> SourceConfiguration:
    """The configuration of a source; NothingFound names those that exist."""
    try:
        return context.configuration.sources[source]
    except KeyError:
        known = ", ".join(context.configuration.sources) or "none yet"
        raise NothingFound(f"There is no source {source}.", f"Configured: {known}.") from None


@contextmanager
def open_source(
    context: Context, configured: SourceConfiguration, *, with_streams: bool = False
) -> Iterator[Connector]:
    """The connector of a source with its secrets resolved; closed at the end.

    `with_streams` also tells it the configured streams' options, so that `check` and `discover` look at those.
    """
    from connectors.registry import settings_schema
    from onefold.configuration import environment, resolve_secrets

    settings = resolve_secrets(configured.settings, environment(context.settings.config, context.environ))
    settings = with_base_dir(configured.connector, settings, context)
    if with_streams and "streams" in settings_schema(configured.connector).get("properties", {}):
        options = {name: dict(stream.options) for name, stream in configured.streams.items()}
        settings = {"streams": options, **settings}
    with open_connector(configured.connector, configured.source, settings, HubTokens(context)) as connector:
        yield connector


def with_base_dir(connector: str, settings: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Relative paths are meant from the folder that holds config/; what is made once is kept in the hub's home."""
    from connectors.registry import settings_schema

    known = settings_schema(connector).get("properties", {})
    config, home = context.settings.config, context.settings.home
    places = {"base_dir": str(config.parent.resolve()), "cache_dir": str(home.resolve() / "cache")}
    return {**{name: path for name, path in places.items() if name in known}, **settings}


def stream_request(context: Context, configured: SourceConfiguration, name: str) -> StreamRequest:
    """What the configuration asks of one stream, in the connector's words."""
    stream = configured.streams[name]
    return StreamRequest(
        name=name,
        key=stream.key,
        updated_at=stream.updated_at,
        volatile=tuple(stream.volatile),
        options=dict(stream.options),
        timezone=context.configuration.defaults(configured.source, name).timezone or "UTC",
        owned=tuple(stream.write_back.fields) if stream.write_back is not None else (),
    )


@dataclass(frozen=True)
class SourceSync:
    """One sync of one source: what its streams have in common."""

    context: Context
    conn: psycopg.Connection
    connector: Connector
    configured: SourceConfiguration
    run_id: int
    is_full: bool
    accepts_deletions: bool
    guard: Guard | None = None
    """Who was erased and may not come back."""


def sync_stream(work: SourceSync, name: str) -> StreamReport:
    """Land one stream page by page; rows and checkpoint commit together. What fails leaves other streams alone."""
    place = f"{work.configured.source}:{name}"
    report = StreamReport(stream=name)
    state = None if work.is_full else landing.checkpoint(work.conn, work.configured.source, name)
    watch = StreamWatch(work.context, work.conn, work.configured, name, work.run_id, work.accepts_deletions)
    with logs.bound(stream=name):
        done = watch.settle(_read_stream(work, name, state, watch, report, place))
        _tell_stream(done)
    return done


def _tell_stream(report: StreamReport) -> None:
    """How a stream went, for the log; what its error says may be the source's words and stands in the report only."""
    level = logging.INFO if report.status in ("done", "deferred") else logging.WARNING
    counts = {name: value for name, value in report.as_dict().items() if type(value) is int and value}
    said = f"stream {report.status}"
    logs.tell(log, level, "stream.finished", said, status=report.status, error=report.error_class, **counts)


def _read_stream(
    work: SourceSync, name: str, state: dict[str, Any] | None, watch: StreamWatch, report: StreamReport, place: str
) -> StreamReport:
    with work.context.progress.stage(place) as stage:
        if isinstance(work.connector, TellsWaits):
            work.connector.tell_waits(lambda seconds, why: stage.note(waiting(report, seconds, why)))
        try:
            ahead = Ahead(work.configured.source, name)
            request = replace(stream_request(work.context, work.configured, name), finish=ahead.prepare)
            echo = echo_test(work.connector, request)
            for page in work.connector.read(request, state):
                before, report = report, land(work, name, page, report, watch, echo)
                ahead.is_news = report.unchanged == before.unchanged
                stage.resize(page.total_rows)
                stage.advance(len(page.rows))
                stage.note(counted(report.pages, "page"))
        except (ConnectorError, psycopg.DataError) as error:
            return replace(report, **failure(place, error))
        except psycopg.Error:
            raise  # the hub's database itself, not this stream
        except Exception as error:  # a connector of somebody else's must not end its neighbours' run
            return replace(report, **fault(place, error))
    return report


@dataclass
class Ahead:
    """What of a page is made where the page is made, while the one before it lands."""

    source: str
    stream: str
    is_news: bool = False
    """The page that landed last held nothing that was known: it is thought of the next."""

    def prepare(self, page: Page) -> Page:
        """The page with what `landing.land_page` takes beside its rows; one that holds more than rows as it is."""
        if page.tombstones or page.rejects:
            return page
        return replace(page, prepared=pages.prepare(self.source, self.stream, page.rows, is_news=self.is_news))


def waiting(so_far: StreamReport, seconds: float, why: str) -> str:
    """What a stage shows while the source makes it wait: `12 pages; waits 3 s: status 429`."""
    return f"{counted(so_far.pages, 'page')}; waits {seconds:.{0 if seconds >= 1 else 1}f} s: {why}"


def counted(number: int, what: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def land(
    work: SourceSync,
    stream: str,
    page: Page,
    so_far: StreamReport,
    watch: StreamWatch,
    echo: EchoTest | None = None,
) -> StreamReport:
    """One page in one transaction, with what of the stream is aside and the page tells anew; the stream's counts."""
    page, suppressed = screened(work.conn, work.guard, work.configured.source, stream, page)
    with work.conn.transaction() if watch.held else nullcontext():
        landed = _landed(work, stream, watch.unheld(page), so_far, watch, echo)
    return replace(landed, suppressed=so_far.suppressed + suppressed)


def _landed(
    work: SourceSync, stream: str, page: Page, so_far: StreamReport, watch: StreamWatch, echo: EchoTest | None
) -> StreamReport:
    mark = (page.snapshot.pass_id, page.snapshot.is_complete) if page.snapshot else None
    over = page.snapshot.scope if page.snapshot else None
    scope = (over.match, over.member, over.values, over.origin) if over else None
    landed = landing.land_page(
        work.conn,
        run_id=work.run_id,
        source=work.configured.source,
        stream=stream,
        rows=page.rows,
        tombstones=page.tombstones,
        rejects=page.rejects,
        state=page.state,
        snapshot=mark,
        now=work.context.clock(),
        scope=scope,
        shown=page.snapshot.shown if page.snapshot else None,
        echo=echo,
        prepared=page.prepared if isinstance(page.prepared, pages.Prepared) else None,
        queue=watch.queue,
    )
    if scope is not None and mark is not None and mark[1] and not work.accepts_deletions:
        watch.note_pass(landed.deleted, scope)
    logs.tell(log, logging.DEBUG, "page.landed", "page landed", page=so_far.pages + 1, rows=len(page.rows))
    columns, looked_at = seen(so_far.columns, so_far.looked_at, page.rows)
    return replace(
        so_far,
        columns=columns,
        looked_at=looked_at,
        pages=so_far.pages + 1,
        inserted=so_far.inserted + landed.inserted,
        updated=so_far.updated + landed.updated,
        unchanged=so_far.unchanged + landed.unchanged,
        deleted=so_far.deleted + landed.deleted,
        rejected=so_far.rejected + landed.rejected,
        echoed=so_far.echoed + landed.echoed,
        bytes_read=so_far.bytes_read + page.bytes_read,
    )


def failure(place: str, error: ConnectorError | SecretMissing | psycopg.DataError) -> dict[str, Any]:
    """How an error at `place` (source:stream) stands in a stream's report."""
    # What PostgreSQL says of a page that it refuses quotes the values of its rows.
    message = f"the database refuses it: {redact(error)}" if isinstance(error, psycopg.Error) else str(error)
    if getattr(error, "source", None) is None:  # raised where only the file or the answer was known
        message = f"{place}: {message}"
    later = isinstance(error, ComeBackLater)
    return {
        "status": "deferred" if later else "failed",
        "error": message,
        "error_class": type(error).__name__,
        "retry_at": error.retry_at.isoformat() if isinstance(error, ComeBackLater) else None,
    }


def fault(place: str, error: Exception) -> dict[str, Any]:
    """How a connector's own fault stands in a stream's report, and its frames in the log."""
    # Frames only: what the exception says may quote the record it stumbled over.
    log.error("%s: %s\n%s", place, type(error).__name__, frames(error.__traceback__))
    what = f"{place}: the connector failed in a way of its own ({type(error).__name__}); the log has its frames"
    return {"status": "failed", "error": what, "error_class": type(error).__name__}


@contextmanager
def source_lock(conn: psycopg.Connection, source: str) -> Iterator[None]:
    """One sync per source at a time; a session lock, so that it ends with the process even after kill -9."""
    if not runs.try_source_lock(conn, source):
        raise HubBusy(f"{source} is being synced by another process.", "Try again when it has ended.")
    try:
        yield
    finally:
        runs.release_source_lock(conn, source)
