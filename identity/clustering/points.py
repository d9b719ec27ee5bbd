"""Points: records that are alike in everything compared, and agree strongly enough to be one client, taken as
one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from identity.comparison.own_script import own_script
from identity.comparison.score import Scorer, Weights
from identity.encoded import Flags, Ints, Values, by_row
from identity.features import Features
from identity.hashing import Hashes, combine, mix
from identity.settings import DOCUMENTS, KindSettings


@dataclass(frozen=True)
class Points:
    """The points of n records, in natural order of their first record."""

    row: Ints  # of each point its first record
    of: Ints  # of each record its point
    sizes: Ints  # of each point how many records it stands for
    weight: Weights  # of each record the match weight with the first of its point; 0 for the first

    @classmethod
    def of_first(cls, first: Ints, weight: Weights) -> Points:
        """The points of which each record's first is known."""
        row, of, sizes = np.unique(first, return_inverse=True, return_counts=True)
        return cls(row.astype(np.int64), of.astype(np.int64), sizes.astype(np.int64), weight)

    @property
    def is_representative(self) -> Flags:
        """Of each record whether it is the first of its point."""
        result = np.zeros(len(self.of), dtype=np.bool_)
        result[self.row] = True
        return result


def points_of(scorer: Scorer, fingerprint: Hashes, free: Flags) -> Points:
    """Collapse the `free` records of one fingerprint (`fingerprints`), if two such link by themselves.

    A thousand exports of one card then cost one comparison, while a thousand people of whom only the same
    name is known remain a thousand.
    """
    count = len(fingerprint)
    if count == 0:
        empty = np.zeros(0, dtype=np.int64)
        return Points(empty, empty, empty, empty.astype(np.int32))
    group = pd.factorize(fingerprint)[0].astype(np.int64)
    group[~free] = -1
    rows = np.flatnonzero(free)
    order = rows[np.argsort(group[rows], kind="stable")]
    is_first = np.diff(group[order], prepend=-2) != 0
    first = np.zeros(count, dtype=np.int64)
    first[order] = np.repeat(order[is_first], np.diff(np.append(np.flatnonzero(is_first), len(order))))
    representative = np.arange(count, dtype=np.int64)
    weight = np.zeros(count, dtype=np.int32)
    second = order[1:][is_first[:-1] & ~is_first[1:]] if len(order) else order
    if len(second):
        scores = scorer.score(first[second], second)
        strong = np.zeros(count, dtype=np.int32)
        strong[first[second]] = np.where(scores.forbidden, 0, scores.weight)
        collapse = free & (strong[first] >= scorer.model.link) & (first != representative)
        representative[collapse] = first[collapse]
        weight[collapse] = strong[first[collapse]]
    return Points.of_first(representative, weight)


def fingerprints(features: Features, kind: str, settings: KindSettings) -> Hashes:
    """One hash per record over all values that comparison or blocking looks at; a function of the values alone."""
    names = {value.field for rule in settings.blocking for value in rule}
    names |= {*settings.contradictions, *settings.one_client}
    for name, comparison in settings.compare.items():
        if comparison.levels and name != "name":
            names.add(name)
        elif name == DOCUMENTS:
            names.add(f"identifier.{DOCUMENTS}")
        elif name == "address":
            names |= {"street", "house", "postcode", "city", "region", "country"}
        else:
            names |= {"given_name", "middle_name", "family_name", "full_name"} if kind == "person" else {"org_name"}
    result: Hashes = np.zeros(len(features), dtype=np.uint64)
    features.prepare(names)
    for name in sorted(names):
        result = combine(result, _of_values(features.values(name)))
    return combine(result, _of_values(own_script(features))) if kind == "organisation" else result


def _of_values(values: Values) -> Hashes:
    """A hash of each record's set of values."""
    hashes = mix(values.hashes)
    if values.is_single:
        return by_row(hashes, values.single(), np.uint64(0))
    result = np.zeros(values.records, dtype=np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(result, values.rows, hashes[values.codes])
    return result
