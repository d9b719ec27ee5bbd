"""Records that cannot be linked: compared with themselves, even these would not reach the link threshold.

What a record could agree on with another card of its client, it agrees on with itself: no pair with it can say much
more than that. The weights are Fellegi and Sunter's (1969); Splink draws the same as its chart of unlinkables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity.encoded import Flags, Ints
from identity.evaluation.pair_quality import STEP
from identity.population import Population


@dataclass(frozen=True)
class SilentColumn:
    """How many records say nothing in a column."""

    column: str
    records: int
    unlinkable: int  # ... of those that cannot be linked


@dataclass(frozen=True)
class SelfEvidence:
    """One kind of records against themselves. Weights in 1/1024 bit."""

    kind: str
    records: int
    thresholds: tuple[int, ...]
    below: tuple[int, ...]  # of each threshold, records that do not reach it
    unlinkable: int  # below the link threshold
    unseen: int  # ... of them below the plausible threshold: not even shown to anybody
    silent: tuple[SilentColumn, ...]  # what the unlinkable lack more often than others, most so first
    examples: tuple[tuple[int, int], ...]  # record id and weight, lightest first
    plausible: int
    review: int
    link: int


def self_evidence(population: Population, examples: int = 20) -> SelfEvidence:
    """Weigh every record that is evidence with itself."""
    model, rows = population.model, np.flatnonzero(population.eligible)
    weight = population.scorer.score(rows, rows).weight.astype(np.int64)
    ascending = np.sort(weight)
    top = int(ascending[-1]) if len(ascending) else model.link
    low = (int(ascending[0]) if len(ascending) else 0) // STEP * STEP
    inside = range(min(low, model.plausible), max(top, model.link) + STEP, STEP)
    thresholds = sorted({*inside, model.plausible, model.review, model.link})
    short = weight < model.link
    lightest = np.lexsort((rows, weight))[:examples]
    return SelfEvidence(
        kind=population.kind,
        records=len(rows),
        thresholds=tuple(thresholds),
        below=tuple(np.searchsorted(ascending, thresholds).tolist()),
        unlinkable=int(short.sum()),
        unseen=int((weight < model.plausible).sum()),
        silent=_silent(population, rows, short),
        examples=tuple((int(population.ids[rows[at]]), int(weight[at])) for at in lightest.tolist() if short[at]),
        plausible=model.plausible,
        review=model.review,
        link=model.link,
    )


def _silent(population: Population, rows: Ints, short: Flags) -> tuple[SilentColumn, ...]:
    vectors = population.scorer.comparer.vectors(rows, rows)
    found = [
        SilentColumn(name, int((levels == 0).sum()), int(((levels == 0) & short).sum()))
        for name, levels in vectors.items()
    ]
    # What other records lack as often tells nothing about these.
    total, lacking = max(len(rows), 1), max(int(short.sum()), 1)
    excess = {column: column.unlinkable / lacking - column.records / total for column in found}
    return tuple(sorted((c for c in found if excess[c] > 0), key=lambda c: (-excess[c], c.column)))
