"""What a sync takes from its source: landing rates, latency, a rate budget, a kill in the middle, a database.

In one run, on a PostgreSQL with fsync on: `landing.py` beside its floor and dlt; a source that answers after 200 ms, of
whose latency at least 90 % must be used; a budget of 2 requests a second, used to 95 % and never exceeded; a million
records, killed half-way and resumed; a table of a million rows.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import landing
from common import Benchmark, parser
from hub import contacts_source, document, onefold, onefold_command, write_configuration
from services import fresh_database, local_server, migrated_database, scratch, throwaway_postgres, tools_url

LATENCY_MS, LATENCY_SHARE = 200, 0.9
BUDGET, BUDGET_SHARE = 2, 0.95
ROWS_A_SECOND = 50_000
JITTER = 0.005
"""Seconds by which two requests may come nearer to each other on their way than they were sent."""


def asked(address: str) -> list[tuple[int, float]]:
    """Page and time of every request that the paced server had."""
    with urllib.request.urlopen(f"{address}/asked", timeout=30) as answer:
        return [(page, at) for page, at in json.load(answer)]


def latency(benchmark: Benchmark, folder: Path, url: str, pages: int) -> None:
    """A source that answers late: how much of what its latency allows is reached."""
    benchmark.progress(f"{pages} pages of {LATENCY_MS} ms")
    with local_server("paced_server.py", records=pages * 1000, latency_ms=LATENCY_MS, seconds=600) as address:
        config = write_configuration(folder / "latency" / "config", {"crm": contacts_source(address)})
        onefold(config, migrated_database(url, "latency"), "sync", "crm")
        times = [at for _, at in asked(address)]
    # From the first question to the last: what comes before and after is the same for any number of pages.
    share = (len(times) - 1) * LATENCY_MS / 1000 / (times[-1] - times[0])
    benchmark.add(f"share of what {LATENCY_MS} ms a page allow", round(share, 3), "", target=LATENCY_SHARE)


def budget(benchmark: Benchmark, folder: Path, url: str, pages: int) -> None:
    """A budget of requests a second: how much of it is used, and the fullest window of any length."""
    benchmark.progress(f"{pages} pages at {BUDGET}/s")
    with local_server("paced_server.py", records=pages * 100, page_size=100, seconds=600) as address:
        source = contacts_source(address, {"rate": BUDGET})
        config = write_configuration(folder / "budget" / "config", {"crm": source})
        onefold(config, migrated_database(url, "budget"), "sync", "crm")
        times = [at for _, at in asked(address)]
    share = (len(times) - 1) / BUDGET / (times[-1] - times[0])
    benchmark.add(f"share of a budget of {BUDGET}/s that is used", round(share, 4), "", target=BUDGET_SHARE)
    benchmark.add("requests over that budget in the worst window", over_budget(times), "", target=0, at_least=False)


def over_budget(times: Sequence[float]) -> int:
    """The most requests by which any window, from one request to another, exceeds 1 + BUDGET * its length."""
    return max(
        (last - first + 1) - int(1 + BUDGET * (times[last] - times[first] + JITTER))
        for first in range(len(times))
        for last in range(first, len(times))
    )


def resume(benchmark: Benchmark, folder: Path, url: str, records: int) -> None:
    """kill -9 half-way, then again: what is landed a second time, and what is asked for a second time."""
    benchmark.progress(f"{records:,} records, killed half-way")
    pages = records // 1000
    with local_server("paced_server.py", records=records, seconds=1200) as address:
        config = write_configuration(folder / "resume" / "config", {"crm": contacts_source(address)})
        database = migrated_database(url, "resume")
        process = subprocess.Popen(
            onefold_command(config, "sync", "crm"),
            env={**os.environ, "ONEFOLD_DATABASE_URL": database},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 600
            while len(asked(address)) < pages // 2 and process.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if process.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the sync ended with {process.returncode} before it was killed")
        done = onefold(config, database, "sync", "crm")
        numbers = [page for page, _ in asked(address)]
    report = document(done)["streams"][0]
    if sorted(set(numbers)) != list(range(1, pages + 1)):
        raise RuntimeError("not every page was asked for")
    again = (report["unchanged"] + report["updated"]) / 1000
    benchmark.add(f"pages landed again, {records:,} records", again, "pages", target=1, at_least=False)
    benchmark.add("pages asked for again (landing, ready, under way)", len(numbers) - pages, "pages", at_least=False)
    benchmark.add("resumed sync, peak memory", done.peak_mib, "MiB", target=landing.MEMORY_MIB, at_least=False)


TABLE = """
CREATE TABLE customers AS
SELECT g AS id, 'Customer ' || g AS name, 'c' || g || '@example.com' AS email, '+4930' || (10000000 + g) AS phone,
    (ARRAY['Leeds', 'Hamburg', 'Казань', 'Lyon'])[1 + g % 4] AS city, round((g % 1000) / 7.0, 2) AS score,
    g % 3 = 0 AS is_active, timestamptz '2024-01-01' + g * interval '7 seconds' AS updated_at
FROM generate_series(1, {rows}) AS g;
ALTER TABLE customers ADD PRIMARY KEY (id)
"""


def database_source(benchmark: Benchmark, folder: Path, url: str, rows: int) -> None:
    """A table of eight columns in the same server: first load, and a run in which nothing changed."""
    from warehouse.connect import connect

    benchmark.progress(f"a table of {rows:,} rows")
    shop = fresh_database(url, "shop")
    with connect(shop, application_name="benchmark") as conn:
        for statement in TABLE.format(rows=rows).split(";"):
            conn.execute(statement)
    address = tools_url(folder).replace("postgresql://", "postgresql+psycopg://")
    source: dict[str, Any] = {
        "connector": "sql",
        "settings": {"url": address.rpartition("/")[0] + "/shop"},
        "streams": {"customers": {"as": "organisation", "key": "id", "fields": {"legal_name": "name"}}},
    }
    config = write_configuration(folder / "sql" / "config", {"erp": source})
    database = migrated_database(url, "sql")
    for what, count in (("first load", "inserted"), ("nothing changed", "unchanged")):
        done = onefold(config, database, "sync", "erp")
        report = document(done)
        if report["streams"][0][count] != rows:
            raise RuntimeError(f"table, {what}: {report['streams'][0]}")
        rate = round(rows / report["seconds"])
        benchmark.add(f"table of {rows:,} rows, {what}", rate, "rows/s", target=ROWS_A_SECOND)
        benchmark.add(f"table, {what}, peak memory", done.peak_mib, "MiB", at_least=False)


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, default=50_000, help="of landing")
    options.add_argument("--page-size", type=int, default=1_000, help="of landing")
    options.add_argument("--times", type=int, default=1, help="rounds of landing; the median rate counts")
    options.add_argument("--only", choices=("landing", "latency", "budget", "resume", "sql"), help="one part")
    given: argparse.Namespace = options.parse_args()
    size = 20 if given.small else 1
    given.records = given.records // (10 if given.small else 1)
    parts = {
        "landing": lambda: landing.compare(benchmark, folder, url, given),
        "latency": lambda: latency(benchmark, folder, url, 50 if not given.small else 15),
        "budget": lambda: budget(benchmark, folder, url, 40 if not given.small else 10),
        "resume": lambda: resume(benchmark, folder, url, 1_000_000 // size),
        "sql": lambda: database_source(benchmark, folder, url, 1_000_000 // size),
    }
    benchmark = Benchmark("ingest")
    with scratch("ingest") as folder, throwaway_postgres(folder, benchmark) as url:
        for name, part in parts.items():
            if given.only in (None, name):
                part()
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
