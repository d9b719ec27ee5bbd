"""Scores of pairs of names: the kernel's name comparison, and two measures that everybody uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from kernel_run import mapped
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

Pair = Mapping[str, str]


def best_f1(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The highest F1 that any threshold on these scores reaches."""
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ranked = np.asarray(scores, dtype=np.float64)[order]
    right = np.cumsum(np.asarray(wanted)[order])
    claimed = np.arange(1, len(order) + 1)
    # A threshold takes all pairs of one score or none of them.
    ends = np.flatnonzero(np.append(ranked[:-1] != ranked[1:], True))
    return float((2 * right[ends] / (claimed[ends] + sum(wanted))).max())


def kernel_weights(pairs: Sequence[Pair]) -> list[float]:
    """Match weight of each pair by the kernel, given nothing but the names and the kind."""
    from identity.comparison.score import Scorer
    from identity.features import Features, in_natural_order
    from identity.model import prior_model
    from identity.settings import load_settings
    from identity.standard import Profile, standardise

    settings = load_settings()
    model = prior_model(settings)
    weights = [0.0] * len(pairs)
    for kind, attribute in (("person", "full_name"), ("organisation", "legal_name")):
        mine = [at for at, pair in enumerate(pairs) if (pair["schema"] == "Person") == (kind == "person")]
        rows = [{"record_id": f"{at:05d}{side}", "name": pairs[at][f"name{side}"]} for at in mine for side in (1, 2)]
        records = pa.table(
            {
                "record_id": [row["record_id"] for row in rows],
                "source": ["pairs"] * len(rows),
                "kind": [kind] * len(rows),
                "country": pa.nulls(len(rows), pa.string()),
                attribute: [row["name"] for row in rows],
            }
        )
        standard = standardise(*mapped(records), Profile())
        features = Features.of(in_natural_order(standard.records), standard.identifiers)
        scorer = Scorer(features, kind, settings.kind(kind), model.kind(kind))
        left = np.arange(0, len(rows), 2, dtype=np.int64)
        for at, weight in zip(mine, scorer.score(left, left + 1).weight.tolist(), strict=True):
            weights[at] = float(weight)
    return weights


def jaro_winkler(pairs: Sequence[Pair]) -> list[float]:
    """Jaro-Winkler similarity of the lower-cased names."""
    return [JaroWinkler.similarity(pair["name1"].casefold(), pair["name2"].casefold()) for pair in pairs]


def token_set(pairs: Sequence[Pair]) -> list[float]:
    """rapidfuzz's token set ratio of the lower-cased names."""
    return [fuzz.token_set_ratio(pair["name1"].casefold(), pair["name2"].casefold()) for pair in pairs]
