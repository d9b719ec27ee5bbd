"""Documents kept in parallel: linking those of ten million interactions, and a thousand of them that change.

The documents of `ledgers.py` go by COPY where standardise leaves them, beside published clients and their groups:
landing and mapping have benchmarks of their own. Cold: they are published, in a process of its own, which links them;
and once more without linking them, on a copy of the database: what is more is the price of links. Warm: a thousand
amounts are corrected, and `onefold publish` brings facts and links up to them. The events found are compared with the
sales that were made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ledgers
import numpy as np
import pyarrow as pa
from common import ROOT, Benchmark, parser
from hub import document, onefold, persons_source, write_configuration
from processes import Measured, measure
from publish import median
from served_hub import database_size
from services import migrated_database, scratch, throwaway_postgres

from warehouse import arrow
from warehouse.connect import connect, create_database, database_name, drop_database, unit_of_work, with_database
from warehouse.sql import sql

if TYPE_CHECKING:
    import psycopg

ROUNDS = 5
FULL = 10_000_000
COLD_SECONDS, WARM_SECONDS = 120, 2
_WORTH_A_TARGET = 0.9
"""Share of the full size from which its targets are meant."""

_FIRST_EVENT = """
INSERT INTO ops.change_event (id, at, kind, payload) VALUES (%(seq)s, now(), 'facts', '{}')
"""
_QUEUE = "INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM core.interaction"
_CORRECT = """
WITH chosen AS (
    SELECT (%(ids)s::bigint[])[n] AS record_id FROM generate_series(1, cardinality(%(ids)s::bigint[])) AS n
), corrected AS (
    UPDATE core.interaction AS i SET amount = amount + 1, content_hash = gen_random_uuid(), changed_seq = NULL
    FROM chosen AS c WHERE i.record_id = c.record_id
    RETURNING i.record_id
)
INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM corrected
"""
_SOME = "SELECT record_id FROM core.interaction TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (%(seed)s)"
_TRUTH = """
WITH found AS (
    SELECT event_id, split_part(source_key, '-', 1)::integer AS sale FROM core.interaction
)
SELECT
    (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM found GROUP BY event_id, sale) AS right_),
    (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM found GROUP BY event_id) AS made),
    (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM found GROUP BY sale) AS there)
"""


def fill(database: str, count: int, seed: int, benchmark: Benchmark) -> None:
    """Documents that wait to be published; clients, their records and groups, as they are after they were."""
    from warehouse.clock import allocate_events

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        seq = allocate_events(conn, 1)
        conn.execute(_FIRST_EVENT.encode(), {"seq": seq})
        _fill_clients(conn, ledgers.clients_of(count), seq)
        with arrow.indexes_rebuilt(conn, ["core.interaction"], wanted=True):
            done = 0
            for part in ledgers.documents(count, seed):
                done += arrow.copy_in(conn, "core.interaction", part)
                benchmark.progress(f"{done:,} documents stored")
        conn.execute(_QUEUE.encode())
    with connect(database, application_name="benchmark") as conn:
        conn.execute("VACUUM (ANALYZE) core.interaction, ops.pending")


def _fill_clients(conn: psycopg.Connection, count: int, seq: int) -> None:
    numbers = np.arange(count)
    ids, records = ledgers.client_ids(numbers), ledgers.party_ids(numbers)
    since = pa.repeat(pa.scalar(0, pa.timestamp("us", tz="UTC")), count)
    first = pa.repeat(pa.scalar(seq, pa.int64()), count)
    client = {
        "client_id": ids,
        "kind": pa.repeat("organisation", count),
        "role": pa.repeat("client", count),
        "attributes": pa.repeat("{}", count),
        "lineage": pa.repeat("{}", count),
        "record_count": pa.repeat(pa.scalar(1, pa.int32()), count),
        "golden_hash": ids,
        "valid_from": since,
        "changed_seq": first,
    }
    arrow.load(conn, "core.client", pa.table(client))
    crosswalk = {"record_id": records, "client_id": ids, "since": since, "changed_seq": first}
    arrow.load(conn, "identity.crosswalk", pa.table(crosswalk))
    conn.execute(sql("resolution.set_clients"), {"clients": count})
    of, head = (ledgers.party_ids(ends) for ends in ledgers.members(count))
    stated = {
        "record_id": of,
        "from_record_id": of,
        "to_record_id": head,
        "type": pa.repeat("member_of", len(of)),
        "changed_seq": pa.repeat(pa.scalar(seq, pa.int64()), len(of)),
    }
    arrow.load(conn, "core.relationship", pa.table(stated))


def correct(database: str, number: int, documents: int, changed: int) -> None:
    """Change the amounts of so many documents from everywhere, as a standardise of corrected ones leaves them."""
    from warehouse.arrays import bigints

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        percent = min(100.0, 100 * 40 * changed / documents)
        rows = conn.execute(_SOME.encode(), {"percent": percent, "seed": number}).fetchall()
        chosen = np.random.default_rng(number).permutation(np.array(rows, np.int64).reshape(-1))[:changed]
        conn.execute(_CORRECT.encode(), {"ids": bigints(chosen.tolist())})


def measure_truth(benchmark: Benchmark, database: str) -> None:
    """Pairs of documents in one event beside those of one sale."""
    with connect(database, application_name="benchmark") as conn:
        row = conn.execute(_TRUTH.encode()).fetchone()
    assert row is not None
    right, made, there = (int(value or 0) for value in row)
    benchmark.add("... pairs of one event that are of one sale", round(right / max(made, 1), 4), "precision")
    benchmark.add("... pairs of one sale that are of one event", round(right / max(there, 1), 4), "recall")


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--documents", type=int, default=FULL)
    options.add_argument("--changed", type=int, default=1_000, help="documents that are corrected in a round")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--kept", type=Path, help="folder: a first run makes the documents there, a second one links them"
    )
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    given = options.parse_args()
    count = 100_000 if given.small else given.documents
    bar = count / FULL if count >= _WORTH_A_TARGET * FULL else None
    benchmark = Benchmark("documents")
    with _folder(given.kept) as folder, throwaway_postgres(folder, benchmark) as url:
        filled = folder / "filled"
        # Nothing is read from them: they are registers that the configuration knows.
        registers = {name: persons_source(folder / "none.csv") for name in ledgers.REGISTERS}
        config, database = folder / "config", str(with_database(url, "hub"))
        if not filled.exists():
            config, database = write_configuration(config, registers), migrated_database(url, "hub")
            # The rules in force are noted while there is nothing: else the first publish would do everybody anew.
            for step in ("standardise", "publish"):
                onefold(config, database, step, timeout=given.timeout)
            fill(database, count, given.seed, benchmark)
            filled.touch()
            if given.kept:
                benchmark.progress(f"the documents are made; run again to link them: {folder}")
                return 0
        measure_cold(benchmark, config, database, count, bar, given.timeout)
        benchmark.progress("compare with the sales that were made")
        measure_truth(benchmark, database)
        measure_warm(benchmark, config, database, count, given.changed, bar, given.timeout)
    benchmark.note(f"{count:,} documents of {ledgers.clients_of(count):,} clients, seed {given.seed}")
    return benchmark.finish(given)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Where the server's files are: for this run alone, or kept."""
    if kept is None:
        with scratch("documents") as folder:
            yield folder
        return
    kept.mkdir(mode=0o755, parents=True, exist_ok=True)
    yield kept.resolve()


