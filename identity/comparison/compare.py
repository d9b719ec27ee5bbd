"""Comparison vectors: for each pair of records one level code per column of each comparison; 0 is missing and
silent."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.comparison.addresses import ADDRESS, Addresses
from identity.comparison.documents import IN_COMMON, Documents
from identity.comparison.names import PERSON_NAME, PersonNames
from identity.comparison.organisations import ORGANISATION_NAME, OrganisationNames
from identity.comparison.similarity import Glance, Spelled, best_levels, shared_levels, text_levels
from identity.encoded import Codes, Flags, Ints, Levels, Values, encode
from identity.features import Features
from identity.settings import DOCUMENTS, ESTABLISHMENT, Comparison, KindSettings


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
        elif name == DOCUMENTS:
            columns |= IN_COMMON
        else:
            columns |= PERSON_NAME if kind == "person" else ORGANISATION_NAME
    return columns


class TextComparison:
    """One attribute, one or several values a side, by levels that the settings list."""

    def __init__(self, name: str, values: Values, comparison: Comparison) -> None:
        self._name = name
        self.values = values
        self.settings = comparison
        self._different = len(comparison.levels) + 1
        specs = comparison.levels
        self.glance = Glance.of(values.unique, specs)
        self._level_of = text_levels(Spelled(values.unique), specs, self.glance)
        types = _types(values.unique) if name == "identifier" else np.zeros(0, dtype=np.int32)
        self._types = types if len(np.unique(types)) > 1 else None

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows: the best over their values; identifiers of different types are silent."""
        if self._types is None:
            return {self._name: best_levels(self.values, left, right, self._different, self._level_of)}
        incomparable = self._different + 1
        found = best_levels(self.values, left, right, incomparable, self._of_one_type)
        return {self._name: np.where(found == incomparable, np.uint8(0), found)}

    @property
    def may_be_silent(self) -> bool:
        """Whether two records that both have a value may have none that compare."""
        return self._types is not None

    def _of_one_type(self, left: Codes, right: Codes) -> Levels:
        assert self._types is not None
        same = self._types[left] == self._types[right]
        return np.where(same, self._level_of(left, right), np.uint8(self._different + 1)).astype(np.uint8)


def _types(unique: pa.StringArray) -> Codes:
    """The code of the type in front of each identifier (`passport:1234`)."""
    return encode(pc.replace_substring_regex(unique, pattern="(?s):.*", replacement=""))[1]


class Comparer:
    """All comparisons of one kind over one set of records."""

    def __init__(self, features: Features, kind: str, settings: KindSettings, words: WordWeights) -> None:
        self.columns = level_names(kind, settings)
        self._features = features
        self._excluding = {name: features.values(name) for name in settings.contradictions}
        self._joining = [features.values(name) for name in settings.one_client]
        self._comparisons: list[Compares] = []
        self.texts: dict[str, TextComparison] = {}
        self.person_names: PersonNames | None = None
        self.documents: Documents | None = None
        features.prepare([*_fields(kind, settings), *settings.contradictions, *settings.one_client])
        for name, comparison in settings.compare.items():
            if comparison.levels:
                field = _field(name, kind)
                text = TextComparison(name, _values(features, field, settings), comparison)
                self.texts[name] = text
                self._comparisons.append(text)
            elif name == "address":
                self._comparisons.append(Addresses(features))
            elif name == DOCUMENTS:
                self.documents = Documents(features)
                self._comparisons.append(self.documents)
            elif kind == "person":
                self.person_names = PersonNames(features)
                self._comparisons.append(self.person_names)
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

    @property
    def makes_one_client(self) -> bool:
        """Whether any value makes one client."""
        return any(not values.is_empty for values in self._joining)

    def is_one_client(self, left: Ints, right: Ints) -> Flags:
        """Pairs that share a valid value of a type that makes one client."""
        result = np.zeros(len(left), dtype=np.bool_)
        for values in self._joining:
            if not values.is_empty:
                result |= shared_levels(values, left, right) == 1
        return result

    def are_establishments(self, left: Ints, right: Ints) -> Flags:
        """Pairs of two sites, where a client is a site: related, and nothing to ask a human about."""
        sites = self._excluding.get(ESTABLISHMENT)
        if sites is None or sites.is_empty:
            return np.zeros(len(left), dtype=np.bool_)
        result: Flags = shared_levels(sites, left, right) == 2
        return result

    def accepting(self, values: Mapping[str, Mapping[str, str]]) -> Comparer:
        """The same comparisons with a human's word that identifier values of a type are one (`accepted.stand_ins`):
        they no longer exclude each other."""
        if not values:
            return self
        found = copy(self)
        found._excluding = {
            name: _standing_in(column, values[name]) if name in values else column
            for name, column in self._excluding.items()
        }
        return found


def _fields(kind: str, settings: KindSettings) -> set[str]:
    """The columns that the comparisons of a kind look at."""
    found = set()
    for name, comparison in settings.compare.items():
        if name == "address":
            found |= {"street", "house", "postcode", "city", "region", "country"}
        elif name == DOCUMENTS:
            found.add(f"identifier.{DOCUMENTS}")
        elif name != "identifier":
            found.add(_field(name, kind))
            if name == "name" and kind == "person" and not comparison.levels:
                found.add("family_name")
    return found


def _field(name: str, kind: str) -> str:
    if name == "name":
        return "full_name" if kind == "person" else "org_name"
    return name


def _values(features: Features, field: str, settings: KindSettings) -> Values:
    """The field's values; `identifier` means the types that no comparison of their own weighs."""
    if field != "identifier":
        return features.values(field)
    own = [DOCUMENTS, *(name.removeprefix("identifier.") for name in settings.compare)]
    return features.identifiers_but(own)


def _standing_in(values: Values, stands_for: Mapping[str, str]) -> Values:
    """Values in which the codes of those that stand for the same one are one code."""
    code = np.arange(len(values.unique), dtype=np.int32)
    first: dict[str, int] = {}
    for at, text in enumerate(values.unique.to_pylist()):
        if text in stands_for:
            code[at] = first.setdefault(stands_for[text], at)
    return values.recoded(code)
