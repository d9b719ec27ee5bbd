"""Every kind of page of the console, as a browser of somebody who is signed in asks for it, one after the other.

The queue has `--cases` open cases, of the hub's own or made up; some are somebody's and some put aside, so that its
filters have something to leave out. What counts is the time from asking to the last byte, and what the server
and its PostgreSQL took of the processor for it. The first few of each kind warm the caches and are not counted.
"""

from __future__ import annotations

import http.client
import re
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from api import serving
from common import Benchmark, parser
from findings import find_all
from processes import processor_seconds
from served_hub import CLIENTS_PER_RECORD, add_keep, database_size, filled

if TYPE_CHECKING:
    import psycopg

WARM, BAR = 5, 100
MOST = 1_000
"""Records that a preview may resolve anew to be measured: in a hub whose pairs are all doubtful everything hangs
together, which is another question."""
LOGIN, PASSWORD = "anna", "benchmark of the console"

# Clients that nobody doubts, two and two: the question is as good as any other to who only looks.
_CASES = """
INSERT INTO identity.review_case (fingerprint, kind, record_ids, status, weight, impact, evidence, opened_at)
SELECT md5('benchmark ' || p.n)::uuid, c.kind, p.record_ids, 'open', c.weight, p.n, c.evidence,
    now() - interval '1 minute' * (p.n * 7 %% 60000)
FROM (
    SELECT n / 2 AS n, array_agg(record_id ORDER BY n) AS record_ids FROM (
        SELECT row_number() OVER () - 1 AS n, record_id FROM identity.crosswalk TABLESAMPLE SYSTEM (20) REPEATABLE (3)
        LIMIT 2 * %(cases)s
    ) AS one
    GROUP BY 1
) AS p
CROSS JOIN LATERAL (
    SELECT kind, weight, evidence FROM identity.review_case WHERE status = 'open' AND cardinality(record_ids) = 2
    ORDER BY fingerprint OFFSET 0 LIMIT 1
) AS c
ON CONFLICT DO NOTHING
"""
_FEWER = """
UPDATE identity.review_case SET status = 'closed', closed_at = now()
WHERE status = 'open' AND fingerprint NOT IN (
    SELECT fingerprint FROM identity.review_case WHERE status = 'open' ORDER BY fingerprint LIMIT %(cases)s
)
"""
_DESK = """
INSERT INTO ops.case_desk (fingerprint, assignee, deferred_until)
SELECT fingerprint, CASE WHEN n %% 10 < 4 THEN %(login)s WHEN n %% 10 < 6 THEN 'ben' END,
    CASE WHEN n %% 10 = 9 THEN current_date + 30 END
FROM (SELECT fingerprint, row_number() OVER () AS n FROM identity.review_case WHERE status = 'open') AS c
WHERE n %% 10 NOT IN (6, 7, 8)
ON CONFLICT DO NOTHING
"""
_SOME = """
SELECT client_id::text, display_name FROM core.client TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (4)
WHERE NOT is_deleted AND display_name <> '' LIMIT %(n)s
"""
_BIG = """
SELECT client_id::text FROM core.interaction TABLESAMPLE SYSTEM (10) REPEATABLE (5)
WHERE client_id IS NOT NULL GROUP BY client_id ORDER BY count(*) DESC, client_id LIMIT 20
"""
_CONTACTS = """
SELECT value FROM identity.identifier TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (6)
WHERE type IN ('email', 'phone') AND is_valid LIMIT %(n)s
"""
# What hangs together with these records by plausible pairs and clients: a decision resolves all of it anew.
_NEAR = """
SELECT left_id FROM identity.pair WHERE right_id = ANY (%(ids)s)
UNION SELECT right_id FROM identity.pair WHERE left_id = ANY (%(ids)s)
UNION SELECT o.record_id FROM identity.crosswalk AS x JOIN identity.crosswalk AS o ON o.client_id = x.client_id
WHERE x.record_id = ANY (%(ids)s)
"""
_NEEDS = """
SELECT client_id || '/needs/' || need FROM (
    SELECT client_id, need FROM core.client_need WHERE is_held ORDER BY client_id LIMIT 1000
) AS n
"""
_RAISED = "SELECT concern FROM core.concern WHERE row_count > 0 ORDER BY concern"
_OPEN = "SELECT fingerprint::text FROM identity.review_case WHERE status = 'open' ORDER BY fingerprint LIMIT %(n)s"
_QUEUE = ({}, {"show": "mine"}, {"show": "unassigned"}, {"show": "deferred"}, {"order": "age"}, {"order": "bits"},
          {"source": "desk"}, {"age": "week"}, {"impact": "100"}, {"source": "clients", "order": "age"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One request: a page, or with a body what a page's form sends."""

    path: str
    body: str | None = None


class Browser:
    """Somebody who is signed in, on one kept connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
        form = urlencode({"login": LOGIN, "password": PASSWORD, "purpose": "benchmark"})
        self._headers: dict[str, str] = {}
        response = self._ask(Page("/sign-in", form))
        if response.status != 303:
            raise RuntimeError(f"signing in was answered with {response.status}")
        self._headers["Cookie"] = str(response.headers["Set-Cookie"]).partition(";")[0]

    def _ask(self, page: Page) -> http.client.HTTPResponse:
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"} if page.body else self._headers
        self._connection.request("GET" if page.body is None else "POST", page.path, page.body, headers)
        response = self._connection.getresponse()
        self.text = response.read().decode("utf-8", "replace")
        return response

    def open(self, page: Page) -> float:
        """Milliseconds until the page is there, with what it leads to. RuntimeError: it is none."""
        started = time.perf_counter()
        response = self._ask(page)
        if response.status in (303, 307):
            response = self._ask(Page(str(response.headers["Location"])))
        taken = 1000 * (time.perf_counter() - started)
        if response.status != 200:
            raise RuntimeError(f"{page.path} was answered with {response.status}: {self.text[:500]}")
        return taken


def fill_desk(conn: psycopg.Connection[Any], cases: int) -> int:
    """How many cases are open: the hub's own, fewer or more of them as it takes."""
    from warehouse.sql import sql

    open_now = "SELECT count(*) FROM identity.review_case WHERE status = 'open'"
    row = conn.execute(open_now.encode()).fetchone()
    assert row is not None
    conn.execute(_FEWER.encode(), {"cases": cases})
    conn.execute(_CASES.encode(), {"cases": max(0, cases - row[0])})
    conn.execute(_DESK.encode(), {"login": LOGIN})
    # As resolutions do, some at a time.
    conn.execute(sql("resolution.note_sources"), {"most": 2**31})
    conn.execute("ANALYZE identity.review_case, ops.case_desk")
    row = conn.execute(open_now.encode()).fetchone()
    assert row is not None
    return int(row[0])


def add_steward(config: Path, database: str) -> None:
    """Who signs in; sees values, may decide, and sees sources and model."""
    from onefold.context import open_context
    from onefold.errors import UsageError
    from onefold.settings import Settings
    from onefold.steps.accounts import add_user

    with open_context(Settings(home=config.parent / "var", config=config, database_url=database)) as context:
        try:
            add_user(context, LOGIN, "admin", sees_values=True, password=PASSWORD, by="benchmark")
        except UsageError:
            return  # of a hub that was kept


def groups(
    conn: psycopg.Connection[Any], browser: Browser, count: int, seed: int
) -> Iterator[tuple[str, Iterable[Page]]]:
    """What is asked, by the kind of page; some of it is found out when it is wanted."""
    rng, many = Random(seed), {"percent": 20, "n": 20 * count}
    some = rng.choices(conn.execute(_SOME.encode(), many).fetchall(), k=count)
    big = [row[0] for row in conn.execute(_BIG.encode()).fetchall()]
    contacts = rng.choices([row[0] for row in conn.execute(_CONTACTS.encode(), many).fetchall()], k=count)
    cases = [row[0] for row in conn.execute(_OPEN.encode(), {"n": 10_000}).fetchall()]
    asked = rng.choices(cases, k=count)
    words = [rng.choice(name.split()) for _, name in some]

    def each(paths: Sequence[str]) -> list[Page]:
        return [Page(paths[n % len(paths)]) for n in range(count) if paths]

    def queries(texts: Sequence[str], **more: str) -> list[Page]:
        return [Page(f"/clients?{urlencode({'query': text, **more})}") for text in texts]

    yield "first page", each(["/"])
    yield "search by a name", queries([name for _, name in some], all="true")
    yield "... by part of a name", queries([word[: max(4, len(word) - 2)] for word in words])
    yield "... by a name, a thousand by their records", queries(words, order="records")
    yield "... by e-mail or phone, and the client that it leads to", queries(contacts)
    for what, clients in (("a client", [client for client, _ in some]), ("the twenty with most to tell", big)):
        yield what, each([f"/clients/{one}" for one in clients])
        yield "... to print", each([f"/clients/{one}/print" for one in clients])
        yield "... why one client", each([f"/clients/{one}/explain" for one in clients])
        yield "... how it was", each([f"/clients/{one}/history?on=2026-01-01" for one in clients])
    yield "... its story by words", each([f"/clients/{one}?words=Document+12" for one in big])
    yield "queue and its filters", each([f"/cases?{urlencode(said)}" for said in _QUEUE])
    yield "... on to the next case", [Page(f"/cases/next?after={one}") for one in asked]
    yield "... cases that look alike", each(["/cases/patterns"])
    yield "... thresholds planned", each(["/cases/planner?per_day=25"])
    yield "a case", [Page(f"/cases/{one}") for one in asked]
    for verdict in ("same", "not_same"):
        yield f"... what would come of: {verdict}", (preview(browser, one, verdict) for one in near(conn, asked))
    yield "sources", each(["/sources"])
    yield "... one source; its refused rows", each(["/sources/clients", "/sources/desk/rejects"])
    yield "model", each(["/model"])
    yield "fix at the source", each(["/fix", "/fix?kind=duplicate", "/fix?kind=outvoted"])
    pairs = ({"first": "clients", "second": "desk"}, {"first": "desk", "second": "clients", "both": "false"})
    yield "overlap of two registers", each([f"/overlap?{urlencode(said)}" for said in pairs])
    yield "identifiers that are not valid", each(["/quality/invalid?type=email", "/quality/invalid?type=phone"])
    yield from _of_needs(conn, each, [client for client, _ in some], big)


def _of_needs(
    conn: psycopg.Connection[Any], each: Callable[[Sequence[str]], list[Page]], some: Sequence[str], big: Sequence[str]
) -> Iterator[tuple[str, Iterable[Page]]]:
    """Pages of what was found out of clients: needs, segments, concerns, metrics."""

    def names(statement: str) -> list[str]:
        return [str(row[0]) for row in conn.execute(statement.encode()).fetchall()]

    yield "... as it sees us", each([f"/clients/{one}/as-client" for one in some])
    yield "... as one of the twenty sees us", each([f"/clients/{one}/as-client" for one in big])
    yield "a need of a client with its evidence", each([f"/clients/{one}" for one in names(_NEEDS)])
    schemes = names("SELECT scheme FROM core.segment_scheme ORDER BY scheme")
    yield "needs and segments", each(["/segments"])
    yield "a scheme", each([f"/segments/{one}" for one in schemes])
    for part in ("map", "check", "mirror"):
        yield f"... its {part}", each([f"/segments/{one}/{part}" for one in schemes])
    segments = names("SELECT scheme || '/clients?segment=' || segment FROM core.segment ORDER BY 1")
    unknown = [f"{one}/clients" for one in schemes]
    yield "... who is in a segment", each([f"/segments/{one}" for one in (*segments, *unknown)])
    yield "concerns", each(["/concerns"])
    yield "... one with its rows", each([f"/concerns/{one}" for one in names(_RAISED)])
    yield "metrics", each(["/measures"])
    yield "... one metric", each([f"/measures/{one}" for one in names("SELECT metric FROM core.metric ORDER BY 1")])


def near(conn: psycopg.Connection[Any], cases: Sequence[str]) -> Iterator[str]:
    """As many cases as given, of those whose records hang together with at most `MOST` others."""
    known: dict[str, bool] = {}
    for case in cases:
        if case not in known:
            row = conn.execute(b"SELECT record_ids FROM identity.review_case WHERE fingerprint = %s", [case]).fetchone()
            found: set[int] = set()
            new = set() if row is None else set(row[0])
            while new and len(found) <= MOST:
                found |= new
                new = {one for (one,) in conn.execute(_NEAR.encode(), {"ids": list(new)}).fetchall()} - found
            known[case] = not new
    kept = [case for case in cases if known[case]]
    print(f"console: {len(kept)} of {len(cases)} cases hang together with few", file=sys.stderr)
    yield from (kept[n % len(kept)] for n in range(len(cases)) if kept)


def preview(browser: Browser, case: str, verdict: str) -> Page:
    """What the `?` beside an answer sends."""
    browser.open(Page(f"/cases/{case}"))
    said: Mapping[str, str] = dict(re.findall(r'name="(key)" value="([^"]+)"', browser.text))
    seen = sorted(set(re.findall(r'name="seen" value="([^"]+)"', browser.text)))
    return Page(f"/cases/{case}/would/{verdict}", urlencode([*said.items(), *(("seen", one) for one in seen)]))


def measure(benchmark: Benchmark, config: Path, database: str, given: Namespace) -> None:
    """All kinds of pages."""
    from warehouse.connect import connect

    find_all(benchmark, config, database, given.timeout)
    add_steward(config, database)
    with connect(database, application_name="benchmark") as conn:
        benchmark.add("open cases", fill_desk(conn, given.cases), "cases")
        benchmark.add("database", database_size(database), "MiB", at_least=False)
        row = conn.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
        assert row is not None
        postmaster = int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])
        # As autovacuum leaves a hub that has stood for an hour.
        conn.execute("VACUUM (ANALYZE)")
        conn.execute("CHECKPOINT")
        with serving(config, database, 1) as (address, server):
            browser = Browser(address)
            for what, asked in groups(conn, browser, WARM + given.pages, given.seed):
                if given.only and not re.search(given.only, what):
                    continue
                benchmark.progress(what)
                pages = list(asked)
                if len(pages) <= WARM:
                    benchmark.note(f"{what}: this hub has none")
                    benchmark.progress("  there are none")
                    continue
                for page in pages[:WARM]:
                    browser.open(page)
                before = processor_seconds(server), processor_seconds(postmaster)
                taken = [browser.open(page) for page in pages[WARM:]]
                after = processor_seconds(server), processor_seconds(postmaster)
                ours, its = (1000 * (now - then) / len(taken) for now, then in zip(after, before, strict=True))
                cuts = statistics.quantiles(taken, n=100, method="inclusive")
                told = f"p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f} ms; Onefold {ours:.1f} + PostgreSQL {its:.1f} ms"
                benchmark.add(f"{what}: {told}; p95", round(cuts[94], 1), "ms", target=BAR, at_least=False)
                benchmark.progress(f"  p95 {cuts[94]:.1f} ms; {told}")


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=1_000_000)
    options.add_argument("--interactions", type=int, default=10_000_000)
    options.add_argument("--cases", type=int, default=10_000)
    options.add_argument("--pages", type=int, default=100, help="how many of each kind")
    options.add_argument("--only", help="a regular expression: only the kinds of pages whose words it finds")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    add_keep(options)
    given = options.parse_args()
    clients, interactions = (5_000, 50_000) if given.small else (given.clients, given.interactions)
    if given.small:
        given.cases, given.pages = 500, 20
    benchmark = Benchmark("console")
    with filled(benchmark, clients, interactions, given) as (config, database):
        measure(benchmark, config, database, given)
    records = round(clients / CLIENTS_PER_RECORD)
    benchmark.note(f"{records:,} records, {interactions:,} interactions, {given.pages} pages of each kind")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
