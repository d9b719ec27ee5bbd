"""One whole run by each engine: in memory, in parts with a bound on memory, and on Spark with one and two executors.

Seconds and processor seconds, peak memory of the process that asks (of the run in parts against its bound), of
executors' Java and Python, and bytes that Spark shuffles, on the persons of generate.py with the shipped weights;
whether all find the same clients. Executors are processes of this machine with a core each (Spark's `local-cluster`),
so that two of them and the engine in memory have the same two cores.

`--data FOLDER` takes labelled data sets instead, each in six parts however small, and says whether every engine finds
the same clients by the same pairs with the same weights, and the same cases. (FOLDER: those that are not in a package;
`--only` some of them.)
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from common import Benchmark, parser
from datasets import found_in, load
from processes import Measured, measure
from resolve import GROWTH, HERE, MOST_MEMORY, TIMEOUT, generated
from services import scratch

SIZES = (1_000_000, 5_000_000)
ENGINES = {
    "in memory": "memory",
    "in parts": "parts:{memory}",
    "Spark, 1 executor": "local-cluster[1,1,2048]",
    "Spark, 2 executors": "local-cluster[2,1,2048]",
}
ON_DATA = ("in memory", "in parts", "Spark, 2 executors")
CHILDREN = {
    "Java of the driver": "org.apache.spark.deploy.SparkSubmit",
    "Java of an executor": "org.apache.spark.executor.CoarseGrainedExecutorBackend",
    "Python of an executor": "pyspark.daemon",
}
COUNTED = ("candidate_pairs", "plausible_pairs", "clusters")
_SIXTH = 3  # a part of the grid is half of what may be in memory at once


@dataclass(frozen=True)
class Outcome:
    """One run."""

    done: Measured
    told: Mapping[str, Any]
    target: Path

    @property
    def seconds(self) -> float:
        """All of its stages."""
        return float(sum(self.told["seconds"].values()))

    def is_like(self, other: Outcome) -> bool:
        """Whether all is the same that both wrote and counted."""
        files = sorted(path.name for path in self.target.iterdir())
        return all(self.told[name] == other.told[name] for name in COUNTED) and all(
            pq.read_table(self.target / name).equals(pq.read_table(other.target / name)) for name in files
        )


def memory_of(size: int) -> int:
    """MiB of the run in parts, unless told: what docs/scale.md was measured with."""
    return 2048 if size <= SIZES[0] else 4096


def ran(name: str, folder: Path, memory: int, options: Mapping[str, Any] | None = None) -> Outcome:
    """One engine on what lies prepared in the folder."""
    engine, target = ENGINES[name].format(memory=memory), folder / name
    command = [sys.executable, HERE / "kernel_scale.py", engine, folder, target, json.dumps(dict(options or {}))]
    done = measure(command, timeout=TIMEOUT, children=CHILDREN if name.startswith("Spark") else None)
    return Outcome(done, done.last_json(), target)


def prepare(folder: Path) -> None:
    """Standard forms of records.parquet, and cards of them."""
    measure(
        [sys.executable, HERE / "kernel_resolve.py", "prepare", folder / "records.parquet", folder], timeout=TIMEOUT
    )
    measure([sys.executable, HERE / "kernel_scale.py", "cards", folder], timeout=TIMEOUT)


def add(benchmark: Benchmark, size: int, name: str, found: Outcome, memory: int, first: Outcome | None) -> None:
    """The rows of one engine at one size. `first`: the outcome of the engine before it."""
    what, seconds = f"{size:,} persons, {name}", found.told["seconds"]
    bound = memory if name == "in parts" else MOST_MEMORY if size == GROWTH[-1] else None
    benchmark.add(f"{what}: all", round(found.seconds, 1), "s", at_least=False)
    benchmark.add(f"{what}: start and stop", round(seconds["start"] + seconds.get("stop", 0.0), 1), "s", at_least=False)
    benchmark.add(f"{what}: processor", round(found.done.cpu_seconds, 1), "s", at_least=False)
    benchmark.add(f"{what}: peak memory", found.done.peak_mib, "MiB", target=bound, at_least=False)
    for child, peak in found.done.children_mib.items():
        most = _worker_mib() if child == "Python of an executor" else None
        benchmark.add(f"{what}: peak memory, {child}", peak, "MiB", target=most, at_least=False)
    if found.done.together_mib:
        benchmark.add(f"{what}: memory of all processes together", found.done.together_mib, "MiB", at_least=False)
    if "shuffle_bytes" in found.told:
        benchmark.add(f"{what}: shuffled", round(found.told["shuffle_bytes"] / 2**20), "MiB", at_least=False)
    for stage, taken in seconds.items():
        if stage not in ("start", "stop"):
            benchmark.add(f"{what}: {stage}", taken, "s", at_least=False)
            used = found.told["processor_seconds"][stage]
            benchmark.add(f"{what}: {stage}, processor of this process", used, "s", at_least=False)
    if first is not None:
        benchmark.add(f"{what}: the same clients", int(found.is_like(first)), "", target=1)


def _worker_mib() -> int:
    """What a Python process of an executor is meant to take."""
    from identity.spark.calculator import PER_PART
    from identity.staged.spilled import PART_BYTES, PROGRAM

    return (PROGRAM + PER_PART * PART_BYTES) >> 20


def _missing() -> str:
    from identity.spark.session import SparkMissing, check

    try:
        check()
    except SparkMissing as error:
        return str(error)
    return ""


def outcomes(
    benchmark: Benchmark,
    engines: Iterable[str],
    of: str,
    folder: Path,
    memory: int,
    options: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, Outcome]]:
    """One engine's run after the other; a note for each that is not here."""
    for name in engines:
        if missing := _missing() if name.startswith("Spark") else "":
            benchmark.note(f"{name}: not measured. {missing}")
            continue
        benchmark.progress(f"{of}, {name}")
        yield name, ran(name, folder, memory, options)


