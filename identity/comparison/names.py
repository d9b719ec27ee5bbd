"""The name of a person: family, given and middle name compared together, by their Latin keys."""

from __future__ import annotations

from functools import cache, cached_property, reduce
from operator import or_
from typing import Final

import numpy as np
import pandas as pd
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from identity.comparison.alignment import WordSets, like, sounds_of
from identity.comparison.likeness import Likeness
from identity.comparison.signatures import Bits
from identity.comparison.similarity import (
    LevelOf,
    Texts,
    Unlike,
    once_per_value_pair_or_same,
    pairwise,
    texts,
)
from identity.encoded import MISSING, Codes, Flags, Ints, Levels, by_row
from identity.features import Features
from identity.standard.latin import latin_key
from identity.standard.nicknames import initials, is_given_name, nickname_class
from identity.standard.vocabulary import words as vocabulary

FAMILY: Final = ("exact", "near", "part", "far", "different")
GIVEN: Final = ("exact", "nickname", "near", "initial", "swapped", "far", "other", "different")
MIDDLE: Final = ("exact", "near", "initial", "different")
FULL: Final = ("exact", "contains", "near", "word", "far", "different")
DISAGREEING: Final = ("other", "different")
"""The levels of two names that have nothing to do with each other."""
PERSON_NAME: Final = {"name.family": FAMILY, "name.given": GIVEN, "name.middle": MIDDLE, "name.full": FULL}

# In 1/1000 of Jaro-Winkler similarity.
_FAR: Final = 820


def read_words() -> None:
    """Read the lists that names are compared by: in a thread of its own while something else is waited for, they take
    no time of the first comparison."""
    nickname_class("")
    is_given_name("")
    _particles()


def _code(levels: tuple[str, ...], level: str) -> np.uint8:
    return np.uint8(levels.index(level) + 1)


