"""Which words of organisations' names may be one word written differently: told from letters counted beforehand.

Of two names nearly all pairs of words have nothing in common, and a register's training looks at millions of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from identity.comparison.alignment import LONG, SHORT
from identity.comparison.signatures import letter_bits
from identity.comparison.similarity import Texts
from identity.encoded import Codes, Flags, Ints

_BITS_A_SLIP: Final = 2
"""How many bits of its letters one slip of the pen changes at most."""


class WordGlance:
    """Some words by their codes."""

    def __init__(self, words: Texts, sounds: Codes, lengths: Ints, least_cut: int) -> None:
        """`sounds`: of each word, negative where it has none; `least_cut`: letters that a word cut short keeps."""
        found = words.tolist()
        self._letters = letter_bits(pa.array(found, pa.string()))
        slips = np.where(lengths >= LONG, 2, np.where(lengths >= SHORT, 1, 0))
        # No word is one slip away that bears none: its letters are never few enough apart.
        self._unlike = np.where(slips > 0, _BITS_A_SLIP * slips, -1).astype(np.int8)
        # What is not there is never the same: each word without it has a number of its own.
        own = -1 - np.arange(len(found), dtype=np.int32)
        self._sounds = np.where(sounds >= 0, sounds, own).astype(np.int32)
        beginnings = [word[:least_cut] if len(word) >= least_cut else None for word in found]
        codes = pd.factorize(np.array(beginnings, dtype=object))[0].astype(np.int32)
        self._beginnings = np.where(codes >= 0, codes, own).astype(np.int32)
        self._heads = np.fromiter((ord(word[0]) for word in found), np.int32, len(found))
        self._is_letter = np.fromiter((len(word) == 1 and word.isalpha() for word in found), np.bool_, len(found))

    def may_be_alike(self, left: Codes, times: Ints, right: Codes) -> Flags:
        """Which pairs may be one word written differently or cut short, or a word and its initial; each of `left`
        is paired with the next `times` of `right`. Equal codes always are."""
        held: Flags = np.repeat(self._sounds[left], times) == self._sounds[right]
        held |= np.repeat(self._beginnings[left], times) == self._beginnings[right]
        unlike = np.bitwise_count(np.repeat(self._letters[left], times) ^ self._letters[right]).astype(np.int8)
        held |= unlike <= np.minimum(np.repeat(self._unlike[left], times), self._unlike[right])
        initial = np.repeat(self._is_letter[left], times) | self._is_letter[right]
        at = np.flatnonzero(initial & ~held)
        if len(at):
            held[at] = np.repeat(self._heads[left], times)[at] == self._heads[right[at]]
        return held
