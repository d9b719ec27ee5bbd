"""The kernel alone at full size: train and resolve persons from Arrow to Arrow, beside Splink 5 on DuckDB.

Each engine runs in a process of its own on the records of generate.py; standard forms (Onefold's) and trimmed
lower-case text (Splink's) are made beforehand and not counted. Splink trains, predicts and clusters at p >= 0.95.
`--growth` measures Onefold at 100,000, 1,000,000 and 5,000,000 records and prints with which power of their number
its time grows.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import rivals
from common import Benchmark, parser
from datasets import DataSet
from engines import SPLINK_AT
from preparation import prepared
from processes import measure
from pyarrow import csv
from services import scratch

HERE = Path(__file__).resolve().parent
GROWTH = (100_000, 1_000_000, 5_000_000)
POWER = 1.15
TIMES_FASTER = 10.0
SHARE_OF_MEMORY = 0.5
MOST_MEMORY = 8192.0  # MiB at the largest size
TIMEOUT = 3_600.0


@dataclass
class Outcome:
    """One engine at one size."""

    told: dict[str, Any]
    peak_mib: float
    precision: float
    recall: float
    f1: float

    @property
    def seconds(self) -> float:
        """All of its stages."""
        return float(sum(self.told["seconds"].values()))


def records_of(folder: Path) -> pa.Table:
    """The generated persons as a data set's records."""
    raw = csv.read_csv(
        folder / "persons.csv",
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(_header(folder / "persons.csv"), pa.string()), strings_can_be_null=True
        ),
    )
    size = raw.num_rows
    for name, value in (("source", "generated"), ("kind", "person"), ("country", "GB")):
        raw = raw.append_column(name, pa.repeat(pa.scalar(value), size))
    return raw


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as stream:
        return stream.readline().strip().replace('"', "").split(",")


def outcome(told: dict[str, Any], peak: float, clusters: pa.Table, truth: pa.Table) -> Outcome:
    """An engine's clusters beside the truth."""
    from identity.evaluation.evaluate import compare_partitions

    at = pc.index_in(clusters["record_id"], value_set=truth["record_id"].combine_chunks())
    entities = truth["entity_id"].take(at).to_numpy(zero_copy_only=False)
    labels = clusters["cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    found = compare_partitions(labels, entities).pairwise
    return Outcome(told, peak, found.precision, found.recall, found.f1)


def ours(folder: Path) -> Outcome:
    """Onefold on what lies in the folder."""
    source, target = folder / "records.parquet", folder / "clusters.parquet"
    script = HERE / "kernel_resolve.py"
    measure([sys.executable, script, "prepare", source, folder], timeout=TIMEOUT)
    done = measure([sys.executable, script, "run", folder, target], timeout=TIMEOUT)
    return outcome(done.last_json(), done.peak_mib, pq.read_table(target), _truth(folder))


def splink(folder: Path) -> Outcome:
    """Splink 5 on the same records."""
    python = rivals.python_of("splink")
    source, target = folder / "splink.parquet", folder / "splink-edges.parquet"
    data = DataSet("generated", pq.read_table(folder / "records.parquet"), {})
    pq.write_table(prepared(data), source)
    options = {"distinct": [], "uk_postcodes": True, "cluster_at": SPLINK_AT}
    command = [python, rivals.SCRIPTS / "splink_edges.py", source, target, json.dumps(options)]
    done = measure(command, timeout=TIMEOUT, cwd=folder)
    clusters = pq.read_table(target.with_suffix(".clusters.parquet"))
    return outcome(done.last_json(), done.peak_mib, clusters, _truth(folder))


def _truth(folder: Path) -> pa.Table:
    return csv.read_csv(folder / "truth.csv")


def generated(records: int, seed: int, folder: Path) -> None:
    """persons.csv, truth.csv and records.parquet, made in a process of its own: this one stays small."""
    command = [sys.executable, str(HERE / "generate.py"), "--records", str(records), "--seed", str(seed)]
    subprocess.run([*command, "--out", str(folder)], check=True, stdout=subprocess.DEVNULL, timeout=TIMEOUT)
    pq.write_table(records_of(folder), folder / "records.parquet")


def add(benchmark: Benchmark, size: int, mine: Outcome, theirs: Outcome | None, *, bars: bool) -> None:
    """The rows of one size."""
    what = f"{size:,} persons"
    rival = None if theirs is None else "Splink 5"
    for stage, seconds in mine.told["seconds"].items():
        benchmark.add(f"{what}, {stage}", round(seconds, 2), "s", at_least=False)
        spent = mine.told["processor_seconds"][stage]
        benchmark.add(f"{what}, {stage}, processor time", round(spent, 2), "s", at_least=False)
    if theirs is not None:
        for stage, seconds in theirs.told["seconds"].items():
            benchmark.add(f"{what}, Splink's {stage}", round(seconds, 2), "s", at_least=False)
        faster = theirs.seconds / mine.seconds
        benchmark.add(f"{what}, times faster", round(faster, 2), "", target=TIMES_FASTER if bars else None)
        share = mine.peak_mib / theirs.peak_mib
        limit = SHARE_OF_MEMORY if bars else None
        benchmark.add(f"{what}, share of its memory", round(share, 3), "", target=limit, at_least=False)
    benchmark.add(
        f"{what}, all", round(mine.seconds, 2), "s", rival=rival, rival_value=theirs and round(theirs.seconds, 2),
        at_least=False,
    )  # fmt: skip
    benchmark.add(
        f"{what}, peak memory", mine.peak_mib, "MiB", rival=rival, rival_value=theirs and theirs.peak_mib,
        target=MOST_MEMORY if size == GROWTH[-1] else None, at_least=False,
    )  # fmt: skip
    for name in ("precision", "recall", "f1"):
        value = theirs and round(getattr(theirs, name), 4)
        target = value if bars and name == "f1" else None
        benchmark.add(
            f"{what}, pairwise {name}", round(getattr(mine, name), 4), "", rival=rival, rival_value=value, target=target
        )
    benchmark.add(f"{what}, candidate pairs", mine.told["candidate_pairs"], "pairs", at_least=False)


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--growth", action="store_true", help="three sizes up to 5,000,000, Onefold alone")
    given = options.parse_args()
    sizes = GROWTH if given.growth else (20_000 if given.small else given.records,)
    if given.growth and given.small:
        sizes = (20_000, 100_000)
    benchmark = Benchmark("resolve")
    took: list[tuple[int, float]] = []
    for size in sizes:
        with scratch("resolve") as folder:
            benchmark.progress(f"generating {size:,} records")
            generated(size, given.seed, folder)
            benchmark.progress(f"Onefold on {size:,} records")
            mine = ours(folder)
            theirs = None
            if not (given.no_rivals or given.growth):
                benchmark.progress(f"Splink 5 on {size:,} records")
                theirs = splink(folder)
        add(benchmark, size, mine, theirs, bars=size >= 1_000_000)
        took.append((size, sum(mine.told["processor_seconds"].values())))
    for (small, before), (large, after) in pairwise(took):
        power = math.log(after / before) / math.log(large / small)
        what = f"growth from {small:,} to {large:,}: processor time as a power of the records"
        benchmark.add(what, round(power, 3), "", target=POWER, at_least=False)
    benchmark.note(
        f"persons of generate.py, seed {given.seed}; trained without labels on the same records, then resolved"
    )
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
