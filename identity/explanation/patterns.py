"""What the comparisons of many pairs say, as patterns: pairs of one pattern have the same evidence."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from identity.comparison.score import Scorer
from identity.features import Features, in_natural_order, positions
from identity.model import MatchModel
from identity.schema import KINDS
from identity.settings import MatchingSettings

Levels = Mapping[str, str]


def levels_of_pairs(
    records: pa.Table,
    identifiers: pa.Table,
    pairs: pa.Table,
    model: MatchModel,
    settings: MatchingSettings,
    *,
    generic: pa.Table,
) -> dict[tuple[int, int], tuple[str, Levels]]:
    """(left_id, right_id) as in `pairs` -> kind, and column -> level without what is missing.

    Pairs of two kinds, or of a record that is not among `records`, are left out.
    """
    records = in_natural_order(records)
    found: dict[tuple[int, int], tuple[str, Levels]] = {}
    for kind in KINDS:
        mine = records.filter(pc.equal(records["kind"], kind))
        left, right = positions(mine["record_id"], pairs["left_id"]), positions(mine["record_id"], pairs["right_id"])
        here = (left >= 0) & (right >= 0)
        if not here.any():
            continue
        features = Features.of(mine, identifiers, generic.filter(pc.equal(generic["kind"], kind)))
        scorer = Scorer(features, kind, settings.kind(kind), model.kind(kind))
        vectors = scorer.vectors(left[here], right[here])
        asked = pairs.filter(pa.array(here))
        for at, pair in enumerate(zip(asked["left_id"].to_pylist(), asked["right_id"].to_pylist(), strict=True)):
            levels = {
                name: scorer.comparer.columns[name][int(codes[at]) - 1] for name, codes in vectors.items() if codes[at]
            }
            found[pair] = kind, levels
    return found
