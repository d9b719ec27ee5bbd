"""`onefold run` cold on person records from a CSV file: seconds and peak memory per step, and quality.

A large run standardises while it syncs: the seconds of these two overlap.

Measured twice on the same file: once as one `onefold run`, whose report gives the seconds of each step, and
once step by step, each in a process of its own, whose peak resident memory is therefore that step's. A
third command is a run without news. The records are those of generate.py; the quality is that of the
shipped priors, untrained.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from common import Benchmark, parser
from hub import document, onefold, persons_source, write_configuration
from services import migrated_database, scratch, throwaway_postgres

STEPS = ("sync", "standardise", "resolve", "publish")
SECONDS_PER_MILLION = 150
"""The bar for 1M records, scaled down to 100,000; below that fixed costs rule."""


def seconds_of(report: dict[str, Any]) -> dict[str, float]:
    """Seconds by step of a run's report."""
    return {
        "sync": sum(sync["seconds"] for sync in report["syncs"]),
        **{step: report[step]["seconds"] for step in STEPS[1:]},
    }


def apart(config: Path, database: str, timeout: float) -> dict[str, float]:
    """Peak memory by step, each in a process of its own."""
    commands = {"sync": ("sync", "clients"), **{step: (step,) for step in STEPS[1:]}}
    return {
        step: onefold(config, database, *arguments, timeout=timeout).peak_mib for step, arguments in commands.items()
    }


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    options.add_argument("--no-steps-apart", action="store_true", help="leave out the memory of each step")
    given = options.parse_args()
    records = 5_000 if given.small else given.records
    benchmark = Benchmark("run_cold")
    with scratch("run") as folder, throwaway_postgres(folder, benchmark) as url:
        benchmark.progress(f"generating {records:,} records")
        # In a process of its own: this one stays small, see processes.py.
        generate = str(Path(__file__).with_name("generate.py"))
        data = folder / "data"
        command = [
            sys.executable,
            generate,
            "--records",
            str(records),
            "--seed",
            str(given.seed),
            "--out",
            str(data),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
        config = write_configuration(folder / "config", {"clients": persons_source(data / "persons.csv")})
        megabytes = (data / "persons.csv").stat().st_size / 2**20

        benchmark.progress("onefold run")
        database = migrated_database(url, "whole")
        whole = onefold(config, database, "run", timeout=given.timeout)
        report = document(whole)
        benchmark.progress("onefold run, without news")
        again = onefold(config, database, "run", timeout=given.timeout)
        evaluated = onefold(config, database, "evaluate", "--truth", str(data / "truth.csv"), codes=(0, 1))
        peaks: dict[str, float] = {}
        if not given.no_steps_apart:
            benchmark.progress("step by step")
            peaks = apart(config, migrated_database(url, "apart"), given.timeout)

    for step, seconds in seconds_of(report).items():
        benchmark.add(step, round(seconds, 2), "s", at_least=False)
    benchmark.add(
        "run, all steps",
        round(report["seconds"], 2),
        "s",
        target=round(SECONDS_PER_MILLION * records / 1_000_000, 1) if records >= 100_000 else None,
        at_least=False,
    )
    benchmark.add("run, whole process", round(whole.seconds, 2), "s", at_least=False)
    benchmark.add("run, peak memory", whole.peak_mib, "MiB", at_least=False)
    for step, peak in peaks.items():
        benchmark.add(f"{step}, peak memory of its own process", peak, "MiB", at_least=False)
    benchmark.add("run without news, all steps", round(document(again)["seconds"], 2), "s", at_least=False)
    benchmark.add("run without news, whole process", round(again.seconds, 2), "s", at_least=False)
    quality = document(evaluated)
    for name in ("precision", "recall", "f1") if "measures" in quality else ():
        benchmark.add(f"pairwise {name}", round(quality["measures"][f"pairwise_{name}"], 4), "")
    if "measures" in quality:
        benchmark.add("clients", quality["clients"], "clients", rival="truth", rival_value=quality["entities"])
    else:
        benchmark.note(f"no quality: evaluate said {quality['message']}")
    benchmark.add("candidate pairs", report["resolve"]["candidate_pairs"], "pairs", at_least=False)
    benchmark.note(f"{records:,} persons, {megabytes:.0f} MiB of CSV, seed {given.seed}; shipped priors, untrained")
    if report["resolve"]["refused_blocks"]:
        benchmark.note(f"{len(report['resolve']['refused_blocks'])} blocks were over the cap and left out")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