class PersonNames:
    """Levels of the parts of two persons' names; parts that stand in each other's place count as swapped."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._family = features.values("family_name").single()
        self._given = features.values("given_name").single()
        self._middle = features.values("middle_name").single()
        self._words = texts(features.values("family_name").unique)

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per part and pair of rows; 0 where a side has no such part."""
        size = len(self._words)
        family = self._part(self._family, left, right, self._family_levels, _code(FAMILY, "different"))
        given = self._part(self._given, left, right, self._given_levels, _code(GIVEN, "different"))
        apart = np.flatnonzero(given == _code(GIVEN, "different"))
        known = self._is_known[self._given[left[apart]]] & self._is_known[self._given[right[apart]]]
        given[apart[known]] = _code(GIVEN, "other")
        middle = self._part(self._middle, left, right, self._middle_levels, _code(MIDDLE, "different"))
        # A single name may have been put in either column; two that agree crosswise were swapped.
        doubtful = np.flatnonzero((family >= _code(FAMILY, "part")) & (given >= _code(GIVEN, "near")))
        if len(doubtful):
            here, there = left[doubtful], right[doubtful]
            unlike = Unlike(_code(FAMILY, "different"), self._likeness.may_be_alike)
            one = once_per_value_pair_or_same(self._family[here], self._given[there], size, self._family_levels, unlike)
            two = once_per_value_pair_or_same(self._given[here], self._family[there], size, self._family_levels, unlike)
            near = _code(FAMILY, "near")
            swapped = (one > 0) & (two > 0) & (one <= near) & (two <= near)
            family[doubtful[swapped]] = np.maximum(one, two)[swapped]
            given[doubtful[swapped]] = _code(GIVEN, "swapped")
        self._regroup(left, right, family, given, middle)
        full = self._full(left, right, family)
        given[full > 0] = 0  # the whole name has been weighed already
        middle[full > 0] = 0
        return {"name.family": family, "name.given": given, "name.middle": middle, "name.full": full}

    def _regroup(self, left: Ints, right: Ints, family: Levels, given: Levels, middle: Levels) -> None:
        """Names whose parts disagree but whose words agree were divided differently: Isa bin Salman, Salman Isa."""
        values = self._features.values("full_name")
        if values.is_empty:
            return
        codes = values.single()
        agree = (family <= _code(FAMILY, "near")) & (given <= _code(GIVEN, "near"))
        doubtful = ((family > 0) | (given > 0)) & ~agree & (given != _code(GIVEN, "swapped"))
        at = np.flatnonzero(doubtful & (codes[left] != MISSING) & (codes[right] != MISSING))
        at = at[codes[left[at]] != codes[right[at]]]
        one, two = codes[left[at]], codes[right[at]]
        words, joined = self._full_sets, self._joined
        # Two words in common make a name; a single word does only where it is both names written together.
        together = joined[one] == joined[two]
        several = (np.minimum(words.sizes[one], words.sizes[two]) > 1) & words.may_share(one, two, 2)
        chosen = together | several
        at, one, two, together = at[chosen], one[chosen], two[chosen], together[chosen]
        found = words.align(one, two)
        several = np.minimum(found.left, found.right) > 1
        same = together | (found.all_found & several)
        within = found.within & several & ~same
        family[at[same]] = _code(FAMILY, "near")
        family[at[within]] = _code(FAMILY, "part")
        given[at[same | within]] = _code(GIVEN, "swapped")
        middle[at[same | within]] = 0

    def may_agree(self, left: Ints, right: Ints) -> tuple[Flags, Flags]:
        """Of which pairs of unequal family names, and of unequal given names, `levels` may find any likeness.

        A quick look that never misses one: for all others, the level is one of those that disagree.
        """
        family, given = (self._family[left], self._family[right]), (self._given[left], self._given[right])
        one, two = family[0] != family[1], given[0] != given[1]
        regrouped = np.zeros(len(left), dtype=np.bool_)
        at = np.flatnonzero(one | two)
        regrouped[at] = self._may_be_regrouped(left[at], right[at])
        alike = self._likeness.may_be_alike
        # Where either is equal, nothing is swapped.
        apart = np.flatnonzero(one & two & ~regrouped)
        crosswise = alike(family[0][apart], given[1][apart]) & alike(given[0][apart], family[1][apart])
        regrouped[apart[crosswise]] = True
        found = regrouped, regrouped.copy()
        for agree, differ, (here, there) in zip(found, (one, two), (family, given), strict=True):
            at = np.flatnonzero(differ & ~agree)
            agree[at] = alike(here[at], there[at])
        return found

    def _may_be_regrouped(self, left: Ints, right: Ints) -> Flags:
        """Which pairs of rows may have two words of their whole names in common, or the same letters."""
        values = self._features.values("full_name")
        if values.is_empty:
            return np.zeros(len(left), dtype=np.bool_)
        bits, joined = self._whole
        found: Flags = np.bitwise_count(bits[left] & bits[right]) > 1
        one = joined[left]
        found |= (one == joined[right]) & (one != MISSING)
        return found

    @cached_property
    def _whole(self) -> tuple[Bits, Codes]:
        """Of each record the bits of the words of its whole name, and the code of that name written together."""
        codes = self._features.values("full_name").single()
        return by_row(self._full_sets.bits, codes, np.uint64(0)), by_row(self._joined, codes, np.int32(MISSING))

    @cached_property
    def _likeness(self) -> Likeness:
        bits = np.zeros(len(self._words), dtype=np.uint64)
        for codes in self._nicknames:
            bits |= np.where(codes == MISSING, np.uint64(0), np.uint64(1) << (codes.astype(np.uint64) % np.uint64(64)))
        return Likeness(self._words, self._is_compound | self._is_initial, bits)

    @cached_property
    def _full_sets(self) -> WordSets:
        return WordSets(self._full_words, _particles())

    @cached_property
    def _joined(self) -> Codes:
        """The code of each whole name written together."""
        found = [name.replace(" ", "") for name in self._full_words.tolist()]
        return pd.factorize(np.array(found, dtype=object))[0].astype(np.int32)

    @cached_property
    def _part_sets(self) -> WordSets:
        return WordSets(self._words, _particles())

    def _part(self, codes: Codes, left: Ints, right: Ints, level_of: LevelOf, different: np.uint8) -> Levels:
        unlike = Unlike(different, self._likeness.may_be_alike)
        return once_per_value_pair_or_same(codes[left], codes[right], len(self._words), level_of, unlike)

    def _full(self, left: Ints, right: Ints, family: Levels) -> Levels:
        """The whole names as sets of words, where a family name is missing on one side."""
        result = np.zeros(len(left), dtype=np.uint8)
        values = self._features.values("full_name")
        if values.is_empty:
            return result
        codes = values.single()
        at = np.flatnonzero((family == 0) & (codes[left] != MISSING) & (codes[right] != MISSING))
        if len(at):
            words = self._full_words
            result[at] = once_per_value_pair_or_same(
                codes[left[at]], codes[right[at]], len(words), lambda a, b: _full_levels(words[a], words[b])
            )
        return result

    @cached_property
    def _full_words(self) -> Texts:
        return texts(self._features.values("full_name").unique)

    @cached_property
    def _sounds(self) -> Codes:
        return sounds_of(self._words.tolist())

    @cached_property
    def _letters(self) -> Ints:
        """One bit for the first letter of each name."""
        return np.fromiter((_bit(word[0]) for word in self._words.tolist()), np.int64, len(self._words))

    @cached_property
    def _abbreviations(self) -> Ints:
        """A bit for every letter that may stand for each name."""
        found = (initials(word.split(" ", 1)[0]) for word in self._words.tolist())
        return np.fromiter((reduce(or_, map(_bit, letters), 0) for letters in found), np.int64, len(self._words))

    @cached_property
    def _is_initial(self) -> Flags:
        words = self._words.tolist()
        return np.fromiter((all(len(w) == 1 for w in word.split()) for word in words), np.bool_, len(words))

    def _alike(self, left: Codes, right: Codes) -> tuple[Flags, Flags, Flags]:
        """Of pairs of parts of names: which are one name written differently, of which one holds all words of
        the other, and which bear some likeness."""
        a, b = self._words[left], self._words[right]
        near = like(a, b, (self._sounds[left], self._sounds[right]))
        far = near | (pairwise(JaroWinkler.normalized_similarity, a, b) >= _FAR)
        within = np.zeros(len(left), dtype=np.bool_)
        compound = self._is_compound[left] | self._is_compound[right]
        several = np.flatnonzero(compound)
        if len(several):
            found = self._part_sets.align(left[several], right[several])
            within[several] = found.within
            near[several] = found.all_found
            # Some words in common and others instead of each other: two names, however long the common part.
            far[several] = found.within | (found.left_found + found.right_found > 0)
        return near, within, far

    @cached_property
    def _is_compound(self) -> Flags:
        words = self._words.tolist()
        return np.fromiter((" " in word for word in words), np.bool_, len(words))

    def _family_levels(self, left: Codes, right: Codes) -> Levels:
        near, within, far = self._alike(left, right)
        result = np.full(len(left), _code(FAMILY, "different"))
        result[far] = _code(FAMILY, "far")
        result[within] = _code(FAMILY, "part")
        result[near] = _code(FAMILY, "near")
        result[self._initials(left, right, same=True)] = _code(FAMILY, "far")
        return result

    def _given_levels(self, left: Codes, right: Codes) -> Levels:
        near, within, far = self._alike(left, right)
        result = np.full(len(left), _code(GIVEN, "different"))
        result[far] = _code(GIVEN, "far")
        known = self._is_known[left] & self._is_known[right]
        compound = self._is_compound[left] | self._is_compound[right]
        result[known & ~(compound & far)] = _code(GIVEN, "other")
        result[near | within] = _code(GIVEN, "near")
        result[self._share_nickname(left, right)] = _code(GIVEN, "nickname")
        result[self._initials(left, right, same=True)] = _code(GIVEN, "initial")
        result[self._initials(left, right, same=False)] = _code(GIVEN, "different")
        return result

    def _middle_levels(self, left: Codes, right: Codes) -> Levels:
        near, within, _ = self._alike(left, right)
        result = np.full(len(left), _code(MIDDLE, "different"))
        result[near | within | self._share_nickname(left, right)] = _code(MIDDLE, "near")
        result[self._initials(left, right, same=True)] = _code(MIDDLE, "initial")
        result[self._initials(left, right, same=False)] = _code(MIDDLE, "different")
        return result

    def _initials(self, left: Codes, right: Codes, *, same: bool) -> Flags:
        """Where a side is an initial: whether the letters are the same, or are not."""
        either = self._is_initial[left] | self._is_initial[right]
        # An initial may be that of another form: B. Smith, Robert Smith
        letters, forms = self._letters, self._abbreviations
        agreed: Flags = ((forms[left] & letters[right]) | (letters[left] & forms[right])) != 0
        held: Flags = either & (agreed if same else ~agreed)
        return held

    @cached_property
    def _is_known(self) -> Flags:
        """Which words begin with a known given name: two of them that are unlike are two names, not one garbled."""
        words = self._words.tolist()
        known: Flags = np.fromiter((is_given_name(word.split(" ", 1)[0]) for word in words), np.bool_, len(words))
        return known & ~self._is_initial

    @cached_property
    def _nicknames(self) -> list[Codes]:
        return _nickname_slots(self._words)

    def _share_nickname(self, left: Codes, right: Codes) -> Flags:
        result = np.zeros(len(left), dtype=np.bool_)
        for one in self._nicknames:
            for two in self._nicknames:
                result |= (one[left] == two[right]) & (one[left] != MISSING)
        return result


