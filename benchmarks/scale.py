"""One whole run by each engine: in memory, in parts with a bound on memory, and on Spark with one and two executors.

Seconds and processor seconds, peak memory of the process that asks (of the run in parts against its bound), and bytes
that Spark shuffles, on the persons of generate.py with the shipped weights; whether all find the same clients.
Executors are processes of this machine with a core each (Spark's `local-cluster`), so that two of them and the engine
in memory have the same two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet as pq
from common import Benchmark, parser
from processes import measure
from resolve import HERE, TIMEOUT, generated
from services import scratch

SIZES = (1_000_000, 5_000_000)
ENGINES = {
    "in memory": "memory",
    "in parts": "parts:{memory}",
    "Spark, 1 executor": "local-cluster[1,1,2048]",
    "Spark, 2 executors": "local-cluster[2,1,2048]",
}


def add(benchmark: Benchmark, size: int, name: str, engine: str, folder: Path, first: Path | None) -> Path:
    """The rows of one engine at one size; where its clusters lie. `first`: those of the engine before it."""
    bound = int(engine.removeprefix("parts:")) if engine.startswith("parts:") else None
    target = folder / f"{name}.parquet"
    done = measure([sys.executable, HERE / "kernel_scale.py", engine, folder, target], timeout=TIMEOUT)
    told, what = done.last_json(), f"{size:,} persons, {name}"
    seconds = told["seconds"]
    whole = sum(seconds.values())
    benchmark.add(f"{what}: all", round(whole, 1), "s", at_least=False)
    benchmark.add(f"{what}: start and stop", round(seconds["start"] + seconds.get("stop", 0.0), 1), "s", at_least=False)
    benchmark.add(f"{what}: processor", round(done.cpu_seconds, 1), "s", at_least=False)
    benchmark.add(f"{what}: peak memory", done.peak_mib, "MiB", target=bound, at_least=False)
    if "shuffle_bytes" in told:
        benchmark.add(f"{what}: shuffled", round(told["shuffle_bytes"] / 2**20), "MiB", at_least=False)
    for stage, taken in seconds.items():
        if stage not in ("start", "stop"):
            benchmark.add(f"{what}: {stage}", taken, "s", at_least=False)
            used = told["processor_seconds"][stage]
            benchmark.add(f"{what}: {stage}, processor of this process", used, "s", at_least=False)
    if first is not None:
        same = pq.read_table(first).equals(pq.read_table(target))
        benchmark.add(f"{what}: the same clients", int(same), "", target=1)
    return target


def _missing() -> str:
    from identity.spark.session import SparkMissing, check

    try:
        check()
    except SparkMissing as error:
        return str(error)
    return ""


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, nargs="*", default=SIZES)
    options.add_argument("--memory", type=int, default=2048, help="MiB of the run in parts")
    options.add_argument("--engines", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    benchmark = Benchmark("scale")
    for size in (20_000,) if given.small else given.records:
        with scratch("scale") as folder:
            benchmark.progress(f"generating {size:,} records")
            generated(size, given.seed, folder)
            prepare = [sys.executable, HERE / "kernel_resolve.py", "prepare", folder / "records.parquet", folder]
            measure(prepare, timeout=TIMEOUT)
            measure([sys.executable, HERE / "kernel_scale.py", "cards", folder], timeout=TIMEOUT)
            first: Path | None = None
            for name in given.engines:
                if name.startswith("Spark") and (missing := _missing()):
                    benchmark.note(f"{name}: not measured. {missing}")
                    continue
                benchmark.progress(f"{size:,} records {name}")
                found = add(benchmark, size, name, ENGINES[name].format(memory=given.memory), folder, first)
                first = first or found
    benchmark.note(
        f"persons of generate.py, seed {given.seed}; shipped weights; executors are processes of this machine"
    )
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
