"""Onefold's kernel on one data set, in a process of its own: standard forms, then resolve.

Arguments: RECORDS.parquet OUT.parquet OPTIONS; the options are a JSON object with `distinct` (registers
that hold each client once). Writes record_id and cluster; prints one JSON line with seconds by stage and
counts.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from identity.model import prior_model
from identity.resolve import resolve
from identity.schema import HEAD, VALUE
from identity.settings import load_settings
from identity.standard import Profile, standardise

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
    parts = []
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


def run(records: pa.Table, options: dict[str, Any]) -> tuple[pa.Table, dict[str, Any]]:
    """Clusters of the records, and what it took."""
    started = time.perf_counter()
    records = records.sort_by([("source", "ascending"), ("record_id", "ascending")])
    head, values = mapped(records)
    mapping = time.perf_counter()
    standard = standardise(head, values, Profile())
    standardised = time.perf_counter()
    settings = load_settings()
    found = resolve(
        standard.records,
        standard.identifiers,
        None,
        prior_model(settings),
        settings,
        distinct_sources=options.get("distinct", ()),
        by_rule=False,
    )
    resolved = time.perf_counter()
    labels = found.labels.sort_by("record_id")
    clusters = pa.table({"record_id": records["record_id"], "cluster": labels["label"].cast(pa.string())})
    return clusters, {
        "seconds": {
            "map": mapping - started,
            "standardise": standardised - mapping,
            "resolve": resolved - standardised,
        },
        "candidate_pairs": found.report.candidate_pairs,
        "refused_blocks": len(found.report.refused),
        "split_components": len(found.report.split),
    }


if __name__ == "__main__":
    source, target, given = sys.argv[1:]
    clusters, told = run(pq.read_table(source), json.loads(given))
    pq.write_table(clusters, target)
    print(json.dumps(told))