def _bit(letter: str) -> int:
    return 1 << (ord(letter) % 61)


@cache
def _particles() -> frozenset[str]:
    """Latin keys of van, de, al, bin, ...: parts of names that very many share."""
    return frozenset(latin_key(word) for word in vocabulary("particles"))


def _nickname_slots(words: Texts) -> list[Codes]:
    """The classes of each word's first name as columns of codes: a nickname may stand for several names."""
    found = [nickname_class(word.split(" ", 1)[0]) for word in words.tolist()]
    codes: dict[str, int] = {}
    width = max((len(classes) for classes in found), default=0)
    slots = np.full((width, len(words)), MISSING, dtype=np.int32)
    for row, classes in enumerate(found):
        for slot, name in enumerate(classes):
            slots[slot, row] = codes.setdefault(name, len(codes))
    return list(slots)


def _one_within_other(left: Texts, right: Texts) -> Flags:
    """All words of one stand in the other: Anna and Anna Maria, Lopez and Garcia Lopez."""

    def holds(a: str, b: str) -> bool:
        if " " not in a and " " not in b:
            return False
        one, two = set(a.split()), set(b.split())
        return one <= two or two <= one

    return np.fromiter(map(holds, left.tolist(), right.tolist()), np.bool_, len(left))


def _full_levels(left: Texts, right: Texts) -> Levels:
    ordered = pairwise(fuzz.token_sort_ratio, left, right)
    within = _one_within_other(left, right)
    lone = np.fromiter((" " not in a or " " not in b for a, b in zip(left, right, strict=True)), np.bool_, len(left))
    result = np.full(len(left), _code(FULL, "different"))
    result[ordered >= 750] = _code(FULL, "far")
    result[within & lone] = _code(FULL, "word")
    result[ordered >= 900] = _code(FULL, "near")
    result[within & ~lone] = _code(FULL, "contains")
    result[ordered >= 1000] = _code(FULL, "exact")
    return result
