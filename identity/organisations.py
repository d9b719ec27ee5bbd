"""The name of an organisation: its words weighed by rarity, misspelt words and words written apart
included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from rapidfuzz.distance import JaroWinkler

from identity.features import Codes, Features, Ints, Levels
from identity.schema import WEIGHT_ONE_BIT
from identity.similarity import once_per_value_pair_or_same, pairwise, texts

ORGANISATION_NAME: Final = {"name": ("exact", "exact_common", "strong", "near", "far", "different")}

_WORD_NEAR: Final = 880  # in 1/1000 of Jaro-Winkler similarity; below it two words have nothing to do with each other
_INITIAL: Final = 750  # how alike a word and its first letter are: I. Petrov, Ivan Petrov
_LETTER: Final = 3 * WEIGHT_ONE_BIT
"""What a word of one letter weighs at most."""
# Shares of the words' weight found in the other name, in 1/1000.
_STRONG: Final = 900
_NEAR: Final = 720
_FAR: Final = 500


class OrganisationNames:
    """Levels of two organisations' names by the weight of the words they share."""

    def __init__(self, features: Features, weights: Mapping[str, int], unseen: int, rare: int) -> None:
        """`weights`: weight of a word in 1/1024 bit; `unseen`: of any other; a name of `rare` in sum is
        exact, below common."""
        values = features.values("org_name")
        self._codes = values.single()
        self._names = texts(values.unique)
        words = [sorted(set(name.split())) for name in self._names.tolist()]
        sizes = np.fromiter(map(len, words), np.int64, len(words))
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.array([word for name in words for word in name], dtype=object)
        codes, unique = pd.factorize(flat) if len(flat) else (np.zeros(0, np.int64), flat)
        self._word_codes = codes.astype(np.int32)
        self._words = unique
        self._word_weights = np.fromiter(
            (
                min(weights.get(word, unseen), _LETTER if len(word) == 1 and word.isalpha() else unseen)
                for word in unique
            ),
            np.int64,
            len(unique),
        )
        self._letters = np.fromiter((ord(word[0]) for word in unique), np.int32, len(unique))
        self._is_letter = np.fromiter((len(word) == 1 and word.isalpha() for word in unique), np.bool_, len(unique))
        self._has_digit = np.fromiter((any(c.isdigit() for c in word) for word in unique), np.bool_, len(unique))
        self._joined = pd.factorize(np.array([name.replace(" ", "") for name in self._names.tolist()], dtype=object))[0]
        mass = np.zeros(len(words), dtype=np.int64)
        np.add.at(mass, np.repeat(np.arange(len(words)), sizes), self._word_weights[self._word_codes])
        self._is_rare = mass >= rare

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows; 0 where a side has no name."""
        one = self._codes[left]
        result = once_per_value_pair_or_same(one, self._codes[right], len(self._names), self._different_names)
        same = np.flatnonzero(result == 1)
        result[same[~self._is_rare[one[same]]]] = _code("exact_common")
        return {"name": result}

    def _different_names(self, left: Codes, right: Codes) -> Levels:
        """Levels of pairs of unequal names, in chunks that bound the memory of their words beside each
        other."""
        chunk = 200_000
        parts = [self._chunk(left[at : at + chunk], right[at : at + chunk]) for at in range(0, len(left), chunk)]
        return np.concatenate(parts)

    def _chunk(self, left: Codes, right: Codes) -> Levels:
        left_count = self._offsets[left + 1] - self._offsets[left]
        right_count = self._offsets[right + 1] - self._offsets[right]
        size = left_count * right_count
        ends = np.cumsum(size)
        within = np.arange(int(ends[-1])) - np.repeat(ends - size, size)
        width = np.repeat(right_count, size)
        one = np.repeat(self._offsets[left], size) + within // width
        two = np.repeat(self._offsets[right], size) + within % width
        similar = self._similarity(self._word_codes[one], self._word_codes[two])
        # The best partner of each word, on either side, then the weight found over the weight there is.
        found, total = (
            a + b
            for a, b in zip(
                self._best(similar, one, left, left_count, np.repeat(np.arange(len(left)), size)),
                self._best(similar, two, right, right_count, np.repeat(np.arange(len(left)), size)),
                strict=True,
            )
        )
        result = np.full(len(left), _code("different"))
        for level, share in (("far", _FAR), ("near", _NEAR), ("strong", _STRONG)):
            result[(found >= share * total) & (total > 0)] = _code(level)
        result[self._joined[left] == self._joined[right]] = _code("strong")
        return result

    def _similarity(self, left: Codes, right: Codes) -> Ints:
        result = np.where(left == right, 1000, 0)
        unequal = np.flatnonzero((left != right) & ~self._has_digit[left] & ~self._has_digit[right])
        if len(unequal):
            low, high = np.minimum(left[unequal], right[unequal]), np.maximum(left[unequal], right[unequal])
            spread, distinct = pd.factorize(low.astype(np.int64) * len(self._words) + high)
            jaro = pairwise(
                JaroWinkler.normalized_similarity,
                self._words[distinct // len(self._words)],
                self._words[distinct % len(self._words)],
                _WORD_NEAR / 1000 - 0.001,
            )
            result[unequal] = np.where(jaro >= _WORD_NEAR, jaro, 0)[spread]
            one, two = left[unequal], right[unequal]
            initial = (self._is_letter[one] | self._is_letter[two]) & (self._letters[one] == self._letters[two])
            result[unequal[initial]] = _INITIAL
        return result

    def _best(self, similar: Ints, word: Ints, names: Codes, count: Ints, pair: Ints) -> tuple[Ints, Ints]:
        """Per pair of names: the weight of one side's words times the similarity of their best partner, and
        the weight."""
        starts = np.cumsum(count) - count
        place = starts[pair] + word - self._offsets[names][pair]
        best = np.zeros(int(count.sum()), dtype=np.int64)
        np.maximum.at(best, place, similar)
        owner = np.repeat(np.arange(len(names)), count)
        of_word = np.repeat(self._offsets[names] - starts, count) + np.arange(len(best))
        weight = self._word_weights[self._word_codes[of_word]]
        found, total = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
        np.add.at(found, owner, weight * best)
        np.add.at(total, owner, weight)
        return found, total


def _code(level: str) -> np.uint8:
    return np.uint8(ORGANISATION_NAME["name"].index(level) + 1)
