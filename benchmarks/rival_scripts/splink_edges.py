"""Splink 5 on one data set: settings by the kinds of its fields, EM without labels.

Arguments: RECORDS.parquet OUT.parquet OPTIONS; one kind of record. Writes left, right and probability of
the predicted pairs above 0.01; with `cluster_at` also the clusters at that probability, to OUT.clusters.parquet.
Prints one JSON line with seconds by stage.
"""

from __future__ import annotations

import json
import logging
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

BLOCKING = {
    "person": (
        ("given_name", "family_name"),
        ("family_name", "birth_date"),
        ("given_name", "birth_date"),
        ("birth_date", "postcode"),
        ("family_name", "postcode"),
        ("given_name", "postcode"),
        ("full_name",),
        ("email",),
        ("phone",),
        ("inn",),
        ("national_id",),
        ("substr(given_name, 1, 3)", "substr(family_name, 1, 4)", "substr(birth_date, 1, 4)"),
        ("substr(family_name, 1, 4)", "city", "birth_date"),
    ),
    "organisation": (
        ("legal_name",),
        ("inn",),
        ("vat",),
        ("ogrn",),
        ("phone",),
        ("email",),
        ("substr(legal_name, 1, 8)",),
        ("substr(legal_name, 1, 4)", "city"),
        ("street", "house", "postcode"),
    ),
}
DETERMINISTIC = {
    "person": (("given_name", "family_name", "birth_date"), ("email",), ("inn",), ("national_id",)),
    "organisation": (
        ("legal_name", "postcode"),
        ("legal_name", "phone"),
        ("legal_name",),
        ("inn",),
        ("vat",),
    ),
}
TRAINING = {
    "person": (("given_name", "family_name"), ("birth_date",), ("postcode", "family_name")),
    "organisation": (("legal_name",), ("phone",), ("inn",)),
}


def comparisons(columns: set[str], uk_postcodes: bool) -> list[object]:
    """One comparison per field, by its kind."""
    made: list[object] = []
    if {"given_name", "family_name"} <= columns:
        made.append(
            cl.ForenameSurnameComparison("given_name", "family_name", forename_surname_concat_col_name="both_names")
        )
    for name in ("full_name", "legal_name"):
        if name in columns:
            made.append(cl.NameComparison(name).configure(term_frequency_adjustments=True))
    if "middle_name" in columns:
        made.append(cl.JaroWinklerAtThresholds("middle_name", [0.9]))
    if "birth_date" in columns:
        made.append(cl.DateOfBirthComparison("birth_date", input_is_string=True, datetime_format="%Y-%m-%d"))
    if "email" in columns:
        made.append(cl.EmailComparison("email"))
    if "postcode" in columns:
        made.append(cl.PostcodeComparison("postcode") if uk_postcodes else cl.LevenshteinAtThresholds("postcode", [1]))
    for name in ("phone", "inn", "ogrn", "vat", "national_id"):
        if name in columns:
            made.append(cl.LevenshteinAtThresholds(name, [1]))
    for name in ("city", "birth_place", "street"):
        if name in columns:
            made.append(cl.JaroWinklerAtThresholds(name, [0.9]).configure(term_frequency_adjustments=True))
    for name in ("house", "gender", "region"):
        if name in columns:
            made.append(cl.ExactMatch(name))
    if "occupation" in columns:
        made.append(cl.ExactMatch("occupation").configure(term_frequency_adjustments=True))
    return made


def usable(rules: tuple[tuple[str, ...], ...], columns: set[str]) -> list[object]:
    """The rules whose columns are all there."""

    def column(part: str) -> str:
        return part.removeprefix("substr(").partition(",")[0]

    return [block_on(*rule) for rule in rules if all(column(part) in columns for part in rule)]


def has_pairs(records: pa.Table, rule: tuple[str, ...]) -> bool:
    """Whether two records agree on all columns of the rule."""
    seen = set()
    for values in zip(*(records[name].to_pylist() for name in rule), strict=True):
        if all(values) and values in seen:
            return True
        seen.add(values)
    return False


def main() -> None:
    """Train, predict, write the edges."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    source, target, given = sys.argv[1:]
    options = json.loads(given)
    records = pq.read_table(source)
    filled = {name for name in records.column_names if records[name].null_count < records.num_rows}
    columns = filled - {"record_id", "source", "kind", "country"}
    if {"given_name", "family_name"} <= columns:
        both = [
            f"{a} {b}" if a and b else None
            for a, b in zip(records["given_name"].to_pylist(), records["family_name"].to_pylist(), strict=True)
        ]
        records = records.append_column("both_names", pa.array(both, pa.string()))
    kind = records["kind"][0].as_py()
    settings = SettingsCreator(
        link_type="link_only" if options["distinct"] else "dedupe_only",
        unique_id_column_name="record_id",
        source_dataset_column_name="source",
        comparisons=comparisons(columns, options["uk_postcodes"]),
        blocking_rules_to_generate_predictions=usable(BLOCKING[kind], columns),
        retain_matching_columns=False,
    )
    started = time.perf_counter()
    database = DuckDBAPI()
    if options["distinct"]:
        frames = [
            database.register(records.filter(pa.compute.equal(records["source"], name))) for name in options["distinct"]
        ]
    else:
        frames = database.register(records)
    linker = Linker(frames, settings)
    rules = [rule for rule in DETERMINISTIC[kind] if columns.issuperset(rule) and has_pairs(records, rule)]
    if rules:  # else the estimate would be 0, and its logarithm an error; Splink's own default stays
        sure = [block_on(*rule) for rule in rules]
        linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=3e6, seed=1)
    for rule in usable(TRAINING[kind], columns):
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        except Exception as error:  # a pass without pairs; Splink's advice is to leave it out
            print(f"training pass left out: {type(error).__name__}", file=sys.stderr)
    trained = time.perf_counter()
    predicted = linker.inference.predict(threshold_match_probability=0.01)
    edges = predicted.as_pandas_dataframe()[["record_id_l", "record_id_r", "match_probability"]]
    done = time.perf_counter()
    edges.columns = ["left", "right", "probability"]
    pq.write_table(pa.Table.from_pandas(edges, preserve_index=False), target)
    seconds = {"train": trained - started, "predict": done - trained}
    if "cluster_at" in options:
        began = time.perf_counter()
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, options["cluster_at"])
        clusters = found.as_pandas_dataframe()[["record_id", "cluster_id"]]
        seconds["cluster"] = time.perf_counter() - began
        clusters.columns = ["record_id", "cluster"]
        table = pa.Table.from_pandas(clusters, preserve_index=False)
        pq.write_table(table, target.replace(".parquet", ".clusters.parquet"))
    print(json.dumps({"seconds": seconds, "edges": len(edges)}))


if __name__ == "__main__":
    main()
