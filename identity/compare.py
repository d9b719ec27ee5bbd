"""Comparison vectors: for each pair of records one level code per column of each comparison; 0 is missing and
silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

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
        self._excluding = {name: features.values(name) for name in settings.contradictions}
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
        for values in self._excluding.values():
            result |= shared_levels(values, left, right) == 2
        return result

    def accept(self, same: tuple[Ints, Ints]) -> None:
        """Take a human's word that pairs of rows are one client: their identifiers no longer exclude each other.

        A firm that was reorganised has two valid tax ids; who joins a card with the old one and a card with the new one
        says so for every other card that bears either.
        """
        self._excluding = {name: _joined(values, same) for name, values in self._excluding.items()}


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
    keep = np.fromiter((not text.startswith(own) for text in values.unique.to_pylist()), np.bool_, len(values.unique))
    kept = keep[values.codes]
    rows = np.repeat(np.arange(len(values.offsets) - 1), values.counts)[kept]
    offsets = np.zeros(len(values.offsets), dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(values.offsets) - 1), out=offsets[1:])
    return Values(values.unique, offsets, values.codes[kept])


def _joined(values: Values, same: tuple[Ints, Ints]) -> Values:
    """Values in which all codes of rows that are one client are one code."""
    if len(same[0]) == 0 or values.is_empty:
        return values
    # A graph of rows and codes: whatever hangs together through the joined rows is one value.
    rows = np.unique(np.concatenate(same))
    count = values.counts[rows]
    row = np.repeat(np.arange(len(rows)), count)
    code = values.codes[
        np.repeat(values.offsets[rows] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    ]
    size = len(values.unique)
    ends = (
        np.concatenate([row, np.searchsorted(rows, same[0])]),
        np.concatenate([len(rows) + code, np.searchsorted(rows, same[1])]),
    )
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(len(rows) + size,) * 2)
    component = connected_components(graph, directed=False)[1][len(rows) :]
    _, first = np.unique(component, return_index=True)
    return replace(values, codes=first[np.searchsorted(np.unique(component), component[values.codes])].astype(np.int32))
