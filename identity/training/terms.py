"""How telling single values are: term frequencies of names and rarity of the words of organisations'
names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from identity.comparison.compare import WordWeights
from identity.encoded import Ints, Values
from identity.features import Features
from identity.parts import sounds
from identity.schema import WEIGHT_ONE_BIT

LEAST: Final = 3
"""Values seen less often are not listed in the model: they count as unseen."""
_UNSEEN: Final = 1.0
"""The count that an unseen value is taken to have."""
_OF_ONE_FIRM: Final = ("inn", "ogrn", "vat", "lei", "ein", "postcode", "city")
_NAMES_WORTH: Final = 20_000
"""How many organisations' names the shipped word weights are worth."""


@dataclass(frozen=True)
class Sightings:
    """How often the values of a field were seen: by how many records, of names of organisations by how many firms."""

    total: int
    frequent: Mapping[str, int]  # those that were seen LEAST times or more


def counted_values(features: Features, field: str) -> tuple[pa.StringArray, Ints]:
    """The values of a field and how often each was seen."""
    values = features.values(field)
    if field == "org_name":
        return values.unique, _firms(features, values)
    return values.unique, np.bincount(values.codes, minlength=len(values.unique)).astype(np.int64)


def sightings(features: Features, field: str) -> Sightings:
    """How often the values of a field were seen in all of these records."""
    unique, counts = counted_values(features, field)
    listed = np.flatnonzero(counts >= LEAST)
    frequent = zip(unique.take(pa.array(listed)).to_pylist(), counts[listed].tolist(), strict=True)
    return Sightings(int(counts.sum()), dict(frequent))


def term_adjustments(seen: Sightings, exact_u: float) -> tuple[dict[str, int], int]:
    """What agreement on each value of a field adds to the weight of `exact`, and what an unseen value adds.

    log2(u of any exact agreement / frequency of the value), in 1/1024 bit, shrunk where counts are small.
    """
    if not seen.total:
        return {}, 0
    total = seen.total
    # As many observations as make one expected sighting of an average value: single sightings do not run
    # away.
    strength = 1 / exact_u

    def adjustment(count: float) -> int:
        return round(WEIGHT_ONE_BIT * math.log2(exact_u * (total + strength) / (count + 1)))

    terms = {text: adjustment(count) for text, count in seen.frequent.items()}
    return dict(sorted(terms.items())), adjustment(_UNSEEN)


def _firms(features: Features, names: Values) -> Ints:
    """How many firms stand behind each name, at least: the most different values of one kind that its records have.

    A firm may be written down any number of times by one name; it has one tax id and one seat.
    """
    rows = names.rows
    counts = np.ones(len(names.unique), dtype=np.int64)
    for field in _OF_ONE_FIRM:
        values = features.values(field)
        has = values.counts[rows] > 0
        held = values.codes[values.offsets[rows[has]]]
        both = np.unique(names.codes[has].astype(np.int64) * max(len(values.unique), 1) + held)
        different = np.bincount(both // max(len(values.unique), 1), minlength=len(counts))
        counts = np.maximum(counts, different)
    return counts


def word_weights(names: Iterable[str], prior: WordWeights) -> WordWeights:
    """Weights of words by their frequency among distinct `names`, shrunk to the shipped ones.

    Spellings of one name count as one: a firm that many hands wrote down does not make its words common.
    """
    names = list(names)
    words = sorted({word for name in names for word in name.split()})
    sound = dict(zip(words, sounds(pa.array(words, pa.string())).to_pylist(), strict=True))
    heard = {name: " ".join(sorted({sound[word] or word for word in name.split()})) for name in names}
    pairs = {(word, heard[name]) for name in names for word in name.split()}
    seen = Counter(word for word, _ in pairs)
    distinct = len(set(heard.values()))
    weights: Mapping[str, int] = {
        word: _word_weight(count, distinct, prior.weights.get(word, prior.unseen))
        for word, count in sorted(seen.items())
        if count >= LEAST
    }
    return WordWeights({**prior.weights, **weights}, prior.unseen, prior.rare)


def _word_weight(count: int, names: int, prior: int) -> int:
    expected = 2 ** (-prior / WEIGHT_ONE_BIT)
    frequency = (count + _NAMES_WORTH * expected) / (names + _NAMES_WORTH)
    return min(prior, round(-WEIGHT_ONE_BIT * math.log2(frequency)))
