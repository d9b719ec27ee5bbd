"""The engines that accuracy.py measures, each run on one data set in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rivals
from common import Benchmark
from datasets import DataSet
from preparation import prepared
from processes import CommandFailedError, measure

from identity.evaluation.evaluate import compare_partitions
from identity.model import MatchModel, from_json, to_json

Found = TypeVar("Found")
SPLINK_AT = 0.95
THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, SPLINK_AT, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
HERE = Path(__file__).resolve().parent
EDGE = pa.schema([("left", pa.string()), ("right", pa.string()), ("probability", pa.float64())])


@dataclass
class Outcome:
    """One engine on one data set."""

    precision: float
    recall: float
    f1: float
    seconds: float
    """Inside the engine, without interpreter and imports."""
    peak_mib: float
    labels: Any = field(repr=False, default=None)
    note: str = ""


def quality(labels: Any, data: DataSet, ids: list[str]) -> tuple[float, float, float]:
    """Pairwise precision, recall and F1 over the records that the truth knows."""
    known = [position for position, key in enumerate(ids) if key in data.truth]
    entities = np.array([data.truth[ids[position]] for position in known])
    found = compare_partitions(np.asarray(labels)[known], entities).pairwise
    return found.precision, found.recall, found.f1


@dataclass
class Ours:
    """The kernel on one data set: with the weights it was given, and after training on the data without labels."""

    untrained: Outcome
    trained: Outcome
    model: MatchModel = field(repr=False)


def ours(data: DataSet, folder: Path, base: MatchModel | None = None) -> Ours:
    """The kernel in a process of its own, starting from `base` (None: the shipped weights)."""
    source, target, learnt = folder / "ours.parquet", folder / "clusters.parquet", folder / "trained.json"
    pq.write_table(data.records, source)
    options: dict[str, Any] = {"distinct": data.distinct, "model": str(learnt)}
    if base is not None:
        options["base"] = str(folder / "base.json")
        (folder / "base.json").write_text(to_json(base), encoding="utf-8")
    done = measure([sys.executable, HERE / "kernel_run.py", source, target, json.dumps(options)], timeout=3_600)
    clusters = pq.read_table(target)
    told = done.last_json()
    seconds = told["seconds"]
    before = seconds["map"] + seconds["standardise"]
    took = {
        "cluster": before + seconds["resolve"],
        "trained": before + seconds["train"] + seconds["resolve trained"],
    }
    note = ""
    if told["refused_blocks"]:
        note = f"{data.name}: {told['refused_blocks']} blocks were over the cap and left out"
    ids = clusters["record_id"].to_pylist()
    outcomes = []
    for name in ("cluster", "trained"):
        labels = clusters[name].to_numpy(zero_copy_only=False)
        by_id = dict(zip(ids, labels.tolist(), strict=True))
        outcomes.append(Outcome(*quality(labels, data, ids), took[name], done.peak_mib, by_id, note))
    return Ours(*outcomes, from_json(learnt.read_text(encoding="utf-8")))


def edges_of(script: str, rival: str, data: DataSet, folder: Path, timeout: float) -> tuple[pa.Table, float, float]:
    """A rival's edges over all kinds, its seconds and its peak memory."""
    python = rivals.python_of(rival)
    ready = prepared(data)
    tables, seconds, peak = [], 0.0, 0.0
    for kind in ("person", "organisation"):
        part = ready.filter(pa.compute.equal(ready["kind"], kind))
        if part.num_rows < 2:
            continue
        source, target = folder / f"{rival}-{kind}.parquet", folder / f"{rival}-{kind}-edges.parquet"
        pq.write_table(part, source)
        options = json.dumps({"distinct": data.distinct, "uk_postcodes": "GB" in set(part["country"].to_pylist())})
        done = measure([python, rivals.SCRIPTS / script, source, target, options], timeout=timeout, cwd=folder)
        seconds += sum(done.last_json()["seconds"].values())
        peak = max(peak, done.peak_mib)
        tables.append(pq.read_table(target).cast(EDGE))
    return pa.concat_tables(tables), seconds, peak


def components(ids: list[str], edges: pa.Table) -> Any:
    """Connected components: a label for each of `ids`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    position = {key: at for at, key in enumerate(ids)}
    left = [position[key] for key in edges["left"].to_pylist()]
    right = [position[key] for key in edges["right"].to_pylist()]
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(ids), len(ids)))
    return connected_components(graph, directed=False)[1]


def splink(data: DataSet, folder: Path) -> tuple[Outcome, Outcome]:
    """Splink at its default threshold and at the best one."""
    edges, seconds, peak = edges_of("splink_edges.py", "splink", data, folder, 3_600)
    ids = data.records["record_id"].to_pylist()
    by_threshold = {}
    for threshold in THRESHOLDS:
        chosen = edges.filter(pa.compute.greater_equal(edges["probability"], threshold))
        by_threshold[threshold] = Outcome(*quality(components(ids, chosen), data, ids), seconds, peak)
    best = max(THRESHOLDS, key=lambda threshold: by_threshold[threshold].f1)
    by_threshold[best].note = f"{data.name}: Splink's best threshold, picked with the truth, is {best}"
    return by_threshold[SPLINK_AT], by_threshold[best]


def ecm(data: DataSet, folder: Path) -> Outcome:
    """recordlinkage's ECM classifier, connected components of its matches."""
    edges, seconds, peak = edges_of("recordlinkage_ecm.py", "recordlinkage", data, folder, 1_800)
    ids = data.records["record_id"].to_pylist()
    return Outcome(*quality(components(ids, edges), data, ids), seconds, peak)


def attempt(
    benchmark: Benchmark, engine: Callable[[DataSet, Path], Found], data: DataSet, folder: Path
) -> Found | None:
    """An engine's outcome, or None with a note why there is none."""
    try:
        return engine(data, folder)
    except CommandFailedError as error:
        said = [line.strip() for line in str(error).splitlines() if any(c.isalpha() for c in line)]
        benchmark.note(f"{data.name}, {engine.__name__}: no figure; it ended with: {said[-1][:160]}")
        return None
