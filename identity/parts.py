"""Parts of standard values that blocking rules and levels name: `.sound`, `.first(n)`, `.year`,
`.local_part`, ... Whole columns of distinct values at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.encoded import MISSING, Codes, Flags, Ints, Values, encode, from_counts, from_single
from identity.settings import BlockingValue
from identity.standard.form import Memo

_MOST_TOKENS: Final = 8  # of a longer name only the first tokens make pairs: 28 keys at most

# Spellings of one sound in Latin keys, longest first: Tschaikowski, Tchaikovsky and Chaikovskii sound alike.
_SPELLINGS: Final = (
    ("shch", "s"), ("tsch", "c"), ("tch", "c"), ("sch", "s"), ("cz", "c"), ("ch", "c"), ("sh", "s"),
    ("zh", "z"), ("kh", "h"), ("gh", "g"), ("ph", "f"), ("th", "t"), ("ts", "z"), ("tz", "z"),
    ("ck", "k"), ("qu", "k"),
    ("x", "ks"), ("q", "k"), ("w", "v"), ("kn", "n"), ("wr", "r"), ("j", "i"), ("y", "i"),
)  # fmt: skip
_FEW: Final = 32  # names of which each by itself is faster than a column
_VOWELS: Final = np.frombuffer(b"aeiou", dtype=np.uint8)
_VOWELS_AND_H: Final = np.frombuffer(b"aeiouh", dtype=np.uint8)


@dataclass(frozen=True)
class Lists:
    """Of each of some values its parts: `texts[offsets[i]:offsets[i + 1]]`, each once, in order."""

    texts: pa.StringArray
    offsets: Ints

    @property
    def sizes(self) -> Ints:
        """How many parts each value has."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Ints:
        """Of each part the value that it is of."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.sizes)


def sounds(names: pa.StringArray) -> pa.StringArray:
    """A rough phonetic code of each Latin key: the first letter (vowels as one) and the consonants that follow."""
    if len(names) <= _FEW:
        return pa.array(map(_sound_of, names.to_pylist()), pa.string())
    return _sounds(names)


def _sounds(names: pa.StringArray) -> pa.StringArray:
    text = _respelt(names)
    letters, offsets = _bytes_of(text)
    letters, offsets = _kept(letters, offsets, _is_fresh(letters, offsets))
    first = offsets[:-1][np.diff(offsets) > 0]
    letters[first[np.isin(letters[first], _VOWELS)]] = ord("a")
    heard = ~np.isin(letters, _VOWELS_AND_H)
    heard[first] = True
    letters, offsets = _kept(letters, offsets, heard)
    fresh = _is_fresh(letters, offsets)
    # What follows the first letter is a word of its own: a consonant may be heard twice there.
    sizes = np.diff(offsets)
    fresh[offsets[:-1][sizes > 1] + 1] = True
    letters, offsets = _kept(letters, offsets, fresh)
    return pa.StringArray.from_buffers(
        len(names), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(letters.tobytes())
    )


def _respelt(names: pa.StringArray) -> pa.StringArray:
    """The letters of each Latin key, one spelling for each sound."""
    if len(names) <= _FEW:
        return pa.array([_respelt_name(name) for name in names.to_pylist()], pa.string())
    text = pc.replace_substring_regex(names, pattern="[^a-z]+", replacement="")
    for spelling, single in _SPELLINGS:
        text = pc.replace_substring(text, pattern=spelling, replacement=single)
    return text


def _respelt_name(name: str) -> str:
    text = "".join(letter for letter in name if "a" <= letter <= "z")
    for spelling, single in _SPELLINGS:
        text = text.replace(spelling, single)
    return text


def sound(name: str) -> str:
    """The sound of one Latin key."""
    heard: str = sounds(pa.array([name], pa.string()))[0].as_py()
    return heard


_sound_of: Final[Memo[str, str]] = Memo(lambda name: str(_sounds(pa.array([name], pa.string()))[0].as_py()), 200_000)


def _bytes_of(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], Ints]:
    """The bytes of all texts, and where each begins; the last offset is the end."""
    _, offset_buffer, data = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(
        np.int64
    )
    if data is None:
        return np.zeros(0, dtype=np.uint8), offsets - offsets[0]
    return np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]].copy(), offsets - offsets[0]


def _is_fresh(letters: npt.NDArray[np.uint8], offsets: Ints) -> Flags:
    """Which letters do not repeat the one before them in their text."""
    fresh = np.ones(len(letters), dtype=np.bool_)
    fresh[1:] = letters[1:] != letters[:-1]
    fresh[offsets[:-1][np.diff(offsets) > 0]] = True
    return fresh


def _kept(letters: npt.NDArray[np.uint8], offsets: Ints, keep: Flags) -> tuple[npt.NDArray[np.uint8], Ints]:
    before = np.concatenate([[0], np.cumsum(keep)])
    return letters[keep], before[offsets]


def words_of(names: pa.StringArray, least: int = 1, most: int | None = None) -> tuple[pa.StringArray, Ints, Ints]:
    """The words of `least` letters and more of names, the first `most` of each: all distinct words in bytewise
    order, and of each word of a name that name and its place among the distinct ones, by name and then by place."""
    if len(names) <= _FEW:
        return _words_of_few(names.to_pylist(), least, most)
    split = pc.utf8_split_whitespace(names)
    flat = split.flatten()
    owners = pc.list_parent_indices(split).to_numpy().astype(np.int64)
    long = pc.greater_equal(pc.utf8_length(flat), least).to_numpy(zero_copy_only=False)
    flat, owners = flat.filter(pa.array(long)), owners[long]
    if most is not None and len(owners):
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        place = np.arange(len(owners)) - np.repeat(starts, np.diff(np.append(starts, len(owners))))
        flat, owners = flat.filter(pa.array(place < most)), owners[place < most]
    found = flat.dictionary_encode()
    order = pc.sort_indices(found.dictionary).to_numpy().astype(np.int64)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    both = np.sort(owners * max(len(order), 1) + rank[found.indices.to_numpy()])
    owners, codes = np.divmod(both, max(len(order), 1))
    return found.dictionary.take(pa.array(order)), owners, codes


def _words_of_few(names: list[str], least: int, most: int | None) -> tuple[pa.StringArray, Ints, Ints]:
    """`words_of` of so few names that each by itself is faster than a column."""
    split = [[word for word in name.split() if len(word) >= least][:most] for name in names]
    # Python orders texts by code point, and UTF-8 keeps that order.
    words = sorted({word for found in split for word in found})
    place = {word: at for at, word in enumerate(words)}
    codes = [code for found in split for code in sorted(place[word] for word in found)]
    owners = np.repeat(np.arange(len(names)), [len(found) for found in split])
    return pa.array(words, pa.string()), owners, np.array(codes, dtype=np.int64)


def _lists(texts: pa.StringArray, owners: Ints, count: int) -> Lists:
    offsets = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=count), out=offsets[1:])
    return Lists(texts, offsets)


def _distinct(owners: Ints, codes: Ints) -> Flags:
    """Which entries, in order, differ from the one before."""
    fresh = np.ones(len(owners), dtype=np.bool_)
    fresh[1:] = (owners[1:] != owners[:-1]) | (codes[1:] != codes[:-1])
    return fresh


def tokens(names: pa.StringArray) -> Lists:
    """The distinct words of two letters and more of each name, in bytewise order."""
    words, owners, codes = words_of(names, least=2)
    fresh = _distinct(owners, codes)
    return _lists(words.take(pa.array(codes[fresh])), owners[fresh], len(names))


def token_pairs(names: pa.StringArray) -> Lists:
    """The pairs of distinct words of two letters and more of each name, the smaller first, in bytewise order."""
    words, owners, codes = words_of(names, least=2, most=_MOST_TOKENS)
    fresh = _distinct(owners, codes)
    owners, codes = owners[fresh], codes[fresh]
    sizes = np.bincount(owners, minlength=len(names))
    ends = np.cumsum(sizes)[owners]
    later = ends - np.arange(len(owners)) - 1
    one = np.repeat(np.arange(len(owners)), later)
    two = np.arange(int(later.sum())) - np.repeat(np.cumsum(later) - later, later) + one + 1
    texts = pc.binary_join_element_wise(words.take(pa.array(codes[one])), words.take(pa.array(codes[two])), " ")
    return _lists(texts, owners[one], len(names))


def _in_order(names: pa.StringArray) -> pa.StringArray:
    """Each name with its words in bytewise order."""
    words, owners, codes = words_of(names)
    lists = _lists(words, owners, len(names))
    return pc.binary_join(
        pa.ListArray.from_arrays(pa.array(lists.offsets, pa.int32()), words.take(pa.array(codes))), " "
    )


def _before_at(values: pa.StringArray) -> pa.StringArray:
    return pc.list_element(pc.split_pattern(values, "@", max_splits=1), 0)


def _after_at(values: pa.StringArray) -> pa.StringArray:
    split = pc.split_pattern(values, "@", max_splits=1, reverse=True)
    return split.flatten().take(pc.subtract(pc.add(split.offsets[1:], 0), 1))


_SINGLE: Final[dict[str, Callable[[pa.StringArray], pa.StringArray]]] = {
    "sound": sounds,
    "sorted": _in_order,
    "year": lambda values: pc.utf8_slice_codeunits(values, 0, 4),
    "month_day": lambda values: pc.utf8_slice_codeunits(values, 5, 10),
    "local_part": _before_at,
    "domain": _after_at,
}
_SEVERAL: Final = {"token": tokens, "token_pairs": token_pairs}


def single_part(values: pa.StringArray, part: str, count: int | None = None) -> pa.StringArray:
    """The one part of each value that has it, else an empty text. KeyError: `part` may be several (token,
    token_pairs)."""
    if part == "first":
        return pc.utf8_slice_codeunits(values, 0, count)
    if part == "last":
        return pc.utf8_slice_codeunits(values, -(count or 1))
    return _SINGLE[part](values)


def parts_of(values: pa.StringArray, part: str, count: int | None = None) -> Lists:
    """The parts of each value: none, one, or (token, token_pairs) several."""
    if part in _SEVERAL:
        return _SEVERAL[part](values)
    texts = single_part(values, part, count)
    there = pc.not_equal(texts, "").to_numpy(zero_copy_only=False)
    return _lists(texts.filter(pa.array(there)), np.flatnonzero(there), len(values))


def parts_of_one(text: str, part: str, count: int | None = None) -> list[str]:
    """`parts_of` of one value."""
    alone = pa.array([text], pa.string())
    texts = _SEVERAL[part](alone).texts if part in _SEVERAL else single_part(alone, part, count)
    return [found for found in texts.to_pylist() if found]


def derive(values: Values, of: BlockingValue) -> Values:
    """`values` with each value replaced by its part; computed once per unique value."""
    if of.part is None:
        return values
    if of.part not in _SEVERAL and values.is_single:
        unique, part = encode(single_part(values.unique, of.part, of.count))
        return from_single(unique, np.append(part, np.int32(MISSING))[values.single()])
    found = parts_of(values.unique, of.part, of.count)
    unique, part_codes = encode(found.texts)
    # Records -> codes -> parts: both are CSR, so the parts of a record are the parts of its codes in order.
    sizes = found.sizes
    codes = values.codes
    count = sizes[codes]
    at = np.repeat(found.offsets[codes] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    of_record = np.bincount(np.repeat(values.rows, count), minlength=values.records)
    return from_counts(unique, of_record, part_codes[at])


def part_codes(values: pa.StringArray, part: str, count: int | None = None) -> Codes:
    """The code of each value's one part, MISSING without one."""
    return encode(single_part(values, part, count))[1]
