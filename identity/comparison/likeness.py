"""Which parts of names may be one name written differently: told from letters counted beforehand."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from identity.comparison.signatures import Bits, letter_bits
from identity.comparison.similarity import Texts
from identity.encoded import Codes, Flags

_LENGTH_BITS: Final = 8
_LONGEST: Final = (1 << _LENGTH_BITS) - 1
_MOST_EDITS: Final = 2  # beyond which no word is another one misspelt (alignment.like)
_LEAST_JARO: Final = 0.75  # Jaro-Winkler similarity below which two words bear no likeness, whatever their sound
_FAVOUR: Final = (
    0.4  # what Jaro-Winkler adds at most to the Jaro similarity of words with the same beginning, of its rest
)


class Likeness:
    """Some words by their codes."""

    def __init__(self, words: Texts, always: Flags, classes: Bits) -> None:
        """`always`: words that may be like any; `classes`: a bit for each class of names that a word belongs to."""
        found = words.tolist()
        self._letters = letter_bits(pa.array(words, pa.string()))
        lengths = np.fromiter(map(len, found), np.int32, len(found))
        # So long that no two words are too unlike for it.
        lengths[always | (lengths > _LONGEST)] = _LONGEST
        heads = np.fromiter((ord(word[0]) for word in found), np.int32, len(found))
        self._heads_and_lengths = heads << _LENGTH_BITS | lengths
        self._classes = classes

    def may_be_alike(self, left: Codes, right: Codes) -> Flags:
        """Which pairs of codes `PersonNames` may find near, far, within each other, or forms of one name."""
        unlike = np.bitwise_count(self._letters[left] ^ self._letters[right])
        one, two = self._heads_and_lengths[left], self._heads_and_lengths[right]
        least = np.where((one ^ two) <= _LONGEST, _LEAST_WITH_HEAD, _LEAST_WITHOUT)
        one, two = one & _LONGEST, two & _LONGEST
        together = one + two
        # Jaro similarity is (shared / length + shared / length + 1) / 3 at most.
        shared = np.maximum((together - unlike) >> 1, 0)
        held: Flags = shared * together >= least * (one * two)
        held |= unlike <= 2 * _MOST_EDITS
        rest = np.flatnonzero(~held)
        held[rest] = (self._classes[left[rest]] & self._classes[right[rest]]) != 0
        return held


_ROUNDING: Final = 0.001
_LEAST_WITHOUT: Final = np.float32(3 * _LEAST_JARO - 1 - _ROUNDING)
_LEAST_WITH_HEAD: Final = np.float32(3 * (_LEAST_JARO - _FAVOUR) / (1 - _FAVOUR) - 1 - _ROUNDING)