def persons(benchmark: Benchmark, given: argparse.Namespace) -> None:
    """All engines at each size."""
    for size in (20_000,) if given.small else given.records:
        memory = given.memory or memory_of(size)
        with scratch("scale") as folder:
            benchmark.progress(f"generating {size:,} records")
            generated(size, given.seed, folder)
            prepare(folder)
            first: Outcome | None = None
            for name, found in outcomes(benchmark, given.engines or ENGINES, f"{size:,} records", folder, memory):
                add(benchmark, size, name, found, memory, first)
                first = first or found
    benchmark.note(
        f"persons of generate.py, seed {given.seed}; shipped weights; executors are processes of this machine"
    )


def labelled(benchmark: Benchmark, given: argparse.Namespace) -> None:
    """Every labelled data set by the engines that must agree on it."""
    for data in found_in(given.data):
        if given.only and data not in given.only:
            continue
        read = load(data, given.data, given.ru_de_records)
        size = read.records.num_rows
        options = {"per_part": max(size // _SIXTH, 2), "distinct": read.distinct, "tables": ["pairs", "cases"]}
        with scratch("scale") as folder:
            pq.write_table(read.records, folder / "records.parquet")
            prepare(folder)
            first: Outcome | None = None
            memory = given.memory or memory_of(size)
            for name, found in outcomes(benchmark, given.engines or ON_DATA, data, folder, memory, options):
                what = f"{data} ({size:,} records), {name}"
                benchmark.add(f"{what}: all", round(found.seconds, 1), "s", at_least=False)
                if first is None:
                    first = found
                    for count in COUNTED:
                        benchmark.add(f"{what}: {count.replace('_', ' ')}", found.told[count], "", at_least=False)
                else:
                    same = int(found.is_like(first))
                    benchmark.add(f"{what}: the same clients, pairs, weights and cases", same, "", target=1)
    benchmark.note("each data set in six parts however small; shipped weights; executors are processes of this machine")


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, nargs="*", default=SIZES)
    options.add_argument(
        "--memory", type=int, help="MiB of the run in parts (2048 up to a million persons, 4096 for more)"
    )
    options.add_argument("--engines", nargs="*", choices=list(ENGINES))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=Path, help="folder with labelled data sets, which are taken instead")
    options.add_argument("--only", nargs="*", help="with --data: these data sets")
    options.add_argument("--ru-de-records", type=int, default=20_000, help="with --data: of the generated one")
    given = options.parse_args()
    benchmark = Benchmark("scale")
    (labelled if given.data else persons)(benchmark, given)
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
