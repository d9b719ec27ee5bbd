"""Names of organisations that their Latin key does not tell apart, in their own script.

Names in signs of words or syllables differ by any sign (华为 and 花卫 are one sound), acronyms by any letter (ABB and
AB, KKR and KR). Longer names of an alphabet do not: what the key takes away from them is spelling.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import numpy as np
import pyarrow as pa

from identity.comparison.similarity import texts
from identity.encoded import MISSING, Flags, Ints, Values, encode, from_single
from identity.features import Features

_ACRONYM: Final = 4  # letters up to which a name is as good as an acronym
_SPELT_OUT: Final = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})
_LATIN: Final = "l"
_OTHER_ALPHABET: Final = "a"
_SIGNS: Final = "s"
_FIRST_SIGN: Final = "\u2e80"


def own_script(features: Features) -> Values:
    """The names for which the own script decides: a letter for the script, then the name without accents and spaces."""
    unique, codes = encode(features.records["org_name"])
    strict = [_strict(name) for name in texts(unique).tolist()]
    distinct, place = encode(pa.array(strict, pa.string()))
    known = codes != MISSING
    found = np.full(len(codes), MISSING, dtype=np.int32)
    found[known] = place[codes[known]]
    return from_single(distinct, found)


class OwnScript:
    """Tells names of one Latin key apart."""

    def __init__(self, features: Features) -> None:
        values = own_script(features)
        self._codes = values.single()
        self._script = np.array([name[0] for name in values.unique.to_pylist()], dtype="U1")

    def differ(self, left: Ints, right: Ints) -> Flags:
        """Which pairs of rows with one Latin key are two names all the same; never two of different scripts."""
        one, two = self._codes[left], self._codes[right]
        result: Flags = (one != two) & (one != MISSING) & (two != MISSING)
        at = np.flatnonzero(result)
        result[at] = self._script[one[at]] == self._script[two[at]]
        return result


def _strict(name: str) -> str | None:
    plain = unicodedata.normalize("NFKD", name.translate(_SPELT_OUT))
    letters = "".join(ch for ch in plain if ch.isalnum())
    if any(ch >= _FIRST_SIGN for ch in letters):
        return _SIGNS + letters
    if not 0 < len(letters) <= _ACRONYM:
        return None
    return (_LATIN if letters.isascii() else _OTHER_ALPHABET) + letters
