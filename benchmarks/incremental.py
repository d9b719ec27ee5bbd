"""A thousand changed records in a hub that holds a million: seconds by step, and whose client id changes.

Of the generated persons nine tenths are resolved first: most of them from one file, ten thousand from a
register of their own. Three times a thousand of these are edited as clerks edit (a typing error, a new phone, a
removal), and `onefold run` brings the hub up to date; beside it, what comparing everything takes. The last
tenth arrives at the end: the share of the old records whose client id changes is the churn.
"""

from __future__ import annotations

import random
import statistics
import sys
from pathlib import Path

import pyarrow as pa
from common import Benchmark, parser
from generate import persons, scattered, typo, wrong_digit
from hub import document, onefold, persons_source, write_configuration
from pyarrow import csv
from services import migrated_database, scratch, throwaway_postgres

CHANGES = 1_000
ROUNDS = 3
STEPS = ("standardise", "resolve", "publish")


def edited(register: pa.Table, chosen: list[int], rng: random.Random) -> pa.Table:
    """`register` with the `chosen` rows edited: of each one a typing error, a phone or an address."""
    columns = {name: register[name].to_pylist() for name in register.column_names}
    for row in chosen:
        kind = rng.randrange(3)
        if kind == 0:
            columns["family_name"][row] = typo(columns["family_name"][row] or "Smith", rng)
        elif kind == 1:
            columns["phone"][row] = wrong_digit(columns["phone"][row] or "+447000000000", rng)
        else:
            columns["street"][row] = f"{rng.randrange(1, 200)} Chapel Road"
    return pa.table(columns, schema=register.schema)


def crosswalk(database: str) -> dict[int, str]:
    """Client id by record."""
    from warehouse.connect import connect

    with connect(database, application_name="benchmark") as conn:
        return dict(conn.execute("SELECT record_id, client_id::text FROM identity.crosswalk").fetchall())


def measure_changes(benchmark: Benchmark, config: Path, database: str, desk: Path, timeout: float) -> None:
    """Edit and run, round by round."""
    rng = random.Random(7)
    register = csv.read_csv(desk, convert_options=csv.ConvertOptions(column_types=texts(desk)))
    rounds = []
    for number in range(ROUNDS):
        benchmark.progress(f"{CHANGES:,} changes, round {number + 1}")
        chosen = list(range(number * CHANGES, (number + 1) * CHANGES))
        register = edited(register, chosen, rng)
        csv.write_csv(register, desk)
        done = onefold(config, database, "run", "--source", "desk", timeout=timeout)
        rounds.append((document(done), done))
    for step in STEPS:
        seconds = [report[step]["seconds"] for report, _ in rounds]
        benchmark.add(f"{CHANGES:,} changes: {step}", round(statistics.median(seconds), 2), "s", at_least=False)
    totals = [sum(report[step]["seconds"] for step in STEPS) for report, _ in rounds]
    benchmark.add(
        f"{CHANGES:,} changes: in the warehouse", round(statistics.median(totals), 2), "s", target=2, at_least=False
    )
    whole = statistics.median([done.seconds for _, done in rounds])
    benchmark.add(f"{CHANGES:,} changes: whole process, with sync", round(whole, 2), "s", at_least=False)
    benchmark.add("records clustered anew", rounds[-1][0]["resolve"]["compared"], "records", at_least=False)
    benchmark.add("pairs compared", rounds[-1][0]["resolve"]["candidate_pairs"], "pairs", at_least=False)
    benchmark.add("peak memory", max(done.peak_mib for _, done in rounds), "MiB", at_least=False)


def texts(path: Path) -> dict[str, pa.DataType]:
    """All columns of a CSV file as text."""
    with path.open(encoding="utf-8") as file:
        return {name.strip('"\n'): pa.string() for name in file.readline().split(",")}


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--train", action="store_true", help="train on the resolved records before the changes")
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    given = options.parse_args()
    count = 20_000 if given.small else given.records
    benchmark = Benchmark("incremental")
    with scratch("incremental") as folder, throwaway_postgres(folder, benchmark) as url:
        benchmark.progress(f"generating {count:,} records")
        generated = scattered(persons(count, given.seed).records, given.seed)
        first, of_desk = count * 9 // 10, min(10 * CHANGES, count // 4)
        parts = {
            "clients": generated.slice(0, first - of_desk),
            "desk": generated.slice(first - of_desk, of_desk),
            "later": generated.slice(first),
        }
        for name, part in parts.items():
            csv.write_csv(part, folder / f"{name}.csv")
        sources = {name: persons_source(folder / f"{name}.csv") for name in ("clients", "desk")}
        config = write_configuration(folder / "config", sources)
        database = migrated_database(url, "hub")
        benchmark.progress("the first run")
        cold = document(onefold(config, database, "run", timeout=given.timeout))
        benchmark.add("first run", round(cold["seconds"], 1), "s", at_least=False)
        if given.train:
            benchmark.progress("training")
            onefold(config, database, "train", "--use", timeout=given.timeout)
        measure_changes(benchmark, config, database, folder / "desk.csv", given.timeout)
        benchmark.progress("comparing everything, for comparison")
        everything = document(onefold(config, database, "resolve", "--all", timeout=given.timeout))
        benchmark.add("comparing everything instead", round(everything["seconds"], 2), "s", at_least=False)
        benchmark.add("... records that it moved", everything["moved"], "records", target=0, at_least=False)
        before = crosswalk(database)
        write_configuration(folder / "config", {"later": persons_source(folder / "later.csv")})
        benchmark.progress("the last tenth arrives")
        onefold(config, database, "run", "--source", "later", timeout=given.timeout)
        after = crosswalk(database)
        changed = sum(after.get(record) != client for record, client in before.items())
        benchmark.add(
            "old records whose client id changes when 10 % more arrive",
            round(100 * changed / len(before), 3),
            "%",
            target=0.5,
            at_least=False,
        )
    benchmark.note(f"{count:,} persons, seed {given.seed}; {'trained' if given.train else 'shipped weights'}")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
