"""evaluate: the hub's clients against a truth file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from onefold.steps.named_ids import match_named_ids, read_named_ids
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
    wanted = read_named_ids(truth)
    with context.connection("onefold evaluate") as conn:
        rows = resolution.named_crosswalk(conn)
    matched = match_named_ids(truth, wanted, [(source, stream, key) for source, stream, key, _ in rows])
    positions = sorted(matched.of)
    clients = np.array([rows[position][3] for position in positions], dtype=object)
    entities = np.array([matched.of[position] for position in positions], dtype=object)
    return EvaluateReport(
        records=len(positions),
        clients=len(set(clients)),
        entities=len(set(entities)),
        measures=measures(clients, entities),
        records_without_truth=len(rows) - len(positions),
        truth_without_record=matched.unknown[:20],
    )


def measures(clients: Labels, entities: Labels) -> dict[str, float]:
    """Pairwise and B-cubed precision, recall and F1, and the share of clients that are exactly an entity."""
    from identity.evaluation.evaluate import compare_partitions

    found = compare_partitions(clients, entities)
    qualities = {"pairwise": found.pairwise, "bcubed": found.b_cubed, "cluster": found.clusters}
    return {
        f"{name}_{part}": getattr(quality, part)
        for name, quality in qualities.items()
        for part in ("precision", "recall", "f1")
    }
