"""Landing rate of the HTTP engine, beside the floor of the machine and dlt's merge, in one run.

50,000 contacts of 25 fields in pages of 1,000 from a local server, into a PostgreSQL with fsync on: a first
load, a page set that changes nothing, one that changes every record. The floor is httpx + msgspec + COPY
and keeps nothing but the payload; `onefold sync` beside it keeps checkpoints, versions, tombstones, rejects
and the work queue. Rates count the time inside the step (dlt: inside `pipeline.run`), not the start of the
interpreter, which is printed on its own. `ingest.py` runs it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import urllib.request
from pathlib import Path

import rivals
from common import Benchmark
from hub import contacts_source, document, onefold, write_configuration
from processes import Measured, measure
from services import (
    contacts_server,
    fresh_database,
    migrated_database,
    tools_url,
)

SETS = {"base": "first load", "same": "nothing changed", "changed": "everything changed"}
RATE = 15_000
SHARE_OF_FLOOR = 0.8
MEMORY_MIB = 100
TIMES_DLT = 5


class Rates:
    """Records a second and peak memory of one contender, over all rounds."""

    def __init__(self) -> None:
        self.by_set: dict[str, list[float]] = {name: [] for name in SETS}
        self.peaks: list[float] = []
        self.starts: list[float] = []

    def take(self, done: Measured, records: int, seconds: dict[str, float]) -> None:
        """One process that landed one or more page sets."""
        self.peaks.append(done.peak_mib)
        self.starts.append(done.seconds - sum(seconds.values()))
        for name, taken in seconds.items():
            self.by_set[name].append(records / taken)

    def rate(self, name: str) -> int | None:
        """The median rate."""
        return round(statistics.median(self.by_set[name])) if self.by_set[name] else None

    @property
    def peak(self) -> float | None:
        """The highest memory of any round, MiB."""
        return max(self.peaks, default=None)


def floor(rates: Rates, how: str, address: str, url: str, records: int) -> None:
    """httpx + msgspec + COPY."""
    script = rivals.SCRIPTS / "http_floor.py"
    database = fresh_database(url, "floor")
    done = measure([sys.executable, script, address, how, *SETS], timeout=600, env={"BENCH_DATABASE_URL": database})
    rates.take(done, records, {name: value["seconds"] for name, value in done.last_json().items()})


def ours(rates: Rates, address: str, url: str, folder: Path, records: int) -> None:
    """`onefold sync`, a process for each page set, on a database that is migrated beforehand."""
    config = write_configuration(folder / "config", {"crm": contacts_source(address)})
    database = migrated_database(url, "hub")
    wanted = {"base": "inserted", "same": "unchanged", "changed": "updated"}
    for name, title in SETS.items():
        urllib.request.urlopen(f"{address}/use/{name}", timeout=30).close()
        done = onefold(config, database, "sync", "crm", "--full")
        report = document(done)
        counted = report["streams"][0][wanted[name]]
        if counted != records:
            raise RuntimeError(f"{title}: {counted} records {wanted[name]}, not {records}")
        rates.take(done, records, {name: report["seconds"]})


def dlt(rates: Rates, address: str, url: str, folder: Path, records: int) -> None:
    """dlt's rest_api source with merge disposition."""
    script, database = rivals.SCRIPTS / "dlt_merge.py", fresh_database(url, "dlt")
    done = measure(
        [rivals.python_of("dlt"), script, address, folder / "dlt", *SETS],
        timeout=900,
        env={"BENCH_DATABASE_URL": database},
    )
    answer = done.last_json()
    for name, value in answer.items():
        if value["records"] != records:
            raise RuntimeError(f"dlt, {SETS[name]}: {value['records']} records, not {records}")
    rates.take(done, records, {name: value["seconds"] for name, value in answer.items()})


def compare(benchmark: Benchmark, folder: Path, url: str, given: argparse.Namespace) -> None:
    """Measure in rounds and report."""
    append, upsert, hub, merge = Rates(), Rates(), Rates(), Rates()
    records = given.records
    with contacts_server(records, given.page_size, 3_000) as address:
        for turn in range(given.times):
            benchmark.progress(f"round {turn + 1}: floor")
            floor(append, "append", address, url, records)
            floor(upsert, "upsert", address, url, records)
            benchmark.progress(f"round {turn + 1}: onefold sync")
            ours(hub, address, url, folder / f"hub{turn}", records)
            if not given.no_rivals:
                benchmark.progress(f"round {turn + 1}: dlt merge")
                dlt(merge, address, tools_url(folder), folder / f"dlt{turn}", records)
    report(benchmark, records, append=append, upsert=upsert, hub=hub, merge=merge)


def report(benchmark: Benchmark, records: int, *, append: Rates, upsert: Rates, hub: Rates, merge: Rates) -> None:
    """The rows: ours beside the floor, then beside dlt."""
    unit = "records/s"
    for name, title in SETS.items():
        mine, least = hub.rate(name), upsert.rate(name)
        # The bar is 15,000 records/s, or on a slower machine 80 % of its floor.
        target = min(RATE, round(SHARE_OF_FLOOR * least)) if least else RATE
        benchmark.add(f"sync, {title}", mine, unit, rival="floor: keyed upsert", rival_value=least, target=target)
    for name, title in SETS.items():
        benchmark.add(f"sync, {title}", hub.rate(name), unit, rival="dlt merge", rival_value=merge.rate(name))
        mine, theirs = hub.rate(name), merge.rate(name)
        if mine and theirs:
            benchmark.add(f"times dlt merge, {title}", round(mine / theirs, 2), "times", target=TIMES_DLT)
    benchmark.add(
        "sync, peak memory",
        hub.peak,
        "MiB",
        rival="dlt merge",
        rival_value=merge.peak,
        target=MEMORY_MIB,
        at_least=False,
    )
    benchmark.add("floor: append, first load", append.rate("base"), unit)
    benchmark.add("floor: keyed upsert, peak memory", upsert.peak, "MiB", at_least=False)
    benchmark.add("sync, start and end of the process", round(statistics.median(hub.starts), 2), "s", at_least=False)
    benchmark.note(f"{records:,} records of 25 fields, {len(hub.by_set['base'])} round(s)")
