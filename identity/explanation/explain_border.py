"""Why a client ends where it ends: the clients around it, and what keeps each of them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from identity.comparison.similarity import shared_levels
from identity.encoded import Ints
from identity.explanation.surroundings import PairFinding, Surroundings
from identity.model import KindModel

Reason = Literal["judgement", "contradiction", "distinct", "below", "outweighed", "thin", "undecided"]
"""Why two clients are two; the first that holds. `judgement`, `contradiction` and `distinct` forbid; `below`: no pair
of their records reaches the link threshold; `outweighed`: the mean over all their pairs is not plausible; `thin`: it
is, but comes to too little evidence for a link; `undecided`: nothing stands between them but a component that was too
large, or a change that waits for the next run."""

_ACROSS: Final = 250_000
"""Most pairs that are weighed between a client and those around it."""


@dataclass(frozen=True)
class Border:
    """Another client of which some record comes near, and why the two are two."""

    client_id: str
    records: int
    strongest: PairFinding  # left_id: this client's
    plausible: int  # plausible pairs between the two
    mean: int  # mean weight of all their pairs
    evidence: int  # what the mean comes to, given how many records bear it
    reason: Reason
    details: tuple[str, ...] = ()  # identifier types, sources, numbers of judgements


def borders_of(around: Surroundings, own: Ints, client_id: str) -> list[Border]:
    """The clients around, nearest first: those that only a rule keeps apart are as near as their evidence says."""
    others = sorted({client for client in around.client.tolist() if client is not None and client != client_id})
    found = []
    for other in others:
        points = around.points_of(other)[: max(_ACROSS // max(len(own) * len(others), 1), 20)]
        if len(points):
            found.append(_border(around, other, np.repeat(own, len(points)), np.tile(points, len(own))))
    return sorted(found, key=lambda border: (-border.strongest.weight, border.strongest.right_id))


def _border(around: Surroundings, other: str, left: Ints, right: Ints) -> Border:
    model, size = around.population.model, around.size
    weight = around.population.scorer.score(left, right).weight
    best = int(np.lexsort((right, left, -weight.astype(np.int64)))[0])
    one, two = (int(size[np.unique(side)].sum()) for side in (left, right))
    total = int((weight.astype(np.int64) * size[left] * size[right]).sum())
    mean = total // (one * two)
    # What `cluster` asks of a merge: the mean is plausible, and its evidence comes to a link.
    evidence = 2 * total // (one + two) if model.pooled else mean
    strongest = int(weight[best])
    reason, details = _forbidden(around, left, right)
    return Border(
        client_id=other,
        records=int(size[around.points_of(other)].sum()),
        strongest=PairFinding(int(around.ids[left[best]]), int(around.ids[right[best]]), strongest),
        plausible=int((weight >= model.plausible).sum()),
        mean=mean,
        evidence=evidence,
        reason=reason or _weighed(model, strongest, mean, evidence),
        details=details,
    )


def _forbidden(around: Surroundings, left: Ints, right: Ints) -> tuple[Reason | None, tuple[str, ...]]:
    """What forbids the merge, whatever the evidence."""
    ordered = set(zip(np.minimum(left, right).tolist(), np.maximum(left, right).tolist(), strict=True))
    if ordered & around.apart:
        return "judgement", _judged_apart(around, left, right)
    open_pairs = ~around.is_judged(left, right)
    population, source = around.population, around.source
    against = population.scorer.comparer.contradicts(left, right) & open_pairs
    if against.any():
        types = population.settings.contradictions
        columns = {name: population.features.values(name) for name in types}
        held = [name for name in types if (shared_levels(columns[name], left[against], right[against]) == 2).any()]
        return "contradiction", tuple(held)
    same = (source[left] == source[right]) & np.isin(source[left].astype(str), sorted(around.distinct)) & open_pairs
    if same.any():
        return "distinct", tuple(sorted(set(source[left[same]].tolist())))
    return None, ()


def _judged_apart(around: Surroundings, left: Ints, right: Ints) -> tuple[str, ...]:
    """The numbers of the judgements that keep these records apart."""
    one, two = (set(around.ids[np.unique(side)].tolist()) for side in (left, right))
    found = []
    for row in around.judgements.to_pylist():
        sides = set(row["left_ids"]), set(row["right_ids"])
        crosses = (sides[0] & one and sides[1] & two) or (sides[0] & two and sides[1] & one)
        if row["verdict"] == "not_same" and crosses:
            found.append(str(row["judgement_id"]))
    return tuple(found)


def _weighed(model: KindModel, strongest: int, mean: int, evidence: int) -> Reason:
    if mean >= model.plausible and evidence >= model.link:
        return "undecided"
    if strongest < model.link:
        return "below"
    return "outweighed" if mean < model.plausible else "thin"
