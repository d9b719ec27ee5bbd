"""Two addresses: house and street, postcode, city and region are one comparison, because they say the same
thing."""

from __future__ import annotations

from typing import Final

import numpy as np
from rapidfuzz.distance import JaroWinkler

from identity.comparison.similarity import once_per_value_pair_or_same, pairwise, texts
from identity.encoded import MISSING, Codes, Flags, Ints, Levels, Values
from identity.features import Features
from identity.parts import derive
from identity.settings import BlockingValue

ADDRESS: Final = {"address": ("house", "street", "postcode", "postcode_near", "city", "region", "different")}
_STREET_NEAR: Final = 900  # in 1/1000 of Jaro-Winkler similarity
_CITY_NEAR: Final = 900
_POSTCODE_NEAR: Final = 3  # leading characters


class Addresses:
    """The finest level at which two addresses agree; silent where no level is present on both sides."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._beginnings = postcode_beginnings(features)

    def levels(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """One level code per pair of rows; 0 where the two have no part of an address in common."""
        same, known = {}, {}
        for name in ("house", "postcode", "region", "country"):
            same[name], known[name] = self._same(self._features.values(name).single(), left, right)
        postcode_near, _ = self._same(self._beginnings.single(), left, right)
        same["street"], known["street"] = self._similar("street", _STREET_NEAR, left, right)
        same["city"], known["city"] = self._similar("city", _CITY_NEAR, left, right)
        place = same["postcode"] | same["city"] | ~(known["postcode"] | known["city"])
        result = np.zeros(len(left), dtype=np.uint8)
        result[known["postcode"] | known["city"] | known["region"] | (known["street"] & known["house"])] = _code(
            "different"
        )
        result[same["region"]] = _code("region")
        result[same["city"]] = _code("city")
        result[postcode_near] = _code("postcode_near")
        result[same["postcode"]] = _code("postcode")
        result[same["street"] & place & ~known["house"]] = _code("street")
        result[same["street"] & same["house"] & place] = _code("house")
        return {"address": result}

    def _same(self, codes: Codes, left: Ints, right: Ints) -> tuple[Flags, Flags]:
        one, two = codes[left], codes[right]
        known = (one != MISSING) & (two != MISSING)
        return known & (one == two), known

    def _similar(self, name: str, at_least: int, left: Ints, right: Ints) -> tuple[Flags, Flags]:
        values = self._features.values(name)
        codes, words = values.single(), texts(values.unique)

        def level_of(a: Codes, b: Codes) -> Levels:
            jaro = pairwise(JaroWinkler.normalized_similarity, words[a], words[b])
            return np.where(jaro >= at_least, 1, 2).astype(np.uint8)

        level = once_per_value_pair_or_same(codes[left], codes[right], len(words), level_of)
        return level == 1, level > 0


def postcode_beginnings(features: Features) -> Values:
    """What near postcodes have in common."""
    value = BlockingValue(field="postcode", part="first", count=_POSTCODE_NEAR)
    return derive(features.values("postcode"), value)


def _code(level: str) -> np.uint8:
    return np.uint8(ADDRESS["address"].index(level) + 1)
