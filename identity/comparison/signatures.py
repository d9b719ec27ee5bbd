"""Signatures of texts: 64 bits that tell most pairs of unlike texts apart without comparing them letter by letter."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bits = npt.NDArray[np.uint64]

_SLOTS: Final = 21  # groups of letters; three bits each, one for every occurrence up to the third
_DEPTH: Final = 3
_SPAN: Final = 65_536


def letter_bits(texts: pa.StringArray) -> Bits:
    """How often the letters of each text occur, as bits.

    k insertions, deletions and exchanges of letters change 2k bits at most, swapped neighbours none; of two texts that
    share n letters, at most their lengths less 2n bits differ.
    """
    count = len(texts)
    if count == 0:
        return np.zeros(0, dtype=np.uint64)
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset : texts.offset + count + 1]
    data = np.zeros(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, dtype=np.uint8)
    slot = _slots()
    shift = np.arange(_SLOTS, dtype=np.uint64) * np.uint64(_DEPTH)
    marks = np.array([(1 << seen) - 1 for seen in range(_DEPTH + 1)], dtype=np.uint64)
    result = np.zeros(count, dtype=np.uint64)
    for at in range(0, count, _SPAN):
        ends = offsets[at : at + _SPAN + 1].astype(np.int64)
        letters = data[ends[0] : ends[-1]]
        owner = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        begins = (letters & 0xC0) != 0x80  # not the rest of a character of several bytes
        seen = np.bincount(owner[begins] * _SLOTS + slot[letters[begins]], minlength=(len(ends) - 1) * _SLOTS)
        seen = np.minimum(seen, _DEPTH).reshape(-1, _SLOTS)
        result[at : at + _SPAN] = np.bitwise_or.reduce(marks[seen] << shift, axis=1)
    return result


@cache
def _slots() -> npt.NDArray[np.int64]:
    """The group of a character by its first byte: each digit and most letters have one of their own."""
    slot = np.arange(256) % _SLOTS
    slot[ord("0") : ord("9") + 1] = np.arange(10)
    slot[ord("a") : ord("z") + 1] = (np.arange(26) + 10) % _SLOTS
    return slot
