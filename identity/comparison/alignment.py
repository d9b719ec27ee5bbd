"""Names as sets of words, whatever their order: which words of one find a like word in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from rapidfuzz.distance import OSA, JaroWinkler

from identity.comparison.similarity import Texts, pairwise
from identity.encoded import Codes, Flags, Ints
from identity.hashing import hash_strings
from identity.parts import sounds

_CHUNK: Final = 200_000  # pairs of names at once, which bounds the memory of their words beside each other
LONG: Final = 8  # letters from which on a word may bear two slips of the pen
SHORT: Final = 4  # letters below which a word bears none
_SAME_SOUND: Final = 750  # in 1/1000 of Jaro-Winkler similarity


def like(left: Texts, right: Texts, heard: tuple[Codes, Codes]) -> Flags:
    """Which words of Latin keys are one word written differently: one slip (two in long words), or the same
    sound."""
    distance = pairwise(OSA.distance, left, right, 2)
    shorter = np.minimum(_lengths(left), _lengths(right))
    slip = ((distance <= 1) & (shorter >= SHORT)) | ((distance <= 2) & (shorter >= LONG))
    same = np.flatnonzero((heard[0] == heard[1]) & (heard[0] >= 0) & ~slip)
    if len(same):
        slip[same] = pairwise(JaroWinkler.normalized_similarity, left[same], right[same]) >= _SAME_SOUND
    return slip


def sounds_of(words: list[str]) -> Codes:
    """The code of each word's sound; -1 where there are not two consonants to it."""
    found = sounds(pa.array(words, pa.string())).to_pylist()
    codes = pd.factorize(np.array([s if len(s) > 1 else None for s in found], dtype=object))[0]
    return codes.astype(np.int32)


def _lengths(words: Texts) -> Ints:
    return np.fromiter(map(len, words.tolist()), np.int64, len(words))


@dataclass(frozen=True)
class Alignment:
    """Of each pair of names: words on either side, and how many of them have a like word on the other."""

    left: Ints
    right: Ints
    left_found: Ints
    right_found: Ints

    @property
    def all_found(self) -> Flags:
        """The same words on both sides, in any order and spelling."""
        held: Flags = (self.left_found == self.left) & (self.right_found == self.right) & (self.left == self.right)
        return held

    @property
    def within(self) -> Flags:
        """All words of one side stand on the other, which has more."""
        held: Flags = (self.left_found == self.left) | (self.right_found == self.right)
        return held

    @property
    def conflict(self) -> Flags:
        """Both sides have a word that the other lacks."""
        held: Flags = (self.left_found < self.left) & (self.right_found < self.right)
        return held


class WordSets:
    """Names split into words; initials and the words in `without` are left out unless nothing else is there."""

    def __init__(self, names: Texts, without: frozenset[str] = frozenset()) -> None:
        split = [_telling(name, without) for name in names.tolist()]
        sizes = np.fromiter(map(len, split), np.int64, len(split))
        self.sizes = sizes
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.array([word for words in split for word in words], dtype=object)
        codes, unique = pd.factorize(flat) if len(flat) else (np.zeros(0, np.int64), flat)
        self._codes = codes.astype(np.int32)
        self._words: Texts = unique
        self._sounds = sounds_of(unique.tolist())
        # One bit of 64 per sound, by its text, so that what two names share depends on nothing but the two. Names
        # without enough bits in common share no like words, but for rare exceptions.
        heard = hash_strings(sounds(pa.array(unique.tolist(), pa.string())))
        bit = np.where(self._sounds >= 0, np.uint64(1) << (heard % np.uint64(64)), np.uint64(0))
        self.bits: npt.NDArray[np.uint64] = np.zeros(len(split), dtype=np.uint64)
        np.bitwise_or.at(self.bits, np.repeat(np.arange(len(split)), sizes), bit[self._codes])

    def may_share(self, left: Codes, right: Codes, words: int) -> Flags:
        """Which pairs may have as many like words: a quick look that spares most pairs the alignment."""
        held: Flags = np.bitwise_count(self.bits[left] & self.bits[right]) >= words
        return held

    def align(self, left: Codes, right: Codes) -> Alignment:
        """How the words of pairs of names find each other."""
        parts = [self._chunk(left[at : at + _CHUNK], right[at : at + _CHUNK]) for at in range(0, len(left), _CHUNK)]
        found = np.concatenate(parts, axis=1) if parts else np.zeros((2, 0), dtype=np.int64)
        return Alignment(self.sizes[left], self.sizes[right], found[0], found[1])

    def _chunk(self, left: Codes, right: Codes) -> Ints:
        left_count, right_count = self.sizes[left], self.sizes[right]
        size = left_count * right_count
        ends = np.cumsum(size)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - size, size)
        width = np.repeat(right_count, size)
        pair = np.repeat(np.arange(len(left)), size)
        one, two = within // width, within % width
        hit = self._like(
            self._codes[np.repeat(self._offsets[left], size) + one],
            self._codes[np.repeat(self._offsets[right], size) + two],
        )
        pair, one, two = pair[hit], one[hit], two[hit]
        return np.stack([_distinct(pair, one, left_count), _distinct(pair, two, right_count)])

    def _like(self, left: Codes, right: Codes) -> Flags:
        result: Flags = left == right
        unequal = np.flatnonzero(~result)
        if len(unequal):
            low, high = np.minimum(left[unequal], right[unequal]), np.maximum(left[unequal], right[unequal])
            spread, distinct = pd.factorize(low.astype(np.int64) * len(self._words) + high)
            one, two = distinct // len(self._words), distinct % len(self._words)
            result[unequal] = like(self._words[one], self._words[two], (self._sounds[one], self._sounds[two]))[spread]
        return result


def _telling(name: str, without: frozenset[str]) -> list[str]:
    words = name.split()
    return [word for word in words if len(word) > 1 and word not in without] or words


def _distinct(pair: Ints, word: Ints, sizes: Ints) -> Ints:
    """How many different words of each pair's side are there; `sizes`: how many words that side has."""
    ends = np.cumsum(sizes)
    starts = ends - sizes
    there = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.bool_)
    there[starts[pair] + word] = True
    before = np.concatenate([[0], np.cumsum(there)])
    counts: Ints = before[ends] - before[starts]
    return counts
