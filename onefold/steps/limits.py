"""Change limits: how much a run may change before it is held and a person is asked.

On the reading path, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from warehouse import holds, landing, queue
from warehouse.connect import unit_of_work
from warehouse.keys import record_ids
from warehouse.sql import sql

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.page import Page
    from onefold.configuration import SourceConfiguration
    from onefold.context import Context
    from onefold.steps.report import StreamReport
    from warehouse.holds import Finding, HeldVersion

HELD = "Held"
"""Class of the error of a stream that was held."""


class TooMuch(Exception):
    """A step would change more than the limits allow; nothing of it is written."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        self.run_id: int | None = None
        super().__init__("; ".join(map(in_words, self.findings)))


@contextmanager
def telling(run_id: int) -> Iterator[None]:
    """A TooMuch that leaves the block knows the run that came to it."""
    try:
        yield
    except TooMuch as found:
        found.run_id = run_id
        raise


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What a run may change of one stream; a share of None is any."""

    deleted: float | None
    emptied: float | None
    changed: float | None
    at_least: int


def stream_limits(context: Context, configured: SourceConfiguration, stream: str) -> StreamLimits:
    """Those of the stream, and of the hub where it says nothing."""
    own, hub = configured.streams[stream].limits, context.configuration.hub.limits
    if own is None:
        return StreamLimits(hub.deleted, hub.emptied, None, hub.at_least)
    said = own.model_fields_set
    return StreamLimits(
        own.deleted if "deleted" in said else hub.deleted,
        own.emptied if "emptied" in said else hub.emptied,
        own.changed,
        own.at_least if "at_least" in said else hub.at_least,
    )


def is_beyond(count: int, of: int, share: float | None, at_least: int) -> bool:
    """More than the share, and more than `at_least`."""
    return share is not None and count > max(at_least, int(share * of))


def in_words(finding: Mapping[str, Any]) -> str:
    """One sentence without client data: `500 of 1,000 records would be deleted (limit 20 %)`."""
    if finding["limit"] == "largest_client":
        return (
            f"client {finding['client_id']} would grow to {finding['count']:,} records (limit {finding['allowed']:,})"
        )
    what = {
        "deleted": "records would be deleted",
        "changed": "records would change",
        "emptied": f"values of {finding.get('field')} would be emptied",
        "merged": "clients would be merged or split",
        "golden": "clients would get other golden values",
    }[finding["limit"]]
    place = f"{finding['source']}:{finding['stream']}: " if finding.get("source") else ""
    return f"{place}{finding['count']:,} of {finding['of']:,} {what} (limit {finding['allowed'] * 100:.4g} %)"


def what_to_do(run_id: int, findings: Iterable[Mapping[str, Any]]) -> str:
    """What went beyond, and the commands that settle it."""
    return (
        f"run {run_id} is held: {'; '.join(map(in_words, findings))}. Nothing of it is published."
        f" Look: onefold runs {run_id}; take it in: onefold release {run_id}; leave it out: onefold discard {run_id}"
    )


@dataclass
class StreamWatch:
    """One stream of one sync under its limits, from the first page to the last."""

    context: Context
    conn: psycopg.Connection
    configured: SourceConfiguration
    stream: str
    run_id: int
    accepts_deletions: bool

    def __post_init__(self) -> None:
        place = self.configured.source, self.stream
        self.passed = holds.passed_run(self.conn, *place)
        self.held: dict[int, HeldVersion] = holds.held_of(self.conn, *place)
        self.limits = stream_limits(self.context, self.configured, self.stream)
        self.found: list[Finding] = []

    @property
    def queue(self) -> str:
        """Where what changed waits: for its check, or in a first load for standardise."""
        return "standardise" if self.passed is None else holds.LANDED

    def unheld(self, page: Page) -> Page:
        """The page with the record as it stands where it shows the version that is aside; where it shows another one,
        the source has spoken anew, and what was aside of that record is forgotten."""
        if not self.held:
            return page
        id_of = record_ids(self.configured.source, self.stream)
        rows, told_anew, is_other = [], set(), False
        # As landing reads a page: the last row of a key speaks for it, and a tombstone before any row.
        dead, last = set(page.tombstones), {row[0]: row for row in page.rows}
        for row in page.rows:
            held = self._held(id_of, row[0])
            if held is None:
                rows.append(row)
            elif row is not last[row[0]] or (row[0] in dead and held[1].is_deleted):
                is_other = True
            elif row[0] in dead:
                rows.append(row)
            elif held[1].is_deleted or held[1].digest != row[2]:
                told_anew.add(held[0])
                rows.append(row)
            else:
                is_other = True
                if held[1].standing is not None:
                    rows.append(row._replace(digest=held[1].standing))
        tombstones = []
        for key in page.tombstones:
            held = self._held(id_of, key)
            if held is None or not held[1].is_deleted:
                tombstones.append(key)
                told_anew |= set() if held is None else {held[0]}
        for key in (page.snapshot.shown or ()) if page.snapshot else ():
            held = self._held(id_of, key)
            if held is not None and held[1].is_deleted:
                told_anew.add(held[0])
        if told_anew:
            holds.forget_held(self.conn, sorted(told_anew), now=self.context.clock())
            for record in told_anew:
                del self.held[record]
        if not is_other and len(tombstones) == len(page.tombstones):
            return page
        return replace(page, rows=rows, tombstones=tombstones, prepared=None)

    def _held(self, id_of: Any, key: str) -> tuple[int, HeldVersion] | None:
        try:
            record = id_of(key)
        except UnicodeEncodeError:  # landing refuses it by name
            return None
        return (record, self.held[record]) if record in self.held else None

    def note_pass(self, deleted: int, scope: landing.ScopeTuple) -> None:
        """A pass over a part of the stream has deleted so many: their share is of that part."""
        if self.passed is None or deleted <= self.limits.at_least:
            return
        of = deleted + landing.live_count(self.conn, self.configured.source, self.stream, scope)
        if is_beyond(deleted, of, self.limits.deleted, self.limits.at_least):
            self.found.append(self._finding("deleted", self.limits.deleted, deleted, of))

    def settle(self, report: StreamReport) -> StreamReport:
        """At the end of the stream: what it landed goes on to standardise, or is set aside."""
        place = self.configured.source, self.stream
        if self.passed is None:
            if report.status == "done":
                holds.set_passed(self.conn, *place, self.run_id)
            return report
        if queue.is_empty(self.conn, holds.LANDED):
            return report
        has_landed = report.inserted or report.updated or report.deleted
        if not has_landed and not holds.may_have_left(self.conn, place[0], self.passed, self.run_id):
            return report
        with unit_of_work(self.conn), holds.landed_news(self.conn, *place, self.passed) as news:
            if not news.changed:
                return report
            findings: list[Finding] = [
                {**one, "examples": holds.examples(self.conn, one["limit"])} for one in self._findings(news)
            ]
            if findings:
                is_leaked = holds.may_be_taken_in(self.conn, self.configured.source, self.passed)
                now = self.context.clock()
                holds.set_aside(self.conn, self.run_id, "taken_in" if is_leaked else "landed", now=now)
                known = holds.find_hold(self.conn, self.run_id)
                findings = [*(known["findings"] if known else ()), *findings]
                holds.hold(self.conn, self.run_id, cause="stream", findings=findings, run_ids=[self.run_id], now=now)
            else:
                holds.pass_on(self.conn)
            holds.set_passed(self.conn, *place, self.run_id)
        if not findings:
            return report
        also = f" And it failed: {report.error}" if report.error else ""
        mine = [one for one in findings if one.get("stream") == self.stream]
        return replace(report, status="held", error=what_to_do(self.run_id, mine) + also, error_class=HELD)

    def _findings(self, news: holds.News) -> list[Finding]:
        """What of the news goes beyond the limits; queries only where there is enough of it."""
        limits, conn, place = self.limits, self.conn, (self.configured.source, self.stream)
        found = list(self.found)
        if news.changed <= limits.at_least:
            return found
        is_deleting = not self.accepts_deletions and limits.deleted is not None and news.deleted > limits.at_least
        if is_deleting or limits.changed is not None:
            before = landing.live_count(conn, *place) + news.deleted - news.new
            if is_deleting and is_beyond(news.deleted, before, limits.deleted, limits.at_least):
                found = [self._finding("deleted", limits.deleted, news.deleted, before)]
            if is_beyond(news.updated, before, limits.changed, limits.at_least):
                found.append(self._finding("changed", limits.changed, news.updated, before))
        if limits.emptied is not None and news.updated > limits.at_least:
            for field in holds.emptied(conn, *place, at_least=limits.at_least):
                if is_beyond(field.count, field.of, limits.emptied, limits.at_least):
                    finding = self._finding("emptied", limits.emptied, field.count, field.of)
                    found.append({**finding, "field": ".".join(field.path)})
        return found

    def _finding(self, limit: str, allowed: float | None, count: int, of: int) -> Finding:
        place = {"source": self.configured.source, "stream": self.stream}
        return {"limit": limit, "allowed": allowed, "count": count, "of": of, **place}


def look_at_moves(context: Context, conn: psycopg.Connection) -> None:
    """Raise TooMuch where the moves of a resolution (the temporary table `move`) go beyond the hub's limits."""
    limits = context.configuration.hub.limits
    row = conn.execute(sql("holds.count_moves")).fetchone()
    assert row is not None
    changed, findings = row[0] + row[1], []
    if limits.merged is not None and changed > limits.at_least:
        clients = holds.client_count(conn)
        if is_beyond(changed, clients, limits.merged, limits.at_least):
            most = conn.execute(sql("holds.most_moved")).fetchall()
            findings.append(
                {
                    "limit": "merged", "allowed": limits.merged, "count": changed, "of": clients,
                    "merged": row[0], "split": row[1],
                    "largest": [{"client_id": one[0], "records": one[1], "clients": one[2]} for one in most],
                }
            )  # fmt: skip
    if limits.largest_client is not None:
        largest = conn.execute(sql("holds.largest_growth"), {"limit": limits.largest_client}).fetchone()
        if largest is not None:
            findings.append(
                {
                    "limit": "largest_client",
                    "allowed": limits.largest_client,
                    "client_id": largest[0],
                    "count": largest[1],
                }
            )
    if findings and not holds.is_first_load(conn):
        raise TooMuch(findings)


