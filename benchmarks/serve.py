"""Reading a published hub: the client view, search, scans of the facts, readers of the change feed.

Everything is read as its users read it: the functions behind the command line and the API on one connection, the
served views by SQL. The first hundred questions warm the caches and are not counted.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from common import Benchmark, parser
from psycopg.sql import SQL, Identifier
from served_hub import CLIENTS_PER_RECORD, database_size, published
from services import scratch, throwaway_postgres

WARM, ASKED = 100, 2_000
READERS, EVENTS_PER_SECOND, SECONDS = 4, 10_000, 10
BATCHES_PER_SECOND = 10
SCANS = 5
REPORTS = ("report_client_coverage", "report_department_coverage", "fct_revenue", "report_document_overlap")
REVENUE = "SELECT * FROM onefold_v1.fct_revenue WHERE client_id = %s"
SEARCH = "SELECT * FROM onefold_v1.search_client(%s)"
CLIENT_SCAN = "SELECT count(*), sum(record_count), max(display_name) FROM onefold_v1.dim_client"
SCAN = "SELECT count(client_id), count(type), sum(amount), max(occurred_at) FROM {}"

# Half of the questions are about any client, half about those of any interaction: clients with much come up more.
CLIENTS = """
(
    SELECT client_id::text FROM core.client TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)
    WHERE NOT is_deleted LIMIT %(n)s
)
UNION ALL
(
    SELECT client_id::text FROM core.interaction TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)
    WHERE client_id IS NOT NULL LIMIT %(n)s
)
"""
_NAMES = """
SELECT display_name FROM core.client TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (2)
WHERE NOT is_deleted AND display_name <> '' LIMIT %(n)s
"""
_EVENTS = """
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT %(first)s + n, clock_timestamp(), 'changed', gen_random_uuid(), '{"fields": ["email"]}'
FROM generate_series(0, %(count)s - 1) AS n
"""
_FOLLOW = """
SELECT changed_seq, extract(epoch FROM clock_timestamp() - changed_at)::float8 FROM onefold_v1.change_feed
WHERE changed_seq > %s ORDER BY changed_seq LIMIT 10000
"""


def asked(question: Callable[[Any], object], about: Iterable[Any]) -> list[float]:
    """Milliseconds of each question after the first hundred."""
    taken = []
    for number, one in enumerate(about):
        started = time.perf_counter()
        question(one)
        if number >= WARM:
            taken.append(1000 * (time.perf_counter() - started))
    return taken


def add_quantiles(benchmark: Benchmark, what: str, taken: list[float], target: float | None) -> None:
    """p50 and p99 as rows."""
    cuts = statistics.quantiles(taken, n=100)
    benchmark.add(f"{what}, p50", round(cuts[49], 2), "ms", at_least=False)
    benchmark.add(f"{what}, p99", round(cuts[98], 2), "ms", target=target, at_least=False)


def measure_questions(benchmark: Benchmark, database: str, seed: int) -> None:
    """The client view and search."""
    from warehouse import queries
    from warehouse.connect import connect

    rng, count = Random(seed), WARM + ASKED
    with connect(database, application_name="benchmark") as conn:
        conn.autocommit = True
        many = {"percent": 20, "n": 20 * count}
        clients = [row[0] for row in conn.execute(CLIENTS, many).fetchall()]
        words = [word for (name,) in conn.execute(_NAMES, many).fetchall() for word in name.split() if len(word) > 3]
        benchmark.progress("client views")
        taken = asked(lambda one: queries.client_view(conn, one, limit=100), rng.choices(clients, k=count))
        add_quantiles(benchmark, "client view with its last 100 interactions", taken, 10)
        benchmark.progress("searches")
        parts = [word if rng.random() < 0.5 else word[: max(4, len(word) - 2)] for word in rng.choices(words, k=count)]
        add_quantiles(
            benchmark, "search by part of a name", asked(lambda one: queries.find_clients(conn, one), parts), 50
        )


def measure_reports(benchmark: Benchmark, database: str) -> None:
    """What sums up all interactions, once each and whole; the question about one client's revenue."""
    from warehouse import overlap
    from warehouse.connect import connect

    with connect(database, application_name="benchmark") as conn:
        conn.autocommit = True
        for view in REPORTS:
            benchmark.progress(view)
            started = time.perf_counter()
            # OFFSET keeps every column: a count alone would not work them out.
            row = conn.execute(
                f"SELECT count(*) FROM (SELECT * FROM onefold_v1.{view} OFFSET 0) AS v".encode()
            ).fetchone()
            taken = round(time.perf_counter() - started, 2)
            benchmark.add(f"{view}, whole: {row[0] if row else 0:,} rows", taken, "s", at_least=False)
        clients = [row[0] for row in conn.execute(CLIENTS, {"percent": 2, "n": WARM + ASKED // 4}).fetchall()]
        taken_by = asked(lambda one: conn.execute(REVENUE, [one]).fetchall(), clients)
        add_quantiles(benchmark, "fct_revenue of one client", taken_by, None)
        started = time.perf_counter()
        overlap.count(conn, at=datetime.now(UTC))
        taken = round(time.perf_counter() - started, 2)
        benchmark.add("overlap of registers counted (once a week, by publish)", taken, "s", at_least=False)


def measure_held(benchmark: Benchmark, database: str, seed: int) -> None:
    """Readers held to a department: one that sees a hundredth of the clients, one that sees most.

    Row-level security is on for that time, where it is not anyway.
    """
    from warehouse import row_security
    from warehouse.connect import connect
    from warehouse.roles import ensure_roles, grant_served

    with connect(database, application_name="benchmark") as conn:
        was_on = row_security.is_on(conn)
        if not was_on:
            ensure_roles(conn)
            grant_served(conn)
            started = time.perf_counter()
            row_security.apply(conn, True, {"clients": "sales", "desk": "desk"})
            taken = round(time.perf_counter() - started, 1)
            benchmark.add("row-level security turned on", taken, "s", at_least=False)
        many = {"percent": 20, "n": 20 * (WARM + ASKED)}
        words = [word for (name,) in conn.execute(_NAMES, many).fetchall() for word in name.split() if len(word) > 3]
        started = time.perf_counter()
        conn.execute(CLIENT_SCAN.encode())
        free = time.perf_counter() - started
        benchmark.add("scan of dim_client by who sees all", round(free, 2), "s", at_least=False)
        for department in ("desk", "service"):
            role = f"{conn.info.dbname}_reads_{department}"
            conn.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
            try:
                row_security.grant_department(conn, role, department)
                measure_reader(benchmark, database, role, department, words, seed)
            finally:
                row_security.revoke_department(conn, role, department)
                conn.execute(SQL("DROP ROLE {}").format(Identifier(role)))
        if not was_on:
            row_security.apply(conn, False, {})


def measure_reader(
    benchmark: Benchmark, database: str, role: str, department: str, words: list[str], seed: int
) -> None:
    """Search, one client, and scans as one reader sees them."""
    from warehouse.connect import connect

    rng, count = Random(seed), WARM + ASKED // 2
    with connect(database, application_name="benchmark") as conn:
        conn.autocommit = True
        conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(role)))
        benchmark.progress(f"a reader of {department}")
        parts = [word if rng.random() < 0.5 else word[: max(4, len(word) - 2)] for word in rng.choices(words, k=count)]
        taken = asked(lambda one: conn.execute(SEARCH, [one]).fetchall(), parts)
        add_quantiles(benchmark, f"{department}: search_client", taken, 50)
        started = time.perf_counter()
        row = conn.execute(CLIENT_SCAN.encode()).fetchone()
        seconds = round(time.perf_counter() - started, 2)
        benchmark.add(f"{department}: scan of dim_client, {row[0] if row else 0:,} seen", seconds, "s", at_least=False)
        started = time.perf_counter()
        conn.execute(SCAN.format("onefold_v1.fct_interaction").encode())
        seconds = round(time.perf_counter() - started, 2)
        benchmark.add(f"{department}: scan of fct_interaction", seconds, "s", at_least=False)


def measure_scans(benchmark: Benchmark, database: str) -> None:
    """The served facts beside their table; the best of several, turn by turn."""
    from warehouse.connect import connect

    best = {"core.interaction": float("inf"), "onefold_v1.fct_interaction": float("inf")}
    with connect(database, application_name="benchmark") as conn:
        conn.autocommit = True
        conn.execute("VACUUM (ANALYZE) core.interaction")
        for _ in range(SCANS):
            for relation, fastest in best.items():
                started = time.perf_counter()
                conn.execute(SCAN.format(relation).encode())
                best[relation] = min(fastest, time.perf_counter() - started)
    table, view = best.values()
    benchmark.add("full scan of fct_interaction", round(view, 2), "s", at_least=False)
    benchmark.add("... times the scan of its table", round(view / table, 2), "x", target=1.5, at_least=False)


class Follower(threading.Thread):
    """A reader of the change feed: asks on from the last number that it has, ten times a second when idle."""

    def __init__(self, database: str, after: int, last: int) -> None:
        super().__init__(daemon=True)
        self._database, self._after, self._last = database, after, last
        self.seen, self.lag = 0, 0.0
        self.gapless = True

    def run(self) -> None:
        """Until the last event has come, or nothing came for long."""
        from warehouse.connect import connect

        ends = time.monotonic() + 6 * SECONDS
        with connect(self._database, application_name="benchmark, follower") as conn:
            conn.autocommit = True
            while self._after < self._last and time.monotonic() < ends:
                rows = conn.execute(_FOLLOW, [self._after]).fetchall()
                if not rows:
                    time.sleep(0.1)
                    continue
                self.gapless &= [row[0] for row in rows] == list(range(self._after + 1, self._after + 1 + len(rows)))
                self.lag = max(self.lag, *(row[1] for row in rows))
                self.seen += len(rows)
                self._after = rows[-1][0]


def measure_feed(benchmark: Benchmark, database: str) -> None:
    """Readers that follow while a writer appends events as publish does, under the hub lock."""
    from warehouse.clock import allocate_events, hub_lock
    from warehouse.connect import connect, unit_of_work

    size = EVENTS_PER_SECOND // BATCHES_PER_SECOND
    total = SECONDS * EVENTS_PER_SECOND
    with connect(database, application_name="benchmark") as conn:
        row = conn.execute("SELECT coalesce(max(id), 0) FROM ops.change_event").fetchone()
        conn.rollback()
        assert row is not None
        followers = [Follower(database, row[0], row[0] + total) for _ in range(READERS)]
        for follower in followers:
            follower.start()
        started = time.perf_counter()
        for number in range(total // size):
            with unit_of_work(conn):
                hub_lock(conn)
                conn.execute(_EVENTS.encode(), {"first": allocate_events(conn, size), "count": size})
            time.sleep(max(0.0, started + (number + 1) / BATCHES_PER_SECOND - time.perf_counter()))
        written = time.perf_counter() - started
        for follower in followers:
            follower.join(7 * SECONDS)
        took = time.perf_counter() - started
    benchmark.add("change feed: events written a second", round(total / written), "events/s", target=9_900)
    slowest = min(follower.seen for follower in followers) / took
    benchmark.add(f"... read a second by each of {READERS} readers", round(slowest), "events/s", target=9_700)
    missed = sum(total - follower.seen for follower in followers) + sum(not one.gapless for one in followers)
    benchmark.add("... missed, or out of order", missed, "events", target=0, at_least=False)
    benchmark.add(
        "... longest from writing to reading", round(max(one.lag for one in followers), 2), "s", at_least=False
    )


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=1_000_000)
    options.add_argument("--interactions", type=int, default=10_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    options.add_argument("--database", help="URL of a hub that is filled already, of whatever size")
    options.add_argument("--reports", action="store_true", help="reports over all interactions too: minutes")
    options.add_argument(
        "--held", action="store_true", help="readers held to departments too: row-level security is on for that time"
    )
    given = options.parse_args()
    clients, interactions = (10_000, 100_000) if given.small else (given.clients, given.interactions)
    benchmark = Benchmark("serve")
    if given.database:
        measure(benchmark, given.database, given)
        return benchmark.finish(given)
    with scratch("serve") as folder, throwaway_postgres(folder, benchmark) as url:
        records = round(clients / CLIENTS_PER_RECORD)
        benchmark.progress(f"a hub with {records:,} records and {interactions:,} interactions")
        _, database = published(folder, url, records, interactions, given)
        measure(benchmark, database, given)
    benchmark.note(f"{records:,} records, {interactions:,} interactions, seed {given.seed}, shipped weights")
    return benchmark.finish(given)


def measure(benchmark: Benchmark, database: str, given: Namespace) -> None:
    """All of it on one published hub."""
    benchmark.add("database", database_size(database), "MiB", at_least=False)
    measure_questions(benchmark, database, given.seed)
    benchmark.progress("scans")
    measure_scans(benchmark, database)
    benchmark.progress("the change feed")
    measure_feed(benchmark, database)
    if given.reports:
        measure_reports(benchmark, database)
    if given.held:
        measure_held(benchmark, database, given.seed)


if __name__ == "__main__":
    sys.exit(main())
