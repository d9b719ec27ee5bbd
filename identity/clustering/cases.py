"""Review cases: pairs of clusters that a human should look at, each with its strongest pair of records."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from identity.comparison.score import Weights
from identity.encoded import Flags, Ints
from identity.model import KindModel

CASE: Final = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # forbidden | left_over | between
        pa.field("left_id", pa.int64(), nullable=False),  # the strongest pair of records of the two clusters
        pa.field("right_id", pa.int64(), nullable=False),
        pa.field("weight", pa.int32(), nullable=False),  # 1/1024 bit
        pa.field("left_label", pa.int64(), nullable=False),  # record id of each cluster's smallest natural key
        pa.field("right_label", pa.int64(), nullable=False),
        pa.field("pairs", pa.int64(), nullable=False),  # plausible pairs between the two
        pa.field("records", pa.int64(), nullable=False),  # records in both clusters: what the answer moves
    ]
)
"""`forbidden`: strong evidence that a contradiction or a distinct register forbids; `left_over`: strong, but
outweighed within its component; `between`: evidence between the thresholds."""


def cases_of(
    ids: Ints,
    label: Ints,
    pairs: tuple[Ints, Ints, Weights, Flags],
    judged_apart: tuple[Ints, Ints],
    model: KindModel,
) -> pa.Table:
    """CASE rows of the plausible pairs (rows, rows, weight, forbidden) whose ends lie in different clusters.

    One per pair of clusters; none where a human has said that they differ. Most records first, then most
    bits.
    """
    left, right, weight, forbidden = pairs
    count = max(len(ids), 1)
    settled = _unordered(label[judged_apart[0]], label[judged_apart[1]], count)
    keep = (label[left] != label[right]) & ~np.isin(_unordered(label[left], label[right], count), settled)
    left, right, weight, forbidden = left[keep], right[keep], weight[keep], forbidden[keep]
    between = _unordered(label[left], label[right], count)
    if len(left) == 0:
        return CASE.empty_table()
    order = np.lexsort((right, left, -weight.astype(np.int64), between))
    firsts = np.flatnonzero(np.diff(between[order], prepend=-1))
    best = order[firsts]
    number = np.diff(np.append(firsts, len(order)))
    any_forbidden = np.logical_or.reduceat(forbidden[order], firsts)
    strong = weight[best] >= model.link
    kind = np.where(strong & any_forbidden, "forbidden", np.where(strong, "left_over", "between"))
    raised = strong | (~any_forbidden & (weight[best] >= model.review))
    members = np.bincount(label, minlength=count)
    records = members[label[left[best]]] + members[label[right[best]]]
    table = pa.table(
        {
            "kind": kind,
            "left_id": ids[left[best]],
            "right_id": ids[right[best]],
            "weight": weight[best],
            "left_label": ids[label[left[best]]],
            "right_label": ids[label[right[best]]],
            "pairs": number.astype(np.int64),
            "records": records.astype(np.int64),
        },
        schema=CASE,
    )
    order = np.lexsort((left[best], -weight[best].astype(np.int64), -records))
    return table.take(pa.array(order[raised[order]]))


def _unordered(left: Ints, right: Ints, count: int) -> Ints:
    return np.minimum(left, right).astype(np.int64) * count + np.maximum(left, right)