@dataclass
class GoldenLook:
    """How many clients get other golden values than those that are published, beside the hub's limit."""

    share: float
    at_least: int
    clients: int
    count: int = 0

    def add(self, conn: psycopg.Connection, found: pa.Table) -> None:
        """Golden records (GOLDEN) that are about to be published."""
        # Not before: publish has loaded it, and this module is on the reading path.
        from warehouse.golden import changed_values

        self.count += changed_values(conn, found)

    def decide(self, conn: psycopg.Connection) -> None:
        """Raise TooMuch where they are more than the limit allows."""
        if is_beyond(self.count, self.clients, self.share, self.at_least) and not holds.is_first_load(conn):
            raise TooMuch([{"limit": "golden", "allowed": self.share, "count": self.count, "of": self.clients}])


def golden_look(context: Context, conn: psycopg.Connection, waiting: int) -> GoldenLook | None:
    """How golden records are looked at before they are published; None where so few wait that nothing can be too
    much, or nothing is published yet."""
    from warehouse.golden import is_unpublished

    limits = context.configuration.hub.limits
    if limits.changed is None or waiting <= limits.at_least or is_unpublished(conn):
        return None
    clients = holds.client_count(conn)
    if not is_beyond(waiting, clients, limits.changed, limits.at_least):
        return None
    return GoldenLook(limits.changed, limits.at_least, clients)
