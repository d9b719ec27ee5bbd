"""A 64-bit hash of strings, whole columns at a time, the same on every machine and in every version."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from operator import mul
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_GOLDEN_BITS, _MIX_1_BITS, _MIX_2_BITS = int(_GOLDEN), int(_MIX_1), int(_MIX_2)
_ALL_BITS: Final = (1 << 64) - 1
_FEW: Final = 4  # strings of which each by itself is faster than a column
_DASHES: Final = (8, 13, 18, 23)
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_SPAN: Final = 16_384  # strings at once: their bytes stay in the processor's cache


def mix(value: Hashes) -> Hashes:
    """The splitmix64 finaliser: every bit of the result depends on every bit of the value."""
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


def combine(left: Hashes, right: Hashes) -> Hashes:
    """The hash of two hashes in order."""
    with np.errstate(over="ignore"):
        return mix(left * np.uint64(3) + _GOLDEN + right)


def combine_one(left: int, right: int) -> int:
    """`combine` of one hash and another."""
    return _mixed(left * 3 + _GOLDEN_BITS + right)


def hash_one(text: str) -> int:
    """What `hash_strings` gives for one text."""
    return _hash_string(text.encode())


def hash_strings(values: pa.StringArray) -> Hashes:
    """A hash of the UTF-8 bytes of each string; no nulls."""
    if len(values) <= _FEW:
        return np.array([hash_one(text) for text in values.to_pylist()], dtype=np.uint64)
    parts = [_hash_strings(values[at : at + _SPAN]) for at in range(0, len(values), _SPAN)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def _hash_strings(values: pa.StringArray) -> Hashes:
    """The hashes of a few strings.

    Multilinear hashing (Lemire and Kaser): the sum of each byte times a pseudo-random odd number of its
    place, which NumPy does for all strings together, then mixed with the length.
    """
    count = len(values)
    values = values.cast(pa.large_string())
    _, offset_buffer, data_buffer = values.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[values.offset : values.offset + count + 1]
    sizes = np.diff(offsets)
    result = np.zeros(count, dtype=np.uint64)
    total = int(offsets[-1] - offsets[0])
    if total:
        data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]
        starts = offsets[:-1] - offsets[0]
        place = np.arange(total, dtype=np.int64) - np.repeat(starts, sizes)
        factor = mix((np.arange(1, int(sizes.max()) + 1, dtype=np.uint64)) * _GOLDEN) | np.uint64(1)
        with np.errstate(over="ignore"):
            product = (data.astype(np.uint64) + np.uint64(1)) * factor[place]
            filled = sizes > 0
            result[filled] = np.add.reduceat(product, starts[filled])
    return combine(result, sizes.astype(np.uint64))


def _hash_string(text: bytes) -> int:
    """What `_hash_strings` gives, for one string."""
    factors = _factors(-(-len(text) // 64) * 64)
    total = sum(map(mul, text, factors)) + sum(factors[: len(text)])
    return combine_one(total & _ALL_BITS, len(text))


@cache
def _factors(count: int) -> tuple[int, ...]:
    return tuple(_mixed(place * _GOLDEN_BITS) | 1 for place in range(1, count + 1))


def _mixed(value: int) -> int:
    """`mix` of one value, whose higher bits are left out."""
    value &= _ALL_BITS
    value = (value ^ value >> 30) * _MIX_1_BITS & _ALL_BITS
    value = (value ^ value >> 27) * _MIX_2_BITS & _ALL_BITS
    return value ^ value >> 31


@cache
def hash_text(text: str) -> np.uint64:
    """The hash of one string."""
    return np.uint64(hash_strings(pa.array([text], pa.string()))[0])


def signed(hashes: Hashes) -> npt.NDArray[np.int64]:
    """The same bits as the signed integers that PostgreSQL's bigint holds."""
    return hashes.view(np.int64)


def digest_uuids(texts: pa.StringArray) -> pa.StringArray:
    """BLAKE2b-128 of each text, as the text of a UUID; no nulls."""
    digests = b"".join([blake2b(text, digest_size=16).digest() for text in texts.cast(pa.binary()).to_pylist()])
    return uuid_texts(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16))


def uuid_texts(octets: npt.NDArray[np.uint8]) -> pa.StringArray:
    """UUIDs (16 bytes each, one a row) as texts."""
    digits = np.stack([_HEX[octets >> 4], _HEX[octets & 0x0F]], axis=2).reshape(-1, 32)
    text = np.insert(digits, [place - n for n, place in enumerate(_DASHES)], ord("-"), axis=1)
    offsets = np.arange(len(text) + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))
