"""evaluate: the hub's clients against a truth file."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from onefold.errors import OnefoldError, UsageError
from onefold.steps.report import Report
from warehouse import resolution

if TYPE_CHECKING:
    from onefold.context import Context


Labels = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class EvaluateReport(Report):
    """Agreement of clients and true entities, over the records that both know."""

    records: int
    clients: int
    entities: int
    measures: Mapping[str, float] = field(default_factory=dict)
    """Pairwise and cluster (B-cubed) precision, recall, F1; 0..1."""
    records_without_truth: int = 0
    truth_without_record: tuple[str, ...] = ()
    """Ids of the truth file that name no record of the hub (the first twenty)."""


def evaluate(context: Context, truth: Path) -> EvaluateReport:
    """Compare the crosswalk with `truth`, a CSV of record_id and entity_id.

    A record_id is `source:stream:key`, `source:key`, or the key alone when no two records share it.
    Source names compare without case. Raises UsageError naming file and line where the file cannot be read.
    """
    wanted = read_truth(truth)
    with context.connection("onefold evaluate") as conn:
        rows = resolution.named_crosswalk(conn)
    names = name_index([(source, stream, key) for source, stream, key, _ in rows])
    entity_of: dict[int, str] = {}
    unknown = []
    for name, entity in wanted.items():
        position = names.get(name.casefold())
        if position is None:
            unknown.append(name)
        elif position < 0:
            raise OnefoldError(f"{truth}: {name} names several records.", "Write source:stream:key.")
        else:
            entity_of[position] = entity
    positions = sorted(entity_of)
    clients = np.array([rows[position][3] for position in positions], dtype=object)
    entities = np.array([entity_of[position] for position in positions], dtype=object)
    return EvaluateReport(
        records=len(positions),
        clients=len(set(clients)),
        entities=len(set(entities)),
        measures=measures(clients, entities),
        records_without_truth=len(rows) - len(positions),
        truth_without_record=tuple(unknown[:20]),
    )


def measures(clients: Labels, entities: Labels) -> dict[str, float]:
    """Pairwise and B-cubed precision, recall and F1, and the share of clients that are exactly an entity."""
    from identity.evaluate import compare_partitions

    found = compare_partitions(clients, entities)
    qualities = {"pairwise": found.pairwise, "bcubed": found.b_cubed, "cluster": found.clusters}
    return {
        f"{name}_{part}": getattr(quality, part)
        for name, quality in qualities.items()
        for part in ("precision", "recall", "f1")
    }


def read_truth(path: Path) -> dict[str, str]:
    """record_id -> entity_id."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"record_id", "entity_id"} - set(reader.fieldnames or ())
        if missing:
            raise UsageError(f"{path}:1: no column {' and '.join(sorted(missing))}.", f"It has: {reader.fieldnames}.")
        truth: dict[str, str] = {}
        for row in reader:
            if row["record_id"] in truth:
                raise UsageError(f"{path}:{reader.line_num}: {row['record_id']} stands twice.")
            truth[row["record_id"]] = row["entity_id"]
    return truth


def name_index(natural_keys: Sequence[tuple[str, str, str]]) -> dict[str, int]:
    """Every way to name a record -> its position; -1 where a name is ambiguous."""
    found: dict[str, set[int]] = defaultdict(set)
    for position, (source, stream, key) in enumerate(natural_keys):
        for name in (f"{source}:{stream}:{key}", f"{source}:{key}", key):
            found[name.casefold()].add(position)
    return {name: next(iter(ids)) if len(ids) == 1 else -1 for name, ids in found.items()}
