"""Onefold's kernel from Arrow to Arrow, in a process of its own.

`kernel_resolve.py prepare RECORDS.parquet FOLDER` writes the standard forms as Arrow files. `kernel_resolve.py run
FOLDER OUT.parquet` trains on them, resolves them, writes record_id and cluster, and prints one JSON line with seconds
and processor seconds by stage and counts. The files are mapped into memory, where a table from another step would be.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def prepare(source: Path, folder: Path) -> dict[str, Any]:
    """The standard forms of the records of a data set (`datasets.DataSet.records`)."""
    from kernel_run import mapped

    from identity.standard import Profile, standardise

    started = time.perf_counter()
    records = pq.read_table(source).sort_by([("source", "ascending"), ("record_id", "ascending")])
    standard = standardise(*mapped(records), Profile())
    for name, table in (("records", standard.records), ("identifiers", standard.identifiers)):
        with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table.combine_chunks())
    return {"seconds": {"standardise": time.perf_counter() - started}}


def run(folder: Path, target: Path) -> dict[str, Any]:
    """Train and resolve."""
    from identity.model import prior_model
    from identity.register import Register
    from identity.resolve import resolve_register
    from identity.settings import load_settings
    from identity.training.train import train_register

    records, identifiers = (
        pa.ipc.open_file(pa.memory_map(str(folder / f"{name}.arrow"))).read_all() for name in ("records", "identifiers")
    )
    settings = load_settings()
    clock, processor = [time.perf_counter()], [_processor_seconds()]
    register = Register(records, identifiers, settings)
    model = train_register(register, prior_model(settings), 2)
    clock.append(time.perf_counter())
    processor.append(_processor_seconds())
    found = resolve_register(register, None, model, by_rule=False)
    clock.append(time.perf_counter())
    processor.append(_processor_seconds())
    pq.write_table(pa.table({"record_id": records["source_key"], "cluster": found.labels["label"]}), target)
    stages = ("train", "resolve")
    return {
        "seconds": dict(zip(stages, _steps(clock), strict=True)),
        "processor_seconds": dict(zip(stages, _steps(processor), strict=True)),
        "candidate_pairs": found.report.candidate_pairs,
        "plausible_pairs": found.report.plausible_pairs,
        "refused_blocks": found.report.refused_count,
        "clusters": found.report.clusters,
    }


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _steps(clock: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(clock)]


if __name__ == "__main__":
    what, source, target = sys.argv[1:]
    print(json.dumps((prepare if what == "prepare" else run)(Path(source), Path(target))))
