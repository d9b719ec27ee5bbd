"""Clients whose needs are known, and what their dealings show: the same seed, the same clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onefold.segments.assign import Compositions, SchemeRules
from onefold.segments.gate import Sample

BASE = np.array([0.12, 0.10, 0.08, 0.15])
"""How often a dealing shows each need of a client that has no more of it than others."""


@dataclass(frozen=True)
class Planted:
    """Dealings (rows) of clients in two kinds, with what they show."""

    need: Any
    """Of each client its need, -1: none."""
    client: Any
    kind: Any
    shows: Any
    """Dealings by needs."""


def planted(
    seed: int, clients: int = 4000, lift: float = 4.0, share: float = 0.6, *, volume_by_need: bool = False
) -> Planted:
    """Clients with lognormal amounts of dealings, of whom `share` show one need `lift` times as often as others do;
    with a lift of 1 nobody needs anything. `volume_by_need`: those of one need deal much more than those of the next."""
    rng = np.random.default_rng(seed)
    need = np.where(rng.random(clients) < share, rng.integers(0, len(BASE), clients), -1)
    middle = 2.4 + (need * 0.7 if volume_by_need else 0)
    volume = np.clip(rng.lognormal(middle, 0.7, clients), 1, 400).astype(np.int64)
    client = np.repeat(np.arange(clients), volume)
    kind = rng.integers(0, 2, len(client))
    rate = np.where(need[client][:, None] == np.arange(len(BASE)), np.minimum(BASE * lift, 0.8), BASE)
    # The second kind tells half as much.
    return Planted(need, client, kind, rng.random(rate.shape) < rate * np.where(kind, 0.5, 1.0)[:, None])


def sample_of(world: Planted, minimum: int = 6) -> tuple[Sample, SchemeRules]:
    """What the gate takes, with the rates measured on these clients."""
    clients, needs = len(world.need), len(BASE)
    rate = np.stack([world.shows[world.kind == kind].mean(axis=0) for kind in (0, 1)])
    cells = world.client[:, None] * needs + np.arange(needs)
    seen = np.bincount(cells.ravel(), world.shows.ravel(), clients * needs).reshape(clients, needs)
    expected = np.stack([np.bincount(world.client, rate[world.kind, at], clients) for at in range(needs)], axis=1)
    nought = np.zeros((clients, needs))
    dealings = np.bincount(world.client, minlength=clients).astype(float)
    sighting, column = np.nonzero(world.shows)
    sample = Sample(
        found=Compositions(dealings, seen.astype(float), expected, nought, nought, nought),
        client=world.client,
        kind=world.kind,
        sighting=sighting,
        column=column,
        weight=np.ones(len(sighting)),
        ageing=np.zeros(needs),
        age=np.zeros(len(world.client)),
        rate_for=rate,
        rate_against=np.zeros_like(rate),
    )
    names = [f"need_{at}" for at in range(needs)]
    return sample, SchemeRules(names, [[at] for at in range(needs)], minimum, 2.5, 0.8, 3.0)
