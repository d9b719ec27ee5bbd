"""Upper bounds of match weights from codes alone: most candidate pairs are shown to be implausible without comparing
one string.

A bound is never below what `score` gives, so that leaving out the pairs whose bound is too low changes nothing.
"""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from identity.comparison.addresses import ADDRESS, postcode_beginnings
from identity.comparison.compare import TextComparison
from identity.comparison.documents import IN_COMMON, Documents
from identity.comparison.names import DISAGREEING, PERSON_NAME, PersonNames
from identity.comparison.organisations import ORGANISATION_NAME
from identity.comparison.score import TERM_FIELDS, Scorer, Weights
from identity.comparison.signatures import Bits
from identity.encoded import MISSING, Codes, Flags, Ints, Values
from identity.features import Features
from identity.settings import Level

Value = TypeVar("Value", bound=np.generic)

_SEVERAL: Final = -2
"""In place of a code: the record has several values."""
_NEVER: Final = -(1 << 28)
"""The weight of what cannot be."""
_LOOK: Final = 2  # columns after which the pairs that have fallen below are left out


class Bounds:
    """What pairs of one set of records can come to at most."""

    def __init__(self, scorer: Scorer, features: Features) -> None:
        self._comparer = scorer.comparer
        parts: list[_Bounds] = []
        for name in scorer.comparer.columns:
            text = scorer.comparer.texts.get(name)
            if text is not None:
                if not text.values.is_empty:
                    parts.append(_TextBounds(scorer, name, text))
            elif name in PERSON_NAME and scorer.comparer.person_names is not None:
                if name == "name.full":
                    parts.append(_PersonNameBounds(scorer, scorer.comparer.person_names, features))
            elif name in ADDRESS:
                parts.append(_AddressBounds(scorer, features))
            elif name in IN_COMMON:
                if scorer.comparer.documents is not None and not scorer.comparer.documents.is_empty:
                    parts.append(_DocumentBounds(scorer, name, scorer.comparer.documents))
            else:
                parts.append(_NameBounds(scorer, name, features))
        self._parts = sorted(parts, key=lambda part: -part.spread)
        # Threads find what is computed at the first look already there.
        nothing = np.zeros(0, dtype=np.int64)
        self.reaching(nothing, nothing, 0)

    def reaching(self, left: Ints, right: Ints, threshold: int) -> Ints:
        """The places of the pairs of rows that may weigh `threshold` or more, or are one client whatever they weigh."""
        at = np.arange(len(left))
        one_client = self._comparer.is_one_client(left, right) if self._comparer.makes_one_client else None
        total = np.full(len(left), sum(part.most for part in self._parts) - threshold, dtype=np.int32)
        for number, part in enumerate(self._parts, 1):
            total += part.bound(left, right)
            total -= part.most
            if number % _LOOK == 0 or number == len(self._parts):
                keep = total >= 0
                if one_client is not None:
                    keep |= one_client
                at, left, right, total = at[keep], left[keep], right[keep], total[keep]
                one_client = None if one_client is None else one_client[keep]
        return at