def measure_cold(
    benchmark: Benchmark, config: Path, database: str, count: int, bar: float | None, timeout: float
) -> None:
    """Publish all, without their links and with them."""
    plain = str(with_database(database, "plain"))
    benchmark.progress("publish all without links, on a copy")
    create_database(plain, database_name(database))
    without = _cold(config, plain, timeout, "plain").last_json()
    drop_database(plain)
    benchmark.progress("publish and link all")
    cold = _cold(config, database, timeout, "linked")
    told = cold.last_json()
    seconds = told["seconds"] - without["seconds"]
    target = None if bar is None else COLD_SECONDS * bar
    benchmark.add(
        f"{count:,} documents linked cold: beside publishing them",
        round(seconds, 1),
        "s",
        target=target,
        at_least=False,
    )
    benchmark.add("... published without links", round(without["seconds"], 1), "s", at_least=False)
    benchmark.add("... published and linked", round(told["seconds"], 1), "s", at_least=False)
    benchmark.add("... documents a second", round(count / told["seconds"]), "documents/s")
    benchmark.add("... processor time of Onefold", round(cold.cpu_seconds, 1), "s", at_least=False)
    benchmark.add("... peak memory of Onefold", cold.peak_mib, "MiB", at_least=False)
    for step, taken in told["steps"].items():
        also = f" (without links {without['steps'][step]} s)" if step in without["steps"] else ""
        benchmark.add(f"... {step}{also}", taken, "s", at_least=False)
    benchmark.add("... database", database_size(database), "MiB", at_least=False)


def _cold(config: Path, database: str, timeout: float, what: str) -> Measured:
    run = Path(__file__).with_name("document_run.py")
    env = {"ONEFOLD_DATABASE_URL": database, "PYTHONPATH": str(ROOT)}
    return measure([sys.executable, run, config, what], timeout=timeout, env=env)


def measure_warm(
    benchmark: Benchmark, config: Path, database: str, count: int, changed: int, bar: float | None, timeout: float
) -> None:
    """A publish after `changed` corrected amounts, in tables as autovacuum leaves them, when what was loaded is on
    disk: writing ten million documents takes the disk for minutes."""
    with connect(database, application_name="benchmark") as conn:
        conn.execute("VACUUM (ANALYZE) core.interaction, core.document_place, core.document_link")
        conn.execute("CHECKPOINT")
    published, linked, peaks = [], [], []
    for number in range(ROUNDS):
        benchmark.progress(f"{changed:,} corrected documents, round {number + 1}")
        correct(database, number, count, changed)
        done = onefold(config, database, "publish", timeout=timeout)
        report = document(done)
        published.append(report["seconds"])
        linked.append(report["documents_linked"])
        peaks.append(done.peak_mib)
    target = None if bar is None or changed > 1_000 else WARM_SECONDS
    median(benchmark, f"{changed:,} corrected documents: publish, links included", published, target)
    benchmark.add("... the slowest round", max(published), "s", at_least=False)
    benchmark.add("... documents linked anew", sorted(linked)[ROUNDS // 2], "documents")
    benchmark.add("... peak memory", max(peaks), "MiB", at_least=False)


if __name__ == "__main__":
    sys.exit(main())
