"""Which parts of names may be one name written differently: told from letters counted beforehand."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from identity.comparison.signatures import Bits, letter_bits
from identity.comparison.similarity import Texts
from identity.features import Codes, Flags

_MOST_EDITS: Final = 2  # beyond which no word is another one misspelt (alignment.like)
_LEAST_JARO: Final = 0.75  # Jaro-Winkler similarity below which two words bear no likeness, whatever their sound
_FAVOUR: Final = (
    0.4  # what Jaro-Winkler adds at most to the Jaro similarity of words with the same beginning, of its rest
)


class Likeness:
    """Some words by their codes."""

    def __init__(self, words: Texts, always: Flags, classes: Bits) -> None:
        """`always`: words that may be like any; `classes`: a bit for each class of names that a word belongs to."""
        count = len(words)
        letters = letter_bits(pa.array(words, pa.string()))
        lengths = np.fromiter(map(len, words.tolist()), np.float64, count)
        self._letters = letters
        self._lengths = lengths.astype(np.int32)
        self._share = (1 / np.maximum(lengths, 1)).astype(np.float32)
        self._heads = np.fromiter((ord(word[0]) for word in words.tolist()), np.int32, count)
        self._always, self._classes = always, classes

    def may_be_alike(self, left: Codes, right: Codes) -> Flags:
        """Which pairs of codes `PersonNames` may find near, far, within each other, or forms of one name."""
        unlike = np.bitwise_count(self._letters[left] ^ self._letters[right])
        # Jaro similarity is (shared / length + shared / length + 1) / 3 at most.
        shared = np.maximum((self._lengths[left] + self._lengths[right] - unlike) // 2, 0)
        jaro = shared * (self._share[left] + self._share[right])
        beginning = self._heads[left] == self._heads[right]
        held: Flags = jaro >= np.where(beginning, _LEAST_WITH_HEAD, _LEAST_WITHOUT)
        held |= unlike <= 2 * _MOST_EDITS
        held |= self._always[left] | self._always[right]
        held |= (self._classes[left] & self._classes[right]) != 0
        return held


_ROUNDING: Final = 0.001
_LEAST_WITHOUT: Final = np.float32(3 * _LEAST_JARO - 1 - _ROUNDING)
_LEAST_WITH_HEAD: Final = np.float32(3 * (_LEAST_JARO - _FAVOUR) / (1 - _FAVOUR) - 1 - _ROUNDING)
