"""What clients may need, suggested by their dealings: which features come together more often than volume says.

A feature is a value of a field, a channel or a word of an interaction type. Of each client and feature the positive
part of the Pearson residual, (seen - expected) / sqrt(expected), says how much more of it its dealings have than those
of others; non-negative matrix factorisation (Lee and Seung 1999, Nature 401) finds features that rise together. A
component counts if both halves of the clients, each by itself, show it too, and there are as many components as most
are found again. Beside it k-means divides the same clients by the composition of their dealings; how far both agree
(adjusted Rand index) is told. Names are given by people: nothing here is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from onefold.segments.assign import Floats, Places

FOUND_AGAIN: Final = 0.8
"""Cosine from which a component of one half is that of the other."""
MOST_FEATURES: Final = 6
_STRONG: Final = 0.2
"""Share of a component's largest weight from which a feature belongs to it."""
_SURE: Final = 0.95
_MOST: Final = 8


@dataclass(frozen=True)
class Feature:
    """What may be seen in a dealing."""

    type: str
    """Interaction type."""
    looked: str
    """`detail.NAME`, `channel`, or `summary` for a word."""
    value: str
    is_word: bool
    share: float
    """Of the dealings of its type that have it."""


@dataclass(frozen=True)
class Suggested:
    """Features that come together, by their weight, and how many of the clients show them most."""

    features: Sequence[Feature]
    clients: int
    found_again: float
    """Cosine with what the halves show: the lower of both."""


@dataclass(frozen=True)
class Discovery:
    """Suggestions, the largest first, and how far clustering by composition agrees with them."""

    suggested: Sequence[Suggested]
    clients: int
    agreement: float | None


def discover(
    client: Places, feature: Places, count: Floats, expected: Floats, features: Sequence[Feature], *, seed: int = 1
) -> Discovery:
    """Suggestions from how often (`count`) each client's dealings show each feature, triple by triple; `expected`:
    clients by features, what so many dealings let expect."""
    clients = len(expected)
    seen = np.zeros(expected.shape)
    np.add.at(seen, (client, feature), count)
    # A feature of few dealings rises by a chance sighting: half a sighting is expected of any.
    more = np.maximum(seen - expected, 0) / np.sqrt(expected + 0.5)
    if clients < 40 or len(features) < 2:
        return Discovery([], clients, None)
    half = np.random.default_rng(seed).permutation(clients) % 2 == 0
    most = max(2, min(_MOST, len(features) // 2, clients // 20))
    tried = [_try(more, half, parts, seed) for parts in range(2, most + 1)]
    # All of them surely found again; else the most of which that can be said.
    sure = [one for one in tried if one.again.min() >= _SURE]
    best = max(sure or tried, key=lambda one: (len(one.kept), -len(one.again)))
    found = [
        Suggested(_strongest(best.weights[at], features), int((best.main == at).sum()), round(float(best.again[at]), 3))
        for at in best.kept
    ]
    return Discovery(
        sorted((one for one in found if one.features), key=lambda one: -one.clients),
        clients,
        _agreement(seen, best.main, best.kept, seed),
    )


@dataclass(frozen=True)
class _Tried:
    """Components: which are kept, their weights by feature, how well halves show them; of each client its main one."""

    kept: Sequence[int]
    weights: Floats
    again: Floats
    main: Places


def _try(more: Floats, half: Any, parts: int, seed: int) -> _Tried:
    by_client, weights = _components(more, parts, seed)
    halves = [_components(more[side], parts, seed)[1] for side in (half, ~half)]
    again = np.min([_cosines(weights, other).max(axis=1) for other in halves], axis=0)
    main = np.where(by_client.max(axis=1) > 0, by_client.argmax(axis=1), -1)
    kept = [at for at in range(parts) if again[at] >= FOUND_AGAIN and (main == at).sum() >= 10]
    return _Tried(kept, weights, again, main)


def _components(more: Floats, parts: int, seed: int) -> tuple[Floats, Floats]:
    from sklearn.decomposition import NMF

    model = NMF(n_components=parts, init="nndsvd", max_iter=400, tol=1e-3, random_state=seed, alpha_H=0.0)
    weights = model.fit_transform(more)
    return weights, model.components_


def _cosines(left: Floats, right: Floats) -> Floats:
    def unit(rows: Floats) -> Any:
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

    made: Floats = unit(left) @ unit(right).T
    return made


def _strongest(weights: Floats, features: Sequence[Feature]) -> list[Feature]:
    order = np.argsort(-weights, kind="stable")[:MOST_FEATURES]
    return [features[at] for at in order if weights[at] > 0 and weights[at] >= _STRONG * weights[order[0]]]


def _agreement(seen: Floats, main: Places, kept: Sequence[int], seed: int) -> float | None:
    """Adjusted Rand index of the suggestions with k-means on compositions, of clients that show one of them."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    shown = np.isin(main, kept)
    if len(kept) < 2 or shown.sum() < 40:
        return None
    shares = np.sqrt(seen[shown] / np.maximum(seen[shown].sum(axis=1, keepdims=True), 1))
    group = KMeans(n_clusters=len(kept), n_init=10, random_state=seed).fit_predict(shares)
    return round(float(adjusted_rand_score(main[shown], group)), 3)
