"""Onefold's kernel on one data set, in a process of its own: standard forms, resolve, train without labels, resolve.

Arguments: RECORDS.parquet OUT.parquet OPTIONS; the options are a JSON object with `distinct` (registers
that hold each client once), `base` (a file with weights to start from, else the shipped ones) and `model`
(where to write the trained model). Writes record_id, cluster (untrained) and trained; prints one JSON line
with seconds by stage and counts.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from identity.model import MatchModel, from_json, prior_model, to_json
from identity.resolve import Resolution, resolve
from identity.schema import HEAD, VALUE
from identity.settings import load_settings
from identity.standard import Profile, standardise
from identity.training.train import train

STREAM = "records"
NOT_ATTRIBUTES = ("record_id", "source", "kind", "country")


def mapped(records: pa.Table) -> tuple[pa.Table, pa.Table]:
    """`schema.HEAD` and `schema.VALUE` of records in natural-key order; a record's id is its position."""
    size = records.num_rows
    head = pa.table(
        {
            "record_id": pa.array(range(size), pa.int64()),
            "source": records["source"],
            "stream": pa.array([STREAM] * size, pa.string()),
            "source_key": records["record_id"],
            "kind": records["kind"],
            "role": pa.array(["client"] * size, pa.string()),
            "default_country": records["country"],
            "source_updated_at": pa.nulls(size, pa.timestamp("us", tz="UTC")),
        }
    ).cast(HEAD)
    parts = [VALUE.empty_table()]
    for name in records.column_names:
        if name in NOT_ATTRIBUTES:
            continue
        column = records[name].combine_chunks()
        rows = pa.array(range(size), pa.int32())
        if pa.types.is_list(column.type):
            rows = rows.take(pc.list_parent_indices(column))
            column = pc.list_flatten(column)
        there = pc.is_valid(column)
        rows, column = rows.filter(there), column.filter(there)
        attribute = pa.array([name] * len(column), pa.string())
        repair = pa.nulls(len(column), pa.string())
        parts.append(pa.table({"row": rows, "attribute": attribute, "value": column, "repair": repair}).cast(VALUE))
    values = pa.concat_tables(parts)
    return head, values.take(pc.sort_indices(values, sort_keys=[("row", "ascending")]))


def run(records: pa.Table, options: dict[str, Any]) -> tuple[pa.Table, dict[str, Any], MatchModel]:
    """Clusters of the records by the weights given and by trained ones, what it took, and the trained model."""
    clock = [time.perf_counter()]
    records = records.sort_by([("source", "ascending"), ("record_id", "ascending")])
    head, values = mapped(records)
    clock.append(time.perf_counter())
    standard = standardise(head, values, Profile())
    clock.append(time.perf_counter())
    settings = load_settings()
    base = options.get("base")
    given = from_json(Path(base).read_text(encoding="utf-8")) if base else prior_model(settings)
    distinct = options.get("distinct", ())

    def resolved(model: MatchModel) -> Resolution:
        found = resolve(
            standard.records, standard.identifiers, None, model, settings, distinct_sources=distinct, by_rule=False
        )
        clock.append(time.perf_counter())
        return found

    untrained = resolved(given)
    model = train(standard.records, standard.identifiers, settings, given, 2, distinct)
    clock.append(time.perf_counter())
    trained = resolved(model)
    columns = {"record_id": records["record_id"]}
    for name, found in (("cluster", untrained), ("trained", trained)):
        columns[name] = found.labels.sort_by("record_id")["label"].cast(pa.string())
    stages = ("map", "standardise", "resolve", "train", "resolve trained")
    told = {
        "seconds": {stage: after - before for stage, before, after in zip(stages, clock, clock[1:], strict=False)},
        "candidate_pairs": untrained.report.candidate_pairs,
        "refused_blocks": untrained.report.refused_count,
        "split_components": len(untrained.report.split),
    }
    return pa.table(columns), told, model


if __name__ == "__main__":
    source, target, given = sys.argv[1:]
    wanted = json.loads(given)
    clusters, told, model = run(pq.read_table(source), wanted)
    pq.write_table(clusters, target)
    if wanted.get("model"):
        Path(wanted["model"]).write_text(to_json(model), encoding="utf-8")
    print(json.dumps(told))
