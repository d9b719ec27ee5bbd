"""How good a partition is against the truth: pairwise and by cluster, from counts of overlaps, never from all
pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from identity.encoded import Ints


@dataclass(frozen=True)
class Quality:
    """Precision, recall and F1; 1 where there was nothing to find and nothing was claimed."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """A partition compared with the truth over the records that both know."""

    records: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    pairwise: Quality
    b_cubed: Quality  # per record: how much of its cluster is right, how much of its entity is there
    clusters: Quality  # clusters that are exactly an entity
    largest_cluster: int
    largest_entity: int


def evaluate(labels: pa.Table, truth: pa.Table) -> Evaluation:
    """Compare `labels` (record_id, label) with `truth` (record_id, entity_id); records only in one are left
    out."""
    both = labels.select(["record_id", "label"]).join(
        truth.select(["record_id", "entity_id"]), "record_id", join_type="inner"
    )
    return compare_partitions(both["label"].to_numpy(), both["entity_id"].to_numpy())


def compare_partitions(found: npt.NDArray[np.generic], true: npt.NDArray[np.generic]) -> Evaluation:
    """Compare two labellings of the same records, position by position."""
    cluster, clusters = pd.factorize(found)
    entity, entities = pd.factorize(true)
    in_cluster = np.bincount(cluster, minlength=len(clusters)).astype(np.int64)
    in_entity = np.bincount(entity, minlength=len(entities)).astype(np.int64)
    cell, overlap = np.unique(cluster.astype(np.int64) * max(len(entities), 1) + entity, return_counts=True)
    of_cluster, of_entity = in_cluster[cell // max(len(entities), 1)], in_entity[cell % max(len(entities), 1)]
    right, said, real = _pairs(overlap), _pairs(in_cluster), _pairs(in_entity)
    records = len(cluster)
    weight = overlap.astype(np.float64) ** 2
    exact = int(((overlap == of_cluster) & (overlap == of_entity)).sum())
    return Evaluation(
        records=records,
        true_pairs=real,
        found_pairs=said,
        right_pairs=right,
        pairwise=quality(right, said, real),
        b_cubed=quality_of(
            float((weight / of_cluster).sum()) / records if records else 1.0,
            float((weight / of_entity).sum()) / records if records else 1.0,
        ),
        clusters=quality(exact, len(clusters), len(entities)),
        largest_cluster=int(in_cluster.max(initial=0)),
        largest_entity=int(in_entity.max(initial=0)),
    )


def _pairs(sizes: Ints) -> int:
    return int((sizes.astype(np.int64) * (sizes - 1) // 2).sum())


def quality(right: int, said: int, real: int) -> Quality:
    """Precision, recall and F1 from counts."""
    return quality_of(right / said if said else 1.0, right / real if real else 1.0)


def quality_of(precision: float, recall: float) -> Quality:
    """The F1 of a precision and a recall, beside them."""
    both = precision + recall
    return Quality(precision, recall, 2 * precision * recall / both if both else 0.0)


def blocking_recall(keys_or_pairs: pa.Table, truth: pa.Table) -> float:
    """The share of the true pairs that the candidate pairs (left_id, right_id) hold."""
    entity = pd.Series(truth["entity_id"].to_numpy(), index=truth["record_id"].to_numpy())
    left = entity.reindex(keys_or_pairs["left_id"].to_numpy()).to_numpy()
    right = entity.reindex(keys_or_pairs["right_id"].to_numpy()).to_numpy()
    held = int(((left == right) & pd.notna(left)).sum())
    real = _pairs(np.asarray(entity.value_counts().to_numpy(), dtype=np.int64))
    return held / real if real else 1.0
