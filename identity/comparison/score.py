"""From comparison vectors to match weights: sums of integers of 1/1024 bit, the same bits on every
machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.comparison.compare import Comparer
from identity.encoded import MISSING, Codes, Flags, Ints, Levels
from identity.features import Features
from identity.model import ColumnModel, KindModel
from identity.parallel import in_parallel, threads
from identity.settings import KindSettings

Weights = npt.NDArray[np.int32]

KIN: Final = "kin"
"""What `parts` calls the weight that is taken off pairs who may be kin."""

_CHUNK: Final = 250_000
"""Pairs compared at once by a thread: bounds the memory of string comparison."""
_WORTH_A_THREAD: Final = 20_000
"""Pairs below which a thread of their own takes longer than it saves."""

TERM_FIELDS: Final = {
    "name.family": "family_name",
    "name.given": "given_name",
    "name.middle": "middle_name",
    "name.full": "full_name",
    "name": "org_name",
    "birth_place": "birth_place",
    "occupation": "occupation",
}
"""Columns whose values have frequencies, and where the values stand."""
_UNADJUSTED: Final = frozenset(
    {"initial", "swapped", "nickname", "far", "other", "contained", "shared_word", "different"}
)


class Scores(NamedTuple):
    """Of each pair: the match weight, whether a contradiction forbids the merge, and whether a number that both bear
    makes them one client (None: of no pair)."""

    weight: Weights
    forbidden: Flags
    joined: Flags | None = None


def chunks(count: int) -> list[slice]:
    """Spans of that many pairs, to be compared one by one; at least one, and one for each core if there is enough."""
    size = min(max(-(-count // threads()), _WORTH_A_THREAD), _CHUNK)
    return [slice(at, at + size) for at in range(0, max(count, 1), size)]


class Scorer:
    """Scores any pairs of one set of records of one kind."""

    def __init__(
        self,
        features: Features,
        kind: str,
        settings: KindSettings,
        model: KindModel,
        comparer: Comparer | None = None,
    ) -> None:
        """`comparer`: that of another scorer of the same records, settings and words, if there is one."""
        self.kind = kind
        self.comparer = Comparer(features, kind, settings, model.words) if comparer is None else comparer
        self.model = model
        self._tables = {
            name: _weight_table(model.columns.get(name), levels) for name, levels in self.comparer.columns.items()
        }
        self._kin = {
            name: _kin_table(column, self._tables[name])
            for name, column in model.columns.items()
            if name in self._tables and any(level.kin is not None for level in column.levels)
        }
        self._terms = {
            name: Terms.of(column, features, TERM_FIELDS.get(name, name))
            for name, column in model.columns.items()
            if (column.terms or column.unseen_term) and name in self.comparer.columns
        }

    def score(self, left: Ints, right: Ints) -> Scores:
        """The weights of pairs of row positions, and which of them are forbidden."""
        found = in_parallel(lambda chunk: self._scored(left[chunk], right[chunk]), chunks(len(left)), len(left))
        if len(found) == 1:
            return found[0]
        weights, forbidden, joined = (np.concatenate(part) for part in zip(*found, strict=True))
        return Scores(weights, forbidden, joined)

    def vectors(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """`Comparer.vectors` of any number of pairs, on all cores."""
        compare = self.comparer.vectors
        found = in_parallel(lambda chunk: compare(left[chunk], right[chunk]), chunks(len(left)), len(left))
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    def _scored(self, left: Ints, right: Ints) -> Scores:
        vectors = self.comparer.vectors(left, right)
        weights, joined = self.at_grain(self.weigh(vectors, left, right), left, right)
        forbidden = self.comparer.contradicts(left, right)
        return Scores(weights, forbidden, joined & ~forbidden)

    def at_grain(self, weights: Weights, left: Ints, right: Ints) -> tuple[Weights, Flags]:
        """The weights, at least a link where a number makes one client, and where that is so.

        Those of two sites that are two clients stay below plausibility: they are related, and no question.
        """
        joined = self.comparer.is_one_client(left, right)
        apart = self.comparer.are_establishments(left, right)
        if joined.any():
            weights = np.where(joined, np.maximum(weights, self.model.link), weights).astype(np.int32)
        if apart.any():
            weights = np.where(apart, np.minimum(weights, self.model.plausible - 1), weights).astype(np.int32)
        return weights, joined

    def weights_of(self, name: str) -> Weights:
        """What the levels of a column weigh, by level code."""
        return self._tables[name]

    def terms_of(self, name: str) -> Terms | None:
        """What single values of a column add."""
        return self._terms.get(name)

    def weigh(self, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> Weights:
        """The sum of the weights of each pair's levels."""
        total = np.zeros(len(left), dtype=np.int32)
        for weight in self.parts(vectors, left, right).values():
            total += weight
        return total

    def parts(self, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> dict[str, Weights]:
        """Of each column the weight that it adds to each pair, term frequency included; of KIN what is to be
        taken off, because two who are kin would agree as much.

        Kin are about as rare among all pairs as pairs of one client are, so that the weight against kin starts
        where the prior ends.
        """
        result, total, against_kin = self._against(vectors, left, right)
        against_kin -= self.model.prior + self.model.kin
        # Whoever is not the same client may be a stranger or kin; the likelier of the two is what speaks against.
        result[KIN] = np.minimum(against_kin - total, 0)
        return result

    def alternatives(self, vectors: Mapping[str, Levels], left: Ints, right: Ints) -> tuple[Weights, Weights]:
        """The evidence of each pair that it is one client and not two strangers, and one client and not kin."""
        _, total, against_kin = self._against(vectors, left, right)
        return total, against_kin

    def _against(
        self, vectors: Mapping[str, Levels], left: Ints, right: Ints
    ) -> tuple[dict[str, Weights], Weights, Weights]:
        """Of each column its weight against strangers, their sum, and the sum of the weights against kin."""
        result = {}
        total, against_kin = np.zeros((2, len(left)), dtype=np.int32)
        for name, levels in vectors.items():
            weight = self._tables[name][levels]
            terms = self._terms.get(name)
            if terms is not None:
                weight = weight + terms.adjustment(levels, left, right)
            kin = self._kin.get(name)
            against_kin += weight if kin is None else kin[levels]
            total += weight
            result[name] = weight
        return result, total, against_kin


def _weight_table(column: ColumnModel | None, levels: tuple[str, ...]) -> Weights:
    """Weight by level code; 0 for missing, and for what the model does not know."""
    known = {} if column is None else {level.name: level.weight for level in column.levels}
    return np.array([0, *(known.get(level, 0) for level in levels)], dtype=np.int32)


def _kin_table(column: ColumnModel, against_strangers: Weights) -> Weights:
    """Weight against kin by level code."""
    kin = [level.kin for level in column.levels]
    return np.array(
        [0, *(weight if own is None else own for own, weight in zip(kin, against_strangers[1:].tolist(), strict=True))],
        dtype=np.int32,
    )


@dataclass(frozen=True)
class Terms:
    """What each value of a column adds to an agreement on it."""

    codes: Codes
    adjust: Weights  # per unique value
    adjusted: Flags  # per level code: whether values matter at that level

    @classmethod
    def of(cls, column: ColumnModel, features: Features, field: str) -> Terms | None:
        values = features.values(field)
        if not values.is_single:
            return None
        unseen = column.unseen_term
        if len(values.unique) < len(column.terms):
            # A few values are looked up one by one: to make a column of all that the model knows would take longer.
            found = [column.terms.get(value, unseen) for value in values.unique.to_pylist()]
            adjust = np.array(found, dtype=np.int32)
        else:
            known = pa.array(column.terms, pa.string())
            # The last one is that of values which the model does not know: their place is -1.
            adjust = np.array([*column.terms.values(), unseen], dtype=np.int32)[
                pc.fill_null(pc.index_in(values.unique, value_set=known), -1).to_numpy(zero_copy_only=False)
            ]
        adjusted = np.array([False, *(level.name not in _UNADJUSTED for level in column.levels)], dtype=np.bool_)
        return cls(values.single(), adjust, adjusted)

    def adjustment(self, levels: Levels, left: Ints, right: Ints) -> Weights:
        """The less telling of the two values decides."""
        result = np.zeros(len(levels), dtype=np.int32)
        at = np.flatnonzero(self.adjusted[levels])
        one, two = self.codes[left[at]], self.codes[right[at]]
        known = (one != MISSING) & (two != MISSING)
        result[at[known]] = np.minimum(self.adjust[one[known]], self.adjust[two[known]])
        return result
