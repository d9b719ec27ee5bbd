"""One attribute of a set of records as codes into its distinct values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.hashing import Hashes, hash_strings

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Levels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Item = TypeVar("Item", bound=np.generic)

MISSING: Final = -1
FEW: Final = 32
"""Values of which each by itself is faster than a column."""
_NOTHING: Final = pa.array([], pa.string())


@dataclass(frozen=True)
class Values(ABC):
    """One attribute of n records: `codes[offsets[i]:offsets[i + 1]]` are record i's codes into `unique`.

    Most attributes have one value at most: what says where it stands is then made when asked for, and not kept.
    """

    unique: pa.StringArray

    @cached_property
    def hashes(self) -> Hashes:
        """The hash of each distinct value."""
        return hash_strings(self.unique)

    @property
    @abstractmethod
    def records(self) -> int:
        """How many records these are values of."""

    @property
    @abstractmethod
    def is_single(self) -> bool:
        """No record has more than one value."""

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """No record has a value."""

    @property
    @abstractmethod
    def counts(self) -> npt.NDArray[np.integer]:
        """How many values each record has."""

    @property
    @abstractmethod
    def offsets(self) -> npt.NDArray[np.integer]:
        """Where each record's codes begin, and where the last one's end."""

    @property
    @abstractmethod
    def codes(self) -> Codes:
        """The codes of all records, one after the other."""

    @abstractmethod
    def single(self) -> Codes:
        """The code of each record, MISSING without one; only for `is_single`. Not to be written to."""

    @abstractmethod
    def of(self, row: int) -> Codes:
        """The codes of one record."""

    @abstractmethod
    def recoded(self, code: Codes) -> Values:
        """The same with `code[i]` in place of each code i."""

    @property
    def rows(self) -> Ints:
        """Of each of `codes` its record."""
        return np.repeat(np.arange(self.records), self.counts)


@dataclass(frozen=True)
class _One(Values):
    """One value at most."""

    of_record: Codes  # MISSING without one

    @property
    def records(self) -> int:
        return len(self.of_record)

    @property
    def is_single(self) -> bool:
        return True

    @cached_property
    def is_empty(self) -> bool:
        return bool((self.of_record == MISSING).all())

    @property
    def counts(self) -> npt.NDArray[np.integer]:
        found: Codes = (self.of_record != MISSING).astype(np.int32)
        return found

    @property
    def offsets(self) -> npt.NDArray[np.integer]:
        return _offsets(self.counts)

    @property
    def codes(self) -> Codes:
        found: Codes = self.of_record[self.of_record != MISSING]
        return found

    @property
    def rows(self) -> Ints:
        return np.flatnonzero(self.of_record != MISSING)

    def single(self) -> Codes:
        return self.of_record

    def of(self, row: int) -> Codes:
        found: Codes = self.of_record[row : row + 1]
        return found[:0] if found[0] == MISSING else found

    def recoded(self, code: Codes) -> Values:
        return replace(self, of_record=by_row(code, self.of_record, np.int32(MISSING)))


@dataclass(frozen=True)
class _Several(Values):
    """Any number of values, more than one of some record."""

    begins: npt.NDArray[np.integer]
    all_codes: Codes

    @property
    def records(self) -> int:
        return len(self.begins) - 1

    @property
    def is_single(self) -> bool:
        return False

    @property
    def is_empty(self) -> bool:
        return False

    @property
    def counts(self) -> npt.NDArray[np.integer]:
        return np.diff(self.begins)

    @property
    def offsets(self) -> npt.NDArray[np.integer]:
        return self.begins

    @property
    def codes(self) -> Codes:
        return self.all_codes

    def single(self) -> Codes:
        raise ValueError("some records have several values")

    def of(self, row: int) -> Codes:
        return self.all_codes[self.begins[row] : self.begins[row + 1]]

    def recoded(self, code: Codes) -> Values:
        return replace(self, all_codes=code[self.all_codes])


def _offsets(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    # Half as wide where it suffices: these are kept for every attribute.
    return offsets if offsets[-1] > np.iinfo(np.int32).max else offsets.astype(np.int32)


def from_single(unique: pa.StringArray, codes: Codes) -> Values:
    """Values of an attribute with at most one value per record; MISSING marks none."""
    return _One(unique, codes)


def from_counts(unique: pa.StringArray, counts: npt.NDArray[np.integer], codes: Codes) -> Values:
    """Values of which record i has the next `counts[i]` of `codes`."""
    if counts.max(initial=0) > 1:
        return _Several(unique, _offsets(counts), codes)
    of_record = np.full(len(counts), MISSING, dtype=np.int32)
    of_record[counts > 0] = codes
    return _One(unique, of_record)


def by_row(of_value: npt.NDArray[Item], codes: Codes, without: Item) -> npt.NDArray[Item]:
    """What holds for each record's value (its code); `without` for those that have none."""
    return np.append(of_value, without)[codes]


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array; copied only if it is in pieces (`combine_chunks` always copies)."""
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def encode(column: pa.ChunkedArray | pa.Array) -> tuple[pa.StringArray, Codes]:
    """Unique values in order of first appearance, and codes with MISSING for null or empty text."""
    if column.null_count == len(column):
        return _NOTHING, np.full(len(column), MISSING, dtype=np.int32)
    array = whole(column)
    if array.type != pa.string():
        array = array.cast(pa.string())
    if len(array) <= FEW:
        return _encode_few(array)
    encoded = array.dictionary_encode()
    codes = encoded.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    empty = pc.index(encoded.dictionary, "").as_py()
    if empty < 0:
        return encoded.dictionary, codes
    kept = pa.concat_arrays([encoded.dictionary[:empty], encoded.dictionary[empty + 1 :]])
    return kept, np.where(codes == empty, MISSING, codes - (codes > empty)).astype(np.int32)


def _encode_few(texts: pa.StringArray) -> tuple[pa.StringArray, Codes]:
    """`encode` of few values."""
    place: dict[str, int] = {}
    codes = [place.setdefault(text, len(place)) if text else MISSING for text in texts.to_pylist()]
    return pa.array(place, pa.string()), np.array(codes, dtype=np.int32)