class _Bounds(Protocol):
    """The bounds of one column."""

    most: int
    spread: int  # how far apart the bounds of two pairs may lie: what looking at it may tell

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the column adds to each pair at most."""


class _Values:
    """What single values add to the levels of a column, by record."""

    def __init__(self, scorer: Scorer, name: str) -> None:
        self.weight = scorer.weights_of(name)  # by level code
        terms = scorer.terms_of(name)
        self.adjusted = np.zeros(len(self.weight), dtype=np.bool_) if terms is None else terms.adjusted
        self.adjust: Weights | None = None
        if terms is not None:
            self.adjust = np.append(terms.adjust, 0)[terms.codes].astype(np.int32)
        self._most = 0 if terms is None else int(terms.adjust.max(initial=0))

    def best(self, levels: slice) -> Weights | np.int32:
        """The most that one of some levels adds, by record where values matter."""
        weight, adjusted = self.weight[levels], self.adjusted[levels]
        if self.adjust is None or not adjusted.any():
            return np.int32(weight.max(initial=_NEVER))
        plain = np.int32(weight[~adjusted].max(initial=_NEVER))
        found: Weights = np.maximum(plain, np.int32(weight[adjusted].max()) + self.adjust)
        return found

    def most(self, level: int) -> int:
        """The most that a level adds with any value."""
        return int(self.weight[level]) + (self._most if self.adjusted[level] else 0)

    @property
    def most_of_all(self) -> int:
        """The most that any level adds."""
        return max(0, *(self.most(level) for level in range(len(self.weight))))


class _NameBounds:
    """The name of an organisation: equal codes or not; if not, any level below those of equal names may hold."""

    def __init__(self, scorer: Scorer, name: str, features: Features) -> None:
        values, self._codes = _Values(scorer, name), features.values(TERM_FIELDS[name]).single()
        below = 1 + sum(level.startswith("exact") for level in ORGANISATION_NAME[name])
        self._same, self._unlike = (
            np.broadcast_to(np.maximum(values.best(slice(first, None)), 0), len(self._codes)) for first in (1, below)
        )
        self.most = values.most_of_all
        self.spread = self.most - int(self._unlike.min(initial=self.most))

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the column adds to each pair at most."""
        one, two = self._codes[left], self._codes[right]
        found = np.where(one == two, self._same[left], np.minimum(self._unlike[left], self._unlike[right]))
        found[(one == MISSING) | (two == MISSING)] = 0
        return found


class _PersonNameBounds:
    """The parts of a person's name together: equal, different, or of some likeness."""

    def __init__(self, scorer: Scorer, names: PersonNames, features: Features) -> None:
        self._names = names
        self._family, self._given = _Part(scorer, "name.family", features), _Part(scorer, "name.given", features)
        self._middle = _Part(scorer, "name.middle", features)
        # Whole names are weighed only where a family name is missing.
        self._full = _Values(scorer, "name.full").most_of_all
        self.most = self._family.most + self._given.most + max(self._middle.most, self._full)
        self.spread = self.most - self._family.different - self._given.different

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the name adds to each pair at most."""
        family, given = self._names.may_agree(left, right)
        found = self._family.bound(left, right, family) + self._given.bound(left, right, given)
        if self._middle.is_there:
            found += np.where(self._middle.is_known(left, right), np.int32(self._middle.most), np.int32(0))
        missing = ~self._family.is_known(left, right)
        if missing.any():
            found[missing] = self.most
        return found


class _Part:
    """One name of each record."""

    def __init__(self, scorer: Scorer, name: str, features: Features) -> None:
        values = _Values(scorer, name)
        self._codes = features.values(TERM_FIELDS[name]).single()
        # Any level may hold of names of some likeness: of those that are swapped, even `exact`.
        self._best = np.broadcast_to(np.maximum(values.best(slice(1, None)), 0), len(self._codes))
        self._unknown = np.int32(max(0, values.weight.max()))
        levels = PERSON_NAME.get(name, ())
        apart = [code for code, level in enumerate(levels, 1) if level in DISAGREEING] or [len(values.weight) - 1]
        self.different = max(values.most(code) for code in apart)
        self.most = values.most_of_all
        self.is_there = bool((self._codes != MISSING).any())

    def is_known(self, left: Ints, right: Ints) -> Flags:
        """Which pairs have the name on both sides."""
        known: Flags = (self._codes[left] != MISSING) & (self._codes[right] != MISSING)
        return known

    def bound(self, left: Ints, right: Ints, may_agree: Flags) -> Weights:
        """What it adds to each pair at most, if unequal names have any likeness only where they `may_agree`."""
        one, two = self._codes[left], self._codes[right]
        best = np.minimum(self._best[left], self._best[right])
        found = np.where(may_agree | (one == two), best, np.int32(self.different))
        found[(one == MISSING) | (two == MISSING)] = self._unknown
        return found


class _AddressBounds:
    """Addresses: levels that need an equal house number or postcode are left out where it is not."""

    def __init__(self, scorer: Scorer, features: Features) -> None:
        weight = dict(zip(ADDRESS["address"], scorer.weights_of("address")[1:].tolist(), strict=True))
        self._house = features.values("house").single()
        self._postcode = features.values("postcode").single()
        self._beginning = postcode_beginnings(features).single()
        self._needs = [(weight.pop("postcode_near"), self._beginning), (weight.pop("postcode"), self._postcode)]
        self._with_house, self._without_house = weight.pop("house"), weight.pop("street")
        self._always = max(0, *weight.values())
        self.most = max(self._always, self._with_house, self._without_house, *(need for need, _ in self._needs))
        self.spread = self.most - self._always

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the column adds to each pair at most."""
        found = np.full(len(left), self._always, dtype=np.int32)
        for weight, codes in self._needs:
            one = codes[left]
            np.maximum(found, weight, out=found, where=(one == codes[right]) & (one != MISSING))
        one, two = self._house[left], self._house[right]
        known = (one != MISSING) & (two != MISSING)
        np.maximum(found, self._without_house, out=found, where=~known)
        np.maximum(found, self._with_house, out=found, where=known & (one == two))
        return found


