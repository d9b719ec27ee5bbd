"""Parts of standard values that blocking rules and levels name: `.sound`, `.first(n)`, `.year`,
`.local_part`, ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa

from identity.features import Values, encode
from identity.settings import BlockingValue

_MOST_TOKENS: Final = 8  # of a longer name only the first tokens make pairs: 28 keys at most

# Spellings of one sound in Latin keys, longest first: Tschaikowski, Tchaikovsky and Chaikovskii sound alike.
_SPELLINGS: Final = (
    ("shch", "s"), ("tsch", "c"), ("tch", "c"), ("sch", "s"), ("cz", "c"), ("ch", "c"), ("sh", "s"),
    ("zh", "z"), ("kh", "h"), ("gh", "g"), ("ph", "f"), ("th", "t"), ("ts", "z"), ("tz", "z"),
    ("ck", "k"), ("qu", "k"),
    ("x", "ks"), ("q", "k"), ("w", "v"), ("kn", "n"), ("wr", "r"), ("j", "i"), ("y", "i"),
)  # fmt: skip
_SOFT_C: Final = re.compile(r"c(?=[ei])")
_REPEAT: Final = re.compile(r"(.)\1+")
_VOWELS: Final = re.compile(r"[aeiou]+")
_NOT_LETTER: Final = re.compile(r"[^a-z]+")


def sound(name: str) -> str:
    """A rough phonetic code of a Latin key: the first letter (vowels as one) and the consonants that
    follow."""
    text = _NOT_LETTER.sub("", name)
    for spelling, single in _SPELLINGS:
        text = text.replace(spelling, single)
    text = _REPEAT.sub(r"\1", text)
    if not text:
        return ""
    first = "a" if text[0] in "aeiou" else text[0]
    rest = _VOWELS.sub("", text[1:]).replace("h", "")
    return first + _REPEAT.sub(r"\1", rest)


def tokens(name: str) -> list[str]:
    """The distinct words of a name, in bytewise order."""
    return sorted(set(name.split()))


def _sorted(name: str) -> list[str]:
    return [" ".join(sorted(name.split()))]


def _token_pairs(name: str) -> list[str]:
    words = sorted(set([word for word in name.split() if len(word) > 1][:_MOST_TOKENS]))
    return [f"{a} {b}" for a, b in combinations(words, 2)]


def _single(function: Callable[[str], str]) -> Callable[[str], list[str]]:
    def apply(value: str) -> list[str]:
        part = function(value)
        return [part] if part else []

    return apply


def part_of(part: str, count: int | None = None) -> Callable[[str], list[str]]:
    """The function from a value to the values of its part: none, one, or (token, token_pairs) several."""
    if part == "first":
        return _single(lambda value: value[:count])
    if part == "last":
        return _single(lambda value: value[-(count or 1) :])
    functions: dict[str, Callable[[str], list[str]]] = {
        "sound": _single(sound),
        "sorted": _sorted,
        "token": lambda value: [word for word in tokens(value) if len(word) > 1],
        "token_pairs": _token_pairs,
        "year": _single(lambda value: value[:4]),
        "month_day": _single(lambda value: value[5:10]),
        "local_part": _single(lambda value: value.partition("@")[0]),
        "domain": _single(lambda value: value.rpartition("@")[2]),
    }
    return functions[part]


def derive(values: Values, of: BlockingValue) -> Values:
    """`values` with each value replaced by its part; computed once per unique value."""
    if of.part is None:
        return values
    function = part_of(of.part, of.count)
    per_value: Sequence[list[str]] = [function(value) for value in values.unique.to_pylist()]
    sizes = np.fromiter((len(found) for found in per_value), dtype=np.int64, count=len(per_value))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    unique, part_codes = encode(pa.array([text for found in per_value for text in found], pa.string()))
    # Records -> codes -> parts: both are CSR, so the parts of a record are the parts of its codes in order.
    rows = np.repeat(np.arange(len(values.offsets) - 1), values.counts)
    count = sizes[values.codes]
    at = np.repeat(starts[values.codes] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    offsets = np.zeros(len(values.offsets), dtype=np.int64)
    np.cumsum(np.bincount(np.repeat(rows, count), minlength=len(values.offsets) - 1), out=offsets[1:])
    return Values(unique, offsets, part_codes[at])
