"""Identifier values that a human's word makes one: who joins the old and the new tax id of a firm says so of every card
that bears either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.encoded import Ints
from identity.features import Features

ACCEPTED: Final = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("stands_for", pa.string(), nullable=False),  # the smallest of the values that are one, bytewise
    ]
)


def accepted_values(features: Features, kind: str, types: Iterable[str], same: tuple[Ints, Ints]) -> pa.Table:
    """ACCEPTED rows: values of these identifier types that hang together through rows which are one client.

    `same`: pairs of rows joined by a human. Values that stand for themselves alone are left out.
    """
    found = [_of_type(features, kind, name, same) for name in sorted(types)] if len(same[0]) else []
    return pa.concat_tables([ACCEPTED.empty_table(), *found])


def _of_type(features: Features, kind: str, name: str, same: tuple[Ints, Ints]) -> pa.Table:
    values = features.values(name)
    rows = np.unique(np.concatenate(same))
    count = values.counts[rows]
    if not count.any():
        return ACCEPTED.empty_table()
    row = np.repeat(np.arange(len(rows)), count)
    starts = values.offsets[rows] - (np.cumsum(count) - count)
    codes, code = np.unique(values.codes[np.repeat(starts, count) + np.arange(int(count.sum()))], return_inverse=True)
    # A graph of rows and values: whatever hangs together through the joined rows is one value.
    ends = (
        np.concatenate([row, np.searchsorted(rows, same[0])]),
        np.concatenate([len(rows) + code, np.searchsorted(rows, same[1])]),
    )
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(len(rows) + len(codes),) * 2)
    component = connected_components(graph, directed=False)[1][len(rows) :]
    texts = values.unique.take(pa.array(codes)).to_pylist()
    members: dict[int, list[str]] = {}
    for text, number in zip(texts, component.tolist(), strict=True):
        members.setdefault(number, []).append(text)
    joined = [sorted(group, key=str.encode) for group in members.values() if len(group) > 1]
    listed = sorted((value, group[0]) for group in joined for value in group)
    return pa.table(
        {
            "kind": [kind] * len(listed),
            "type": [name] * len(listed),
            "value": [value for value, _ in listed],
            "stands_for": [first for _, first in listed],
        },
        schema=ACCEPTED,
    )


def stand_ins(accepted: pa.Table, kind: str) -> Mapping[str, Mapping[str, str]]:
    """By type, what each accepted value of a kind stands for."""
    found: dict[str, dict[str, str]] = {}
    for row in accepted.to_pylist():
        if row["kind"] == kind:
            found.setdefault(row["type"], {})[row["value"]] = row["stands_for"]
    return found