class _DocumentBounds:
    """Documents in common: what they weigh, since that is known at a glance."""

    def __init__(self, scorer: Scorer, name: str, documents: Documents) -> None:
        self._name, self._documents = name, documents
        self._weight = scorer.weights_of(name)
        self.most = self.spread = int(self._weight.max())

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the column adds to each pair."""
        return self._weight[self._documents.levels(left, right)[self._name]]


class _TextBounds:
    """A text by levels: equal or not, how far apart at least by its letters, equal in a part."""

    def __init__(self, scorer: Scorer, name: str, text: TextComparison) -> None:
        values, levels = _Values(scorer, name), text.settings.levels
        self._codes = _codes(text.values)
        self._any_several = not text.values.is_single
        self._same = np.broadcast_to(values.best(slice(1, 2)), text.values.records)
        self._letters: Bits | None = None
        if text.glance.letters is not None:
            self._letters = _by_record(text.glance.letters, self._codes)
        self._unlike = _by_unlike_letters(values, levels)
        if text.may_be_silent:
            self._unlike = np.maximum(self._unlike, np.int32(0))
        self._parts: list[tuple[int, Codes]] = []
        for code, level in enumerate(levels, 1):
            if level.part is not None:
                self._parts.append((values.most(code), _by_record(text.glance.parts[level.part], self._codes)))
        self.most = values.most_of_all
        self.spread = self.most - int(self._unlike.min())

    def bound(self, left: Ints, right: Ints) -> Weights:
        """What the column adds to each pair at most."""
        one, two = self._codes[left], self._codes[right]
        if self._letters is None:
            other = np.full(len(left), self._unlike[0], dtype=np.int32)
        else:
            other = self._unlike[np.bitwise_count(self._letters[left] ^ self._letters[right])]
        for weight, codes in self._parts:
            part = codes[left]
            np.maximum(other, weight, out=other, where=(part == codes[right]) & (part != MISSING))
        found = np.where(one == two, self._same[left], other)
        found[(one == MISSING) | (two == MISSING)] = 0
        if self._any_several:
            found[((one == _SEVERAL) & (two != MISSING)) | ((two == _SEVERAL) & (one != MISSING))] = self.most
        return found


def _codes(values: Values) -> Codes:
    """Of each record the code of its value, MISSING without one and _SEVERAL with more."""
    if values.is_single:
        return values.single()
    counts = values.counts
    codes = np.full(len(counts), MISSING, dtype=np.int32)
    codes[counts == 1] = values.codes[values.offsets[:-1][counts == 1]]
    codes[counts > 1] = _SEVERAL
    return codes


def _by_record(of_value: npt.NDArray[Value], codes: Codes) -> npt.NDArray[Value]:
    """What holds for each record's value; of those without one value, whatever."""
    if len(of_value) == 0:
        return np.zeros(len(codes), dtype=of_value.dtype)
    return of_value[np.maximum(codes, 0)]


def _by_unlike_letters(values: _Values, levels: tuple[Level, ...]) -> Weights:
    """The most that unequal texts without an equal part add, by how many bits of their letters differ."""
    found = np.full(65, values.most(len(levels) + 1), dtype=np.int32)
    for code, level in enumerate(levels, 1):
        weight = values.most(code)
        if level.at_most is not None:
            found[: 2 * level.at_most + 1] = np.maximum(found[: 2 * level.at_most + 1], weight)
        elif level.method == "day_month_swapped":
            found[0] = max(int(found[0]), weight)
        elif level.at_least is not None:
            found = np.maximum(found, np.int32(weight))
    return found
