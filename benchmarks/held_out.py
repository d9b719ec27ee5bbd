"""Weights for one data set that were learnt from all the others: what leaving it out would have given.

A level's m and u are the geometric means of those that training without labels found in the other data sets which
have the column; a column that none of them has keeps the shipped weights. Prior, thresholds, levels, blocking rules and
the constants of training and clustering stay as they are: they were chosen once, with all data sets in sight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from identity.model import ColumnModel, KindModel, MatchModel, kin_frequency, level_weight
from identity.schema import KINDS

FAMILIES: Final[Mapping[str, str]] = {"febrl3": "febrl", "febrl4": "febrl"}
"""Data sets of one generator say nothing independent of each other: they are left out together."""


def without(name: str, trained: Mapping[str, MatchModel], shipped: MatchModel) -> tuple[MatchModel, list[str]]:
    """The weights that the data sets of other families than `name`'s come to, and which of them had a say."""
    family = FAMILIES.get(name, name)
    others = {key: model for key, model in trained.items() if FAMILIES.get(key, key) != family}
    kinds = {kind: _kind(kind, [model.kind(kind) for model in others.values()], shipped.kind(kind)) for kind in KINDS}
    heard = [key for key, model in others.items() if any(model.kind(k) != shipped.kind(k) for k in KINDS)]
    return replace(shipped, person=kinds["person"], organisation=kinds["organisation"]), heard


def _kind(kind: str, others: Sequence[KindModel], shipped: KindModel) -> KindModel:
    columns = {}
    for name, column in shipped.columns.items():
        told = [other.columns[name] for other in others if _has_learnt(other.columns[name], column)]
        columns[name] = _mean(kind, name, told) if told else column
    return replace(shipped, columns=columns)


def _has_learnt(column: ColumnModel, shipped: ColumnModel) -> bool:
    """Training moved the column's m: its data set has values there."""
    pairs = zip(column.levels, shipped.levels, strict=True)
    return any(abs(one.m - other.m) > 1e-9 for one, other in pairs)


def _mean(kind: str, name: str, columns: Sequence[ColumnModel]) -> ColumnModel:
    by_level = list(zip(*(column.levels for column in columns), strict=True))
    m = _whole([math.exp(sum(math.log(level.m) for level in same) / len(same)) for same in by_level])
    u = _whole([math.exp(sum(math.log(level.u) for level in same) / len(same)) for same in by_level])
    return ColumnModel(
        tuple(
            level_weight(same[0].name, a, b, kin_frequency(kind, name, same[0].name))
            for same, a, b in zip(by_level, m, u, strict=True)
        )
    )


def _whole(shares: Sequence[float]) -> list[float]:
    return [share / sum(shares) for share in shares]
