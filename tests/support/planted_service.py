"""Synthetic companies of which it is known how they treat each segment: the same seed, the same company."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from onefold.segments.mirror import Company, Finding, Outcome, look

SEGMENTS: Final = 3
NOBODY: Final = -2
NAMES: Final = ("lead_time", "first_answer", "priority", "offers", "contacts")


@dataclass(frozen=True)
class Planted:
    """A company, what its clients got, and which segment's lead time is shorter (NOBODY: none)."""

    company: Company
    outcomes: list[Outcome]
    favoured: int
    business: Any
    """Logarithm of what clients bought later."""


def planted(
    seed: int, *, favours: bool = False, effect: float = 0.8, size: int = 200, others: int = 500, pays: float = 0.0
) -> Planted:
    """Clients of three segments and of none, whose volumes differ much: large clients get everything sooner, by a step
    and by a curve, those far away later, some items come later. With `favours` the lead time of one segment is `effect`
    times that of its likes. `pays`: how much faster treatment raises what a client buys later."""
    rng = np.random.default_rng([seed, 17])
    segment = np.concatenate([np.repeat(np.arange(SEGMENTS), size), np.full(others, -1)])
    clients = len(segment)
    # Segments of large, of middling and of small clients.
    middle = 2.2 + 0.5 * rng.permutation([1.0, 0.0, -0.6, 0.2])[segment]
    orders = np.clip(rng.lognormal(middle, 0.8), 2, 300).astype(int)
    amount = orders * rng.lognormal(6, 0.9, clients)
    region = np.where(rng.random(clients) < 0.3, segment + 1, rng.integers(0, 8, clients))
    mix = rng.dirichlet(np.array([1.0, 1.0, 0.5, 0.3, 0.3]), clients)
    mix = np.where((rng.random(clients) < 0.3)[:, None], np.eye(5)[np.clip(segment + 1, 0, 4)], mix)
    favoured = int(rng.integers(SEGMENTS)) if favours else NOBODY
    size_step = np.where(orders > rng.integers(8, 30), -0.35, 0.0) - 0.25 * np.log(orders) ** 1.5 / 4
    late = rng.normal(0, 0.15, 8)[region] + mix @ np.array([0.0, 0.1, 0.3, 0.6, -0.2]) + size_step
    own = rng.normal(0, 0.2, clients)
    lead = 2.4 + late + own + np.where(segment == favoured, np.log(effect), 0.0)
    tickets = rng.poisson(0.4 * orders)
    years = 2.0
    offers = rng.poisson(np.exp(0.2 + 0.4 * np.log(orders) + rng.normal(0, 0.3, clients)))
    contacts = rng.poisson(np.exp(0.5 + 0.5 * np.log(orders) + rng.normal(0, 0.3, clients)))
    urgent = np.clip(0.15 + 0.1 * (orders > 20) + rng.normal(0, 0.05, clients), 0, 1)
    answer = rng.normal(0.3 + 0.8 * late, 0.3)
    once = np.ones(clients)
    outcomes = [
        Outcome("lead_time", _means(rng, lead, 0.5, orders), orders.astype(float), True, -1),
        Outcome("first_answer", _means(rng, answer, 0.8, tickets), tickets.astype(float), True, -1),
        Outcome("priority", rng.binomial(tickets, urgent) / np.maximum(tickets, 1), tickets.astype(float), False, 1),
        Outcome("offers", np.log((offers + 0.5) / years), once, True, 1),
        Outcome("contacts", np.log((contacts + 0.5) / years), once, True, 1),
    ]
    later = rng.poisson(orders * np.exp(rng.normal(0, 0.3, clients) - pays * own))
    company = Company(segment, orders.astype(float), amount, region, rng.uniform(0.5, 2, clients), mix[:, :-1])
    return Planted(company, outcomes, favoured, np.log(later + 0.5))


def looked(world: Planted, promised: dict[tuple[int, str], int] | None = None) -> dict[tuple[int, str], Finding]:
    """What the mirror finds, by segment and outcome."""
    return {(one.segment, one.outcome): one for one in look(world.company, world.outcomes, SEGMENTS, promised or {})}


def differs(finding: Finding) -> bool:
    """It says that the segment is treated differently."""
    return finding.verdict in ("as_promised", "opposite", "without_policy")


def _means(rng: np.random.Generator, middle: Any, spread: float, count: Any) -> Any:
    """Mean of so many draws; 0 where there is none."""
    return np.where(count > 0, middle + rng.normal(0, 1, len(middle)) * spread / np.sqrt(np.maximum(count, 1)), 0.0)
