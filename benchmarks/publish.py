"""Publishing: golden records of a million records, the links of ten million interactions, what a change costs.

Cold: the golden records with their history, lineage and change feed; then the interactions' clients, as many again
for each client as a company has after some years. Warm: a run without news, a thousand edited records, a thousand
corrected interactions. Beside it a plain dbt project makes golden records of the same records, without lineage and
change feed: an incremental model merged by client and a snapshot.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import rivals
from common import Benchmark, parser
from hub import document, onefold
from incremental import CHANGES, edited, texts
from processes import Measured, measure
from pyarrow import csv
from served_hub import add_interactions, database_size, resolved
from services import scratch, throwaway_postgres, tools_url

ROUNDS = 3
DBT = "dbt: merge and snapshot"
SECONDS_PER_MILLION = 60

_CORRECT = """
WITH corrected AS (
    UPDATE core.interaction SET amount = amount + 1, content_hash = gen_random_uuid(), changed_seq = NULL
    WHERE record_id IN (SELECT hashint8extended(n, 7) FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n)
    RETURNING record_id
)
INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM corrected
"""


_TOUCHED = """
DROP TABLE IF EXISTS dbt.touched;
CREATE TABLE dbt.touched AS SELECT client_id FROM core.client WHERE changed_seq > {after};
ANALYZE dbt.touched
"""


def last_event(database: str) -> int:
    """The end of the change feed."""
    from warehouse.connect import connect

    with connect(database, application_name="benchmark") as conn:
        row = conn.execute("SELECT coalesce(max(id), 0) FROM ops.change_event").fetchone()
    assert row is not None
    return int(row[0])


def dbt(database: str, tools: str, folder: Path, what: str, after: int = 0) -> float:
    """Seconds of dbt's work on the same records: all of them (`build`), or the clients since an event (`change`)."""
    from warehouse.connect import connect, unit_of_work

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        conn.execute("CREATE SCHEMA IF NOT EXISTS dbt")
        conn.execute(_TOUCHED.format(after=after).encode())
    script = rivals.SCRIPTS / "dbt_golden.py"
    done = measure(
        [rivals.python_of("dbt"), script, folder / "dbt", what], timeout=3_600, env={"BENCH_DATABASE_URL": tools}
    )
    return float(done.last_json()["seconds"])


def correct_interactions(database: str, first: int, last: int) -> None:
    """Change the amounts of these interactions, as a standardise of corrected documents leaves them."""
    from warehouse.connect import connect, unit_of_work

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        conn.execute(_CORRECT.encode(), {"first": first, "last": last})


def edit_desk(desk: Path, number: int) -> None:
    """A thousand records of the small register edited as clerks edit."""
    register = csv.read_csv(desk, convert_options=csv.ConvertOptions(column_types=texts(desk)))
    chosen = [row % register.num_rows for row in range(number * CHANGES, (number + 1) * CHANGES)]
    csv.write_csv(edited(register, chosen, random.Random(number)), desk)


def median(benchmark: Benchmark, what: str, seconds: list[float], target: float, by_dbt: Sequence[float] = ()) -> None:
    """The middle of the rounds as a row."""
    theirs = round(statistics.median(by_dbt), 2) if by_dbt else None
    benchmark.add(
        what,
        round(statistics.median(seconds), 2),
        "s",
        rival=DBT if by_dbt else None,
        rival_value=theirs,
        target=target,
        at_least=False,
    )


def main() -> int:
    """Measure and print."""
    from warehouse import connect

    options = parser(__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--interactions", type=int, default=10_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    given = options.parse_args()
    records, interactions = (20_000, 200_000) if given.small else (given.records, given.interactions)
    benchmark = Benchmark("publish")

    def step(*command: str) -> Measured:
        benchmark.progress(" ".join(command))
        return onefold(config, database, *command, timeout=given.timeout)

    with scratch("publish") as folder, throwaway_postgres(folder, benchmark) as url:
        benchmark.progress(f"a hub with {records:,} records")
        config, database = resolved(folder, url, records, given.seed, given.timeout)
        cold = step("publish")
        report = document(cold)
        bar = SECONDS_PER_MILLION * records / 1e6 if records >= 100_000 else None
        tools = connect.with_database(tools_url(folder), "hub")
        theirs = None if given.no_rivals else round(dbt(database, tools, folder, "build"), 1)
        benchmark.add(
            f"{records:,} records published cold",
            round(report["seconds"], 1),
            "s",
            rival=DBT,
            rival_value=theirs,
            target=bar,
            at_least=False,
        )
        benchmark.add("... records a second", round(records / report["seconds"]), "records/s")
        benchmark.add("... clients", report["clients"], "clients")
        benchmark.add("... peak memory", cold.peak_mib, "MiB", at_least=False)
        benchmark.add("... database", database_size(database), "MiB", at_least=False)
        benchmark.progress(f"{interactions:,} interactions")
        add_interactions(database, 1, interactions)
        facts = step("publish")
        seconds = document(facts)["seconds"]
        benchmark.add(f"{interactions:,} interactions linked", round(seconds, 1), "s", at_least=False)
        benchmark.add("... interactions a second", round(interactions / seconds), "rows/s")
        benchmark.add("... peak memory", facts.peak_mib, "MiB", at_least=False)
        benchmark.add("... database", database_size(database), "MiB", at_least=False)
        idle = [step("run") for _ in range(ROUNDS)]
        median(benchmark, "run without news, whole process", [one.seconds for one in idle], 2)
        by_dbt: list[float] = []
        published, after = [], last_event(database)
        for number in range(ROUNDS):
            edit_desk(folder / "desk.csv", number)
            published.append(document(step("run", "--source", "desk"))["publish"]["seconds"])
            if theirs is not None:
                benchmark.progress("dbt")
                by_dbt.append(dbt(database, tools, folder, "change", after))
            after = last_event(database)
        median(benchmark, f"{CHANGES:,} edited records: publish", published, 1, by_dbt)
        corrected = []
        for number in range(ROUNDS):
            correct_interactions(database, 1 + number * CHANGES, (number + 1) * CHANGES)
            corrected.append(document(step("publish"))["seconds"])
        median(benchmark, f"{CHANGES:,} corrected interactions: publish", corrected, 1)
    benchmark.note(f"{records:,} persons, {interactions:,} interactions, seed {given.seed}, shipped weights")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
