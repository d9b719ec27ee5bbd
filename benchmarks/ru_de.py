"""`ru_de`: counterparties and persons of a company that trades in Russia and Germany, with the truth. Seeded.

What makes it hard is what makes such registers hard: 40 % of the records carry no INN or VAT number; legal
forms stand in front, behind, in full, in Latin or not at all; Müller is also Mueller, Muller and Мюллер;
persons lose patronymics and ё, shrink to initials and diminutives; many different firms are called
«Вектор»; branches share the INN and differ in KPP and address; firms are renamed; one accountant's
telephone, e-mail and address stand on dozens of firms; a father and his son share name and flat.
`situation` says why a record is hard, so that a recall can be read by cause.

The truth, where it is a convention: a branch is its firm (grain `legal_entity`); a renamed firm is the same
firm; a sole proprietor (ИП) and the person who owns it are two.

    python benchmarks/ru_de.py --records 100000 --out DIR     writes records.csv and truth.csv
"""

from __future__ import annotations

import argparse
import csv
import random
from dataclasses import dataclass
from pathlib import Path

from ru_de_parties import Party, accountant, next_party, owner_of
from ru_de_records import COLUMNS, records_of


@dataclass(frozen=True, slots=True)
class RuDe:
    """Records as dictionaries over COLUMNS ("" is missing); truth: record_id -> (entity_id, situation)."""

    records: list[dict[str, str]]
    truth: dict[str, tuple[str, str]]


def ru_de(records: int = 100_000, seed: int = 1) -> RuDe:
    """`records` records; the same arguments give the same data."""
    rng = random.Random(seed)
    made: list[tuple[dict[str, str], str, str]] = []
    accountants = [accountant(rng, number) for number in range(max(1, records // 4_000))]
    number = 0
    previous: Party | None = None
    while len(made) < records:
        party = next_party(rng, number, accountants, previous)
        for current in (party, *owner_of(party, rng)):
            number += 1
            for written in records_of(current, rng):
                made.append((written, f"E{number:07d}", current.situation))
        previous = party
    del made[records:]
    rng.shuffle(made)
    rows, truth = [], {}
    for position, (row, entity, situation) in enumerate(made):
        key = f"R{position:07d}"
        rows.append({"record_id": key, **row})
        truth[key] = (entity, situation)
    return RuDe(rows, truth)


def write_csv(made: RuDe, folder: Path) -> tuple[Path, Path]:
    """`records.csv` and `truth.csv` (record_id, entity_id, situation), UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "records.csv", folder / "truth.csv"
    with paths[0].open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(made.records)
    with paths[1].open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("record_id", "entity_id", "situation"))
        rows.writerows((key, *value) for key, value in made.truth.items())
    return paths


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, required=True)
    chosen = options.parse_args()
    for path in write_csv(ru_de(chosen.records, chosen.seed), chosen.out):
        print(path)
