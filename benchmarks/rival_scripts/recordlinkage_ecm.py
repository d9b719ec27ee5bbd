"""recordlinkage's ECM classifier (Fellegi-Sunter, no labels) on one data set.

Arguments: RECORDS.parquet OUT.parquet OPTIONS; one kind of record. Writes left, right and probability (1)
of the pairs that it calls matches; prints one JSON line with seconds by stage.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import pandas as pd
import recordlinkage

SIMILAR = (
    "given_name",
    "family_name",
    "middle_name",
    "full_name",
    "legal_name",
    "street",
    "city",
    "birth_place",
)
BLOCKING = {
    "person": (
        ["given_name", "family_name"],
        ["family_name", "birth_date"],
        ["given_name", "birth_date"],
        ["birth_date", "postcode"],
        ["postcode", "family_name"],
        ["postcode", "given_name"],
        ["national_id"],
        ["email"],
        ["phone"],
        ["inn"],
    ),
    "organisation": (["legal_name"], ["inn"], ["vat"], ["phone"], ["email"]),
}


def main() -> None:
    """Index, compare, classify, write the matches."""
    warnings.simplefilter("ignore")
    source, target, given = sys.argv[1:]
    options = json.loads(given)
    frame = pd.read_parquet(source).set_index("record_id")
    kind = frame["kind"].iloc[0]
    columns = [
        name for name in frame.columns if name not in ("source", "kind", "country") and frame[name].notna().any()
    ]
    sides = [frame[frame["source"] == name] for name in options["distinct"]] or [frame]
    started = time.perf_counter()
    index = recordlinkage.Index()
    for rule in BLOCKING[kind]:
        if all(name in columns for name in rule):
            index.block(rule)
    pairs = index.index(*sides)
    compare = recordlinkage.Compare()
    for name in columns:
        if name in SIMILAR:
            compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
        else:
            compare.exact(name, name, label=name)
    vectors = compare.compute(pairs, *sides)
    compared = time.perf_counter()
    matches = recordlinkage.ECMClassifier().fit_predict(vectors)
    done = time.perf_counter()
    edges = pd.DataFrame(
        {"left": matches.get_level_values(0), "right": matches.get_level_values(1), "probability": 1.0}
    )
    edges.to_parquet(target)
    print(json.dumps({"seconds": {"compare": compared - started, "classify": done - compared}, "edges": len(edges)}))


if __name__ == "__main__":
    main()
