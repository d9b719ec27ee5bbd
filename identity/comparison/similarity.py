"""String measures over pairs of codes, each computed once per distinct pair of values, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from identity.comparison.signatures import Bits, letter_bits
from identity.encoded import MISSING, Codes, Flags, Ints, Levels, Values
from identity.parallel import SMALL
from identity.parts import part_codes
from identity.settings import Level, parse_value

Texts = npt.NDArray[np.object_]
LevelOf = Callable[[Codes, Codes], Levels]
"""Levels of pairs of different codes."""
WORKERS = -1
"""Threads of rapidfuzz: all cores."""
_FEW: Final = 64  # pairs which are compared sooner than those that come twice are found
_SCALE: Final = 1000  # similarities are compared as integers of 1/1000


class Spelled:
    """Distinct values, spelled out when they are compared: most never are."""

    def __init__(self, unique: pa.StringArray) -> None:
        self._unique = unique

    def __len__(self) -> int:
        return len(self._unique)

    def __getitem__(self, codes: npt.NDArray[np.integer]) -> Texts:
        return texts(self._unique.take(pa.array(codes)))


def texts(unique: pa.StringArray) -> Texts:
    """The values as an object array, so that many can be taken at once."""
    result: Texts = unique.to_numpy(zero_copy_only=False)
    return result


def once_per_value_pair(left: Codes, right: Codes, size: int, level_of: LevelOf) -> Levels:
    """`level_of(smaller codes, larger codes)` for each pair of codes, called with each unordered pair
    once unless there are few."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.uint8)
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right)
    if len(left) <= _FEW:
        return level_of(low.astype(np.int32), high)
    spread, distinct = pd.factorize(low * size + high)
    return level_of((distinct // size).astype(np.int32), (distinct % size).astype(np.int32))[spread]


@dataclass(frozen=True)
class Unlike:
    """The level of pairs of codes that `may_be_alike` rules out at a glance."""

    level: np.uint8
    may_be_alike: Callable[[Codes, Codes], Flags]


def once_per_value_pair_or_same(
    left: Codes, right: Codes, size: int, level_of: LevelOf, unlike: Unlike | None = None
) -> Levels:
    """0 where a code is missing, 1 where codes are equal, else `level_of` once per distinct pair of codes that are not
    `unlike`."""
    result = np.zeros(len(left), dtype=np.uint8)
    present = (left != MISSING) & (right != MISSING)
    result[present] = 1
    unequal = np.flatnonzero(present & (left != right))
    if unlike is not None:
        result[unequal] = unlike.level
        unequal = unequal[unlike.may_be_alike(left[unequal], right[unequal])]
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
        workers=WORKERS if len(left) >= SMALL else 1,
    )
    if is_distance:
        return scores.astype(np.int64)
    # rapidfuzz ratios run to 100, normalised similarities to 1.
    unit = _SCALE if measure == JaroWinkler.normalized_similarity else _SCALE / 100
    return np.floor(scores * unit + 1e-6).astype(np.int64)


@dataclass(frozen=True)
class Glance:
    """What levels look at before they compare letter by letter, by distinct value."""

    letters: Bits | None  # None: no level counts letters
    parts: dict[str, Codes]  # of each part that a level names its code, MISSING without one

    @classmethod
    def of(cls, unique: pa.StringArray, specs: tuple[Level, ...]) -> Glance:
        """Of some values, for levels."""
        counted = any(spec.at_most is not None or spec.method == "day_month_swapped" for spec in specs)
        parts = {spec.part: _parts(unique, spec.part) for spec in specs if spec.part is not None}
        return cls(letter_bits(unique) if counted else None, parts)


def text_levels(values: Spelled, specs: tuple[Level, ...], glance: Glance) -> LevelOf:
    """Levels of pairs of different values: 1 for the first spec that holds, and so on; one past the last for
    none.

    `exact` is decided by the codes, so it never holds here.
    """
    edits = max((spec.at_most for spec in specs if spec.at_most is not None), default=0)
    similar = min((spec.at_least for spec in specs if spec.at_least is not None), default=None)
    derived, letters = glance.parts, glance.letters

    def level_of(left: Codes, right: Codes) -> Levels:
        result = np.full(len(left), len(specs) + 1, dtype=np.uint8)
        unlike = None if letters is None else np.bitwise_count(letters[left] ^ letters[right])
        distance = jaro = None
        if edits and unlike is not None:
            distance = np.full(len(left), edits + 1)
            near = np.flatnonzero(unlike <= 2 * edits)
            distance[near] = _measured(OSA.distance, values, left[near], right[near], edits)
        if similar is not None:
            jaro = _measured(JaroWinkler.normalized_similarity, values, left, right, similar - 0.001)
        for code, spec in reversed(list(enumerate(specs, 1))):
            if spec.at_most is not None and distance is not None:
                holds = distance <= spec.at_most
            elif spec.at_least is not None and jaro is not None:
                holds = jaro >= round(spec.at_least * _SCALE)
            elif spec.part is not None:
                part = derived[spec.part]
                holds = (part[left] == part[right]) & (part[left] != MISSING)
            elif spec.method == "day_month_swapped" and unlike is not None:
                holds = unlike == 0
                holds[holds] = _swapped(values[left[holds]], values[right[holds]])
            else:
                continue
            result[holds] = code
        return result

    return level_of


def _measured(measure: Callable[..., Any], values: Spelled, left: Codes, right: Codes, cutoff: float) -> Ints:
    """`pairwise` of the values of pairs of codes, each unordered pair measured once."""
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right)
    if len(left) <= _FEW:
        return pairwise(measure, values[low], values[high], cutoff)
    spread, distinct = pd.factorize(low * len(values) + high)
    one, two = np.divmod(distinct, max(len(values), 1))
    return pairwise(measure, values[one], values[two], cutoff)[spread]


def _parts(values: pa.StringArray, part: str) -> Codes:
    """The code of each value's part, MISSING without one."""
    named = parse_value(f"full_name.{part}")
    return part_codes(values, named.part or "", named.count)


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
        return _levels(single[left_rows], single[right_rows], different, level_of)
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
    levels = _levels(left, right, different, level_of)
    result[both] = np.minimum.reduceat(levels, ends - size)
    return result


def _levels(left: Codes, right: Codes, different: int, level_of: LevelOf) -> Levels:
    result = np.zeros(len(left), dtype=np.uint8)
    present = (left != MISSING) & (right != MISSING)
    result[present] = 1
    unequal = np.flatnonzero(present & (left != right))
    if len(unequal):
        result[unequal] = np.minimum(level_of(left[unequal], right[unequal]), np.uint8(different))
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
