"""What another model, or other rules, would change: two resolutions of the same records beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from identity.encoded import Ints
from identity.evaluation.regrouping import KINDS, Regrouping, numbered
from identity.features import positions
from identity.resolve import Resolution

ChangeKind = Literal["merged", "split", "regrouped"]


@dataclass(frozen=True)
class Change:
    """Clients that become others: a smallest group of records that no client leaves, before or after."""

    kind: ChangeKind
    before: tuple[int, ...]  # records of each client, largest first
    after: tuple[int, ...]
    flips: int  # pairs of records that were together and are not, or the other way round
    pair: tuple[int, int]  # record ids of the strongest pair that flips, the smaller natural key first
    weight_before: int | None  # its match weight in 1/1024 bit; None: not plausible
    weight_after: int | None


@dataclass(frozen=True)
class PartitionDiff:
    """`unchanged`, `merged` (into a larger one), `split` and `regrouped` count the clients of before."""

    clients_before: int
    clients_after: int
    unchanged: int
    merged: int
    split: int
    regrouped: int
    pairs_joined: int  # pairs of records that are together only after
    pairs_parted: int  # ... only before
    largest: tuple[Change, ...]  # most flips first


def compare_resolutions(before: Resolution, after: Resolution, largest: int = 10) -> PartitionDiff:
    """How the clients of two resolutions of the same records differ, and the `largest` changes."""
    record_ids = before.labels["record_id"]
    at = positions(after.labels["record_id"], record_ids)
    groups = Regrouping(numbered(before.labels["label"].to_numpy()), numbered(after.labels["label"].to_numpy()[at]))
    order = np.lexsort((np.arange(len(groups.flips)), -groups.flips))
    chosen = order[groups.flips[order] > 0][:largest]
    examples = _examples(groups, chosen, record_ids, (before.pairs, after.pairs))
    by_kind = {kind: int(groups.old_count[groups.kind == kind].sum()) for kind in (*KINDS, "unchanged")}
    return PartitionDiff(
        clients_before=groups.old_sizes.size,
        clients_after=groups.new_sizes.size,
        **by_kind,
        pairs_joined=int(groups.joined.sum()),
        pairs_parted=int(groups.parted.sum()),
        largest=tuple(
            Change(
                str(groups.kind[group]),  # type: ignore[arg-type]
                _sizes(groups.old_sizes[groups.of_old == group]),
                _sizes(groups.new_sizes[groups.of_new == group]),
                int(groups.flips[group]),
                *examples[group],
            )
            for group in chosen.tolist()
        ),
    )


def _sizes(sizes: Ints) -> tuple[int, ...]:
    return tuple(sorted(sizes.tolist(), reverse=True))


def _examples(
    groups: Regrouping, chosen: Ints, record_ids: pa.ChunkedArray, pairs: tuple[pa.Table, pa.Table]
) -> dict[int, tuple[tuple[int, int], int | None, int | None]]:
    """Of each chosen group the strongest plausible pair that flips, with its weights."""
    ids = record_ids.to_numpy()
    frames = [_rows(table, record_ids, groups, chosen) for table in pairs]
    flipped = frames[0].merge(frames[1], on=["group", "left", "right"], how="outer", suffixes=("_before", "_after"))
    flipped["strength"] = flipped[["weight_before", "weight_after"]].max(axis=1)
    flipped = flipped.sort_values(["group", "strength", "left", "right"], ascending=[True, False, True, True])
    found = {}
    for row in flipped.drop_duplicates("group").to_dict("records"):
        before, after = (None if pd.isna(row[name]) else int(row[name]) for name in ("weight_before", "weight_after"))
        found[int(row["group"])] = ((int(ids[row["left"]]), int(ids[row["right"]])), before, after)
    for group in set(chosen.tolist()) - found.keys():
        found[group] = (_any_flip(groups, group, ids), None, None)
    return found


def _rows(table: pa.Table, record_ids: pa.ChunkedArray, groups: Regrouping, chosen: Ints) -> pd.DataFrame:
    """The pairs of a resolution that flip, within the chosen groups."""
    left, right = positions(record_ids, table["left_id"]), positions(record_ids, table["right_id"])
    old, new = groups.old, groups.new
    flips = np.flatnonzero((old[left] == old[right]) != (new[left] == new[right]))
    group = groups.of_old[old[left[flips]]]
    here = np.isin(group, chosen)
    flips = flips[here]
    return pd.DataFrame(
        {
            "group": group[here],
            "left": np.minimum(left[flips], right[flips]),
            "right": np.maximum(left[flips], right[flips]),
            "weight": table["weight"].to_numpy()[flips].astype(np.float64),
        }
    )


def _any_flip(groups: Regrouping, group: int, ids: Ints) -> tuple[int, int]:
    left, right = groups.flipping(group)
    return int(ids[left[0]]), int(ids[right[0]])
