"""String measures over pairs of codes, each computed once per distinct pair of values, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from identity.features import MISSING, Codes, Flags, Ints, Levels, Values
from identity.parts import part_of
from identity.settings import Level, parse_value

Texts = npt.NDArray[np.object_]
LevelOf = Callable[[Codes, Codes], Levels]
"""Levels of pairs of different codes."""
WORKERS = -1
"""Threads of rapidfuzz: all cores."""
_SCALE: Final = 1000  # similarities are compared as integers of 1/1000


def texts(unique: pa.StringArray) -> Texts:
    """The values as an object array, so that many can be taken at once."""
    result: Texts = unique.to_numpy(zero_copy_only=False)
    return result


def once_per_value_pair(left: Codes, right: Codes, size: int, level_of: LevelOf) -> Levels:
    """`level_of(smaller codes, larger codes)` for each pair of codes, called with each unordered pair
    once."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.uint8)
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right)
    spread, distinct = pd.factorize(low * size + high)
    return level_of((distinct // size).astype(np.int32), (distinct % size).astype(np.int32))[spread]


def once_per_value_pair_or_same(left: Codes, right: Codes, size: int, level_of: LevelOf) -> Levels:
    """0 where a code is missing, 1 where codes are equal, else `level_of` once per distinct pair of codes."""
    result = np.zeros(len(left), dtype=np.uint8)
    present = (left != MISSING) & (right != MISSING)
    result[present] = 1
    unequal = np.flatnonzero(present & (left != right))
    if len(unequal):
        result[unequal] = once_per_value_pair(left[unequal], right[unequal], size, level_of)
    return result


def pairwise(measure: Callable[..., Any], left: Texts, right: Texts, cutoff: float | None = None) -> Ints:
    """`measure` of each pair of texts in 1/1000 (or in edits, for distances)."""
    is_distance = measure == OSA.distance
    scores = process.cpdist(
        left.tolist(),
        right.tolist(),
        scorer=measure,
        score_cutoff=cutoff,
        dtype=np.int32 if is_distance else np.float64,
        workers=WORKERS,
    )
    if is_distance:
        return scores.astype(np.int64)
    # rapidfuzz ratios run to 100, normalised similarities to 1.
    unit = _SCALE if measure == JaroWinkler.normalized_similarity else _SCALE / 100
    return np.floor(scores * unit + 1e-6).astype(np.int64)


def text_levels(values: Texts, specs: tuple[Level, ...]) -> LevelOf:
    """Levels of pairs of different values: 1 for the first spec that holds, and so on; one past the last for
    none.

    `exact` is decided by the codes, so it never holds here.
    """
    edits = max((spec.at_most for spec in specs if spec.at_most is not None), default=0)
    similar = min((spec.at_least for spec in specs if spec.at_least is not None), default=None)
    derived = {spec.part: _parts(values, spec.part) for spec in specs if spec.part is not None}

    def level_of(left: Codes, right: Codes) -> Levels:
        a, b = values[left], values[right]
        result = np.full(len(left), len(specs) + 1, dtype=np.uint8)
        distance = pairwise(OSA.distance, a, b, edits) if edits else None
        jaro = None if similar is None else pairwise(JaroWinkler.normalized_similarity, a, b, similar - 0.001)
        for code, spec in reversed(list(enumerate(specs, 1))):
            if spec.at_most is not None and distance is not None:
                holds = distance <= spec.at_most
            elif spec.at_least is not None and jaro is not None:
                holds = jaro >= round(spec.at_least * _SCALE)
            elif spec.part is not None:
                part = derived[spec.part]
                holds = (part[left] == part[right]) & (part[left] != MISSING)
            elif spec.method == "day_month_swapped":
                holds = _swapped(a, b)
            else:
                continue
            result[holds] = code
        return result

    return level_of


def _parts(values: Texts, part: str) -> Codes:
    """The code of each value's part, MISSING without one."""
    named = parse_value(f"full_name.{part}")
    function = part_of(named.part or "", named.count)
    found = [next(iter(function(value)), None) for value in values.tolist()]
    codes, _ = pd.factorize(np.array(found, dtype=object))  # None becomes -1
    return codes.astype(np.int32)


def _swapped(left: Texts, right: Texts) -> Flags:
    """Day and month of ISO dates stand in each other's place."""
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return np.fromiter(
        (a[:4] == b[:4] and a[5:7] == b[8:10] and a[8:10] == b[5:7] for a, b in pairs), np.bool_, len(left)
    )


def best_levels(
    values: Values,
    left_rows: Ints,
    right_rows: Ints,
    different: int,
    level_of: LevelOf,
) -> Levels:
    """The level of each pair of records: 0 where either has no value, 1 where a value is shared, else the
    best pair's.

    `level_of` judges pairs of different codes; a smaller level is better, `different` the worst.
    """
    if values.is_empty:
        return np.zeros(len(left_rows), dtype=np.uint8)
    if values.is_single:
        single = values.single()
        return _levels(single[left_rows], single[right_rows], len(values.unique), different, level_of)
    result = np.zeros(len(left_rows), dtype=np.uint8)
    counts = values.counts
    left_count, right_count = counts[left_rows], counts[right_rows]
    both = np.flatnonzero((left_count > 0) & (right_count > 0))
    if len(both) == 0:
        return result
    # Every value of the left beside every value of the right, pair of records by pair of records.
    size = left_count[both] * right_count[both]
    ends = np.cumsum(size)
    within = np.arange(int(ends[-1])) - np.repeat(ends - size, size)
    width = np.repeat(right_count[both], size)
    left = values.codes[np.repeat(values.offsets[left_rows[both]], size) + within // width]
    right = values.codes[np.repeat(values.offsets[right_rows[both]], size) + within % width]
    levels = _levels(left, right, int(values.codes.max()) + 1, different, level_of)
    result[both] = np.minimum.reduceat(levels, ends - size)
    return result


def _levels(left: Codes, right: Codes, size: int, different: int, level_of: LevelOf) -> Levels:
    result = np.zeros(len(left), dtype=np.uint8)
    present = (left != MISSING) & (right != MISSING)
    result[present] = 1
    unequal = np.flatnonzero(present & (left != right))
    if len(unequal):
        result[unequal] = np.minimum(
            once_per_value_pair(left[unequal], right[unequal], size, level_of), np.uint8(different)
        )
    return result


def share_a_value(values: Values, left_rows: Ints, right_rows: Ints) -> Flags:
    """Which pairs of records have a value in common."""
    shared: Flags = shared_levels(values, left_rows, right_rows) == 1
    return shared


def shared_levels(values: Values, left_rows: Ints, right_rows: Ints) -> Levels:
    """0 where either record has no value, 1 where they share one, 2 where all differ."""
    if values.is_single:
        single = values.single()
        left, right = single[left_rows], single[right_rows]
        return np.where((left == MISSING) | (right == MISSING), 0, np.where(left == right, 1, 2)).astype(np.uint8)
    return best_levels(values, left_rows, right_rows, 2, _unlike)


def _unlike(left: Codes, _right: Codes) -> Levels:
    return np.full(len(left), 2, dtype=np.uint8)
