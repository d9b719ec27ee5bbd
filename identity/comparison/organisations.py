"""The name of an organisation: its words weighed by rarity, misspelt words and words written apart
included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from rapidfuzz.distance import JaroWinkler

from identity.comparison.alignment import like, sounds_of
from identity.comparison.own_script import OwnScript
from identity.comparison.similarity import Texts, once_per_value_pair_or_same, pairwise, texts
from identity.comparison.word_glance import WordGlance
from identity.encoded import Codes, Flags, Ints, Levels
from identity.features import Features
from identity.schema import WEIGHT_ONE_BIT

ORGANISATION_NAME: Final = {
    "name": ("exact", "exact_common", "strong", "contained", "near", "far", "shared_word", "different")
}

_WORD_NEAR: Final = 880  # how alike, in 1/1000, two spellings of one word are at least
_INITIAL: Final = 750  # how alike a word and its first letter are: I. Petrov, Ivan Petrov
_CUT_SHORT: Final = 850  # ... and a word and its beginning: Ind., Industries
_LEAST_CUT: Final = 3  # letters that a word cut short keeps
_LETTER: Final = 3 * WEIGHT_ONE_BIT
"""What a word of one letter weighs at most."""
# Shares of the words' weight found in the other name, in 1/1000.
_STRONG: Final = 900
_NEAR: Final = 720
_FAR: Final = 500
_MOST_JOINED: Final = 3  # words that another name may write as one
_LONGEST_INITIALS: Final = 6
_CHUNK: Final = 200_000  # pairs of names at once, which bounds the memory of their words beside each other


@dataclass(frozen=True)
class _Entries:
    """What the names may share: words, and runs of words that some name writes as one.

    `codes[offsets[i]:offsets[i + 1]]` are name i's entries; each stands for its words `first` to `last`.
    """

    offsets: Ints
    codes: Codes
    first: Ints
    last: Ints

    @property
    def is_run(self) -> Flags:
        """Entries that are several words."""
        held: Flags = self.last > self.first
        return held


class OrganisationNames:
    """Levels of two organisations' names by the weight of the words they share."""

    def __init__(self, features: Features, weights: Mapping[str, int], unseen: int, rare: int) -> None:
        """`weights`: weight of a word in 1/1024 bit; `unseen`: of any other; a name of `rare` in sum is
        exact, below common; half of it is the least that sharing a part of a name says anything."""
        values = features.values("org_name")
        self._own = OwnScript(features)
        self._codes = values.single()
        self._names = texts(values.unique)
        names = self._names.tolist()
        words = [list(dict.fromkeys(name.split())) for name in names]
        sizes = np.fromiter(map(len, words), np.int64, len(words))
        self._sizes = sizes
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.array([word for name in words for word in name], dtype=object)
        codes, unique = pd.factorize(flat) if len(flat) else (np.zeros(0, np.int64), flat)
        self._word_codes = codes.astype(np.int32)
        self._words: Texts = unique
        self._weight = _word_weights(unique, weights, unseen)
        self._unseen = unseen
        self._sounds = sounds_of(unique.tolist())
        self._lengths = np.fromiter(map(len, unique), np.int64, len(unique))
        self._letters = np.fromiter((ord(word[0]) for word in unique), np.int32, len(unique))
        self._is_letter = np.fromiter((len(word) == 1 and word.isalpha() for word in unique), np.bool_, len(unique))
        self._has_digit = np.fromiter((any(c.isdigit() for c in word) for word in unique), np.bool_, len(unique))
        self._glance = WordGlance(unique, self._sounds, self._lengths, _LEAST_CUT)
        self._entries = _entries(words, unique)
        self._joined, self._initials = _joined(names)
        mass = np.zeros(len(words), dtype=np.int64)
        np.add.at(mass, np.repeat(np.arange(len(words)), sizes), self._weight[self._word_codes])
        self._is_rare = mass >= rare
        self._telling = 1000 * rare // 2

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows; 0 where a side has no name."""
        one = self._codes[left]
        result = once_per_value_pair_or_same(one, self._codes[right], len(self._names), self._different_names)
        same = np.flatnonzero(result == 1)
        result[same[~self._is_rare[one[same]]]] = _code("exact_common")
        result[same[self._own.differ(left[same], right[same])]] = _code("near")
        return {"name": result}

    def _different_names(self, left: Codes, right: Codes) -> Levels:
        parts = [self._chunk(left[at : at + _CHUNK], right[at : at + _CHUNK]) for at in range(0, len(left), _CHUNK)]
        return np.concatenate(parts)

    def _chunk(self, left: Codes, right: Codes) -> Levels:
        """Levels of pairs of unequal names."""
        pair, one, two = self._glanced(left, right)
        similar = self._similarity(self._entries.codes[one], self._entries.codes[two])
        alike = np.flatnonzero(similar)
        is_run = self._entries.is_run
        # A run is another name's word letter by letter, or nothing.
        alike = alike[(similar[alike] == 1000) | ~(is_run[one[alike]] | is_run[two[alike]])]
        pair, one, two, similar = pair[alike], one[alike], two[alike], similar[alike]
        result = np.full(len(left), _code("different"))
        if self._telling > 0:
            # Names without a word in common are different whatever they weigh.
            some = np.unique(pair)
            result[some] = self._shared(left[some], right[some], np.searchsorted(some, pair), (one, two), similar)
        else:
            result = self._shared(left, right, pair, (one, two), similar)
        result[self._joined[left] == self._joined[right]] = _code("strong")
        short = (self._initials[left] == self._joined[right]) | (self._initials[right] == self._joined[left])
        result[short & (result > _code("near"))] = _code("near")
        return result

    def _glanced(self, left: Codes, right: Codes) -> tuple[Ints, Ints, Ints]:
        """The pairs of entries that may be alike, by the place of their pair of names, its left and its right entry."""
        entries = self._entries
        sizes = np.diff(entries.offsets)
        size_left, width = sizes[left], sizes[right]
        one = _runs(entries.offsets[left], size_left)
        owner = np.repeat(np.arange(len(left)), size_left)
        times = width[owner]
        two = _runs(entries.offsets[right[owner]], times)
        held = np.flatnonzero(self._glance.may_be_alike(entries.codes[one], times, entries.codes[two]))
        at = np.searchsorted(np.cumsum(times), held, side="right")
        return owner[at], one[at], two[held]

    def _shared(self, left: Codes, right: Codes, pair: Ints, entries: tuple[Ints, Ints], similar: Ints) -> Levels:
        """Levels by the weight of the words that pairs of names share: `entries` on either side that are `similar`, of
        the names at `pair`."""
        found_left, total_left = self._found(similar, entries[0], left, pair)
        found_right, total_right = self._found(similar, entries[1], right, pair)
        found, total = found_left + found_right, total_left + total_right
        whole = (found_left >= _STRONG * total_left) | (found_right >= _STRONG * total_right)
        telling = np.minimum(found_left, found_right) >= self._telling
        result = np.full(len(left), _code("different"))
        some = total > 0
        result[some & telling] = _code("shared_word")
        result[some & (found >= _FAR * total)] = _code("far")
        result[some & telling & (found >= _NEAR * total)] = _code("near")
        result[some & telling & whole] = _code("contained")
        result[some & (found >= _STRONG * total)] = _code("strong")
        return result

    def _similarity(self, left: Codes, right: Codes) -> Ints:
        result = np.where(left == right, 1000, 0)
        unequal = np.flatnonzero((left != right) & ~self._has_digit[left] & ~self._has_digit[right])
        if len(unequal):
            low, high = np.minimum(left[unequal], right[unequal]), np.maximum(left[unequal], right[unequal])
            spread, distinct = pd.factorize(low.astype(np.int64) * len(self._words) + high)
            result[unequal] = self._one_word(distinct // len(self._words), distinct % len(self._words))[spread]
            one, two = left[unequal], right[unequal]
            initial = (self._is_letter[one] | self._is_letter[two]) & (self._letters[one] == self._letters[two])
            result[unequal[initial]] = _INITIAL
        return result

    def _one_word(self, left: Ints, right: Ints) -> Ints:
        """How alike two words are that are one word written differently or cut short; else 0."""
        a, b = self._words[left], self._words[right]
        result = np.zeros(len(left), dtype=np.int64)
        same = np.flatnonzero(like(a, b, (self._sounds[left], self._sounds[right])))
        if len(same):
            jaro = pairwise(JaroWinkler.normalized_similarity, a[same], b[same])
            result[same] = np.maximum(jaro, _WORD_NEAR)
        # What everybody knows is cut short, names are not: Ind. for Industries, but Bai is not Baikal.
        short = (np.minimum(self._lengths[left], self._lengths[right]) >= _LEAST_CUT) & (result == 0)
        known = 2 * np.where(self._lengths[left] > self._lengths[right], self._weight[left], self._weight[right])
        at = np.flatnonzero(short & (known <= self._unseen))
        pairs = zip(a[at].tolist(), b[at].tolist(), strict=True)
        begins = np.fromiter((x.startswith(y) or y.startswith(x) for x, y in pairs), np.bool_, len(at))
        result[at[begins]] = _CUT_SHORT
        return result

    def _found(self, similar: Ints, entry: Ints, names: Codes, pair: Ints) -> tuple[Ints, Ints]:
        """Per pair of names: the weight of one side's words times the similarity of their best partner, and
        the weight."""
        count = self._sizes[names]
        starts = np.cumsum(count) - count
        best = np.zeros(int(count.sum()), dtype=np.int64)
        first, last = self._entries.first[entry], self._entries.last[entry]
        for step in range(_MOST_JOINED):
            held = np.flatnonzero(first + step <= last)
            np.maximum.at(best, starts[pair[held]] + first[held] + step, similar[held])
        owner = np.repeat(np.arange(len(names)), count)
        of_word = np.repeat(self._offsets[names] - starts, count) + np.arange(len(best))
        weight = self._weight[self._word_codes[of_word]]
        found, total = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
        np.add.at(found, owner, weight * best)
        np.add.at(total, owner, weight)
        return found, total


def _runs(starts: Ints, sizes: Ints) -> Ints:
    """`starts[i]` and what follows it, `sizes[i]` of them, one after the other."""
    ends = np.cumsum(sizes)
    found: Ints = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes)
    return found


def _word_weights(words: Texts, weights: Mapping[str, int], unseen: int) -> Ints:
    return np.fromiter(
        (min(weights.get(word, unseen), _LETTER if len(word) == 1 and word.isalpha() else unseen) for word in words),
        np.int64,
        len(words),
    )


def _entries(words: list[list[str]], unique: Texts) -> _Entries:
    """The words of each name, and its runs of words that are a word of another name."""
    code_of = {word: code for code, word in enumerate(unique.tolist())}
    codes: list[int] = []
    first: list[int] = []
    last: list[int] = []
    sizes = []
    for name in words:
        before = len(codes)
        codes += [code_of[word] for word in name]
        first += range(len(name))
        last += range(len(name))
        for start in range(len(name) - 1):
            run = name[start]
            for end in range(start + 1, min(start + _MOST_JOINED, len(name))):
                run += name[end]
                code = code_of.get(run)
                if code is not None:
                    codes.append(code)
                    first.append(start)
                    last.append(end)
        sizes.append(len(codes) - before)
    offsets = np.concatenate([[0], np.cumsum(np.array(sizes, dtype=np.int64))])
    return _Entries(offsets, np.array(codes, np.int32), np.array(first, np.int64), np.array(last, np.int64))


def _joined(names: list[str]) -> tuple[Codes, Codes]:
    """Of each name the codes of its letters without spaces, and of its words' initials (or one that no name
    has)."""
    together = [name.replace(" ", "") for name in names]
    split = [name.split() for name in names]
    initials = [
        "".join(word[0] for word in words) if _LEAST_CUT <= len(words) <= _LONGEST_INITIALS else " " for words in split
    ]
    codes = pd.factorize(np.array(together + initials, dtype=object))[0].astype(np.int32)
    none = np.array([found == " " for found in initials], dtype=np.bool_)
    return codes[: len(names)], np.where(none, np.int32(-1), codes[len(names) :])


def _code(level: str) -> np.uint8:
    return np.uint8(ORGANISATION_NAME["name"].index(level) + 1)
