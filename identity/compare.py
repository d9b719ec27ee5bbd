"""Comparison vectors: for each pair of records one level code per column of each comparison; 0 is missing and
silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from identity.addresses import ADDRESS, Addresses
from identity.features import Features, Flags, Ints, Levels, Values
from identity.names import PERSON_NAME, PersonNames
from identity.organisations import ORGANISATION_NAME, OrganisationNames
from identity.settings import Comparison, KindSettings
from identity.similarity import best_levels, shared_levels, text_levels, texts


@dataclass(frozen=True)
class WordWeights:
    """How much each word of an organisation's name says, in 1/1024 bit; a name of `rare` in sum names one
    firm."""

    weights: Mapping[str, int]
    unseen: int
    rare: int


class Compares(Protocol):
    """A comparison over a set of records."""

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """Level codes of each of its columns for pairs of row positions."""


def level_names(kind: str, settings: KindSettings) -> dict[str, tuple[str, ...]]:
    """The columns of a kind's comparison vectors and their levels, best first; code i + 1 is the i-th
    level."""
    columns: dict[str, tuple[str, ...]] = {}
    for name, comparison in settings.compare.items():
        if comparison.levels:
            columns[name] = (*(level.name for level in comparison.levels), "different")
        elif name == "address":
            columns |= ADDRESS
        else:
            columns |= PERSON_NAME if kind == "person" else ORGANISATION_NAME
    return columns


class TextComparison:
    """One attribute, one or several values a side, by levels that the settings list."""

    def __init__(self, name: str, values: Values, comparison: Comparison) -> None:
        self._name = name
        self._values = values
        self._different = len(comparison.levels) + 1
        words = texts(values.unique)
        specs = comparison.levels
        self._level_of = text_levels(words, specs)

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows: the best over their values."""
        return {self._name: best_levels(self._values, left, right, self._different, self._level_of)}


class Comparer:
    """All comparisons of one kind over one set of records."""

    def __init__(self, features: Features, kind: str, settings: KindSettings, words: WordWeights) -> None:
        self.columns = level_names(kind, settings)
        self._features = features
        self._contradictions = settings.contradictions
        self._comparisons: list[Compares] = []
        for name, comparison in settings.compare.items():
            if comparison.levels:
                field = _field(name, kind)
                self._comparisons.append(TextComparison(name, _values(features, field, settings), comparison))
            elif name == "address":
                self._comparisons.append(Addresses(features))
            elif kind == "person":
                self._comparisons.append(PersonNames(features))
            else:
                self._comparisons.append(OrganisationNames(features, words.weights, words.unseen, words.rare))

    def vectors(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """Level codes of every column for each pair of row positions."""
        result: dict[str, Levels] = {}
        for comparison in self._comparisons:
            result |= comparison.levels(left, right)
        return result

    def contradicts(self, left: Ints, right: Ints) -> Flags:
        """Pairs with two different valid values, and none in common, of a type that forbids the merge."""
        result = np.zeros(len(left), dtype=np.bool_)
        for kind in self._contradictions:
            values = self._features.values(kind)
            result |= shared_levels(values, left, right) == 2
        return result


def _field(name: str, kind: str) -> str:
    if name == "name":
        return "full_name" if kind == "person" else "org_name"
    return name


def _values(features: Features, field: str, settings: KindSettings) -> Values:
    """The field's values; `identifier` means the types that no comparison of their own weighs."""
    if field != "identifier":
        return features.values(field)
    own = tuple(f"{name.removeprefix('identifier.')}:" for name in settings.compare)
    values = features.values("identifier")
    keep = np.fromiter(
        (not text.startswith(own) for text in values.unique.to_pylist()), np.bool_, len(values.unique)
    )
    kept = keep[values.codes]
    rows = np.repeat(np.arange(len(values.offsets) - 1), values.counts)[kept]
    offsets = np.zeros(len(values.offsets), dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(values.offsets) - 1), out=offsets[1:])
    return Values(values.unique, offsets, values.codes[kept])
