"""Whether a scheme by needs may be served: it has to find what is there, and nothing where nothing is.

Four tests on a sample of clients with all their dealings:

- stability: each client's dealings are drawn anew with replacement (Poisson bootstrap); of every segment the Jaccard
  index of its clients before and after, on average (Hennig 2007, Computational Statistics & Data Analysis 52: from .75
  on a cluster is taken for stable). Who falls to none leaves its segment.
- independence of volume: eta squared of the logarithm of the number of dealings over the segments (Cohen 1988): the
  share of its variance that the segments explain.
- margin over chance: what dealings show is shuffled among dealings of the same kind, which leaves volumes and rates as
  they are and no needs; the share of clients that are assigned then, over the share that is assigned in truth, is the
  share of assignments that chance explains.
- the share of unknown, which is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from onefold.segments.assign import Compositions, Floats, Places, SchemeRules, assign, without_words

STABLE: Final = 0.75
VOLUME: Final = 0.10
CHANCE: Final = 0.10
ROUNDS: Final = 40
SMALLEST: Final = 20
"""Of fewer assigned clients in the sample nothing can be told."""


@dataclass(frozen=True)
class Sample:
    """Clients with their dealings and what these show. Clients, types and columns by place."""

    found: Compositions
    client: Places
    """Of each dealing its client."""
    kind: Places
    """Of each dealing its interaction type."""
    sighting: Places
    """Of each sighting its dealing."""
    column: Places
    """Of each sighting its need."""
    weight: Floats
    """Of each sighting what it counts, not aged: below 0 it speaks against the need."""
    ageing: Floats
    """Of each need by how much the logarithm of a weight falls in a day."""
    age: Floats
    """Of each dealing the days before its client's last one."""
    rate_for: Floats
    """Types by needs: what is expected of one dealing."""
    rate_against: Floats


@dataclass(frozen=True)
class Gate:
    """What the four tests found, and whether the scheme passes."""

    clients: int
    """Of the sample: with enough dealings."""
    assigned: int
    unknown_share: float
    stability: dict[str, float | None]
    """Segment -> mean Jaccard index; None: nobody is in it."""
    volume: float | None
    """Eta squared; None: too few clients."""
    assigned_share: float
    chance_share: float
    """Of clients that are assigned where nothing is."""
    false_share: float
    """What chance explains of the assignments."""
    passes: bool
    why: tuple[str, ...]
    """What it fails, in words."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check(sample: Sample, rules: SchemeRules, *, rounds: int = ROUNDS, seed: int = 1) -> Gate:
    """Put a scheme to the four tests. The same sample gives the same answer."""
    rng = np.random.default_rng(seed)
    kinds = _kinds(sample)
    silent = without_words(sample.found)
    segment = assign(sample.found, rules).segment
    count, assigned = len(segment), int((segment >= 0).sum())
    share = _share(assign(silent, rules).segment)
    chance = float(np.mean([_share(assign(_shuffled(sample, kinds, rng), rules).segment) for _ in range(rounds)]))
    false_share = min(chance / share, 1.0) if share else 1.0
    stability = _stability(sample, rules, segment, rng, rounds)
    volume = eta_squared(np.log(np.maximum(sample.found.dealings, 1)), segment)
    why = _failures(assigned, stability, volume, false_share)
    unknown = 1 - assigned / count if count else 1.0
    return Gate(
        clients=count,
        assigned=assigned,
        unknown_share=round(unknown, 4),
        stability={name: None if value is None else round(value, 4) for name, value in stability.items()},
        volume=None if volume is None else round(volume, 4),
        assigned_share=round(share, 4),
        chance_share=round(chance, 4),
        false_share=round(false_share, 4),
        passes=not why,
        why=tuple(why),
    )


def eta_squared(values: Floats, group: Places) -> float | None:
    """The share of the variance of `values` that lies between groups; None for fewer than two values or groups. Those
    of group -1 are left out."""
    known = group >= 0
    values, group = values[known], group[known]
    if len(values) < 2 or len(np.unique(group)) < 2:
        return None
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    sizes = np.bincount(group)
    means = np.bincount(group, values) / np.maximum(sizes, 1)
    return float((sizes * (means - values.mean()) ** 2)[sizes > 0].sum() / total)


def _failures(assigned: int, stability: dict[str, float | None], volume: float | None, false_share: float) -> list[str]:
    why = []
    if assigned < SMALLEST:
        why.append(f"only {assigned} clients of the sample are assigned; at least {SMALLEST} are needed")
    weak = [f"{name} {value:.2f}" for name, value in stability.items() if value is not None and value < STABLE]
    if weak:
        why.append(f"not stable (Jaccard below {STABLE}): {', '.join(weak)}")
    if volume is not None and volume > VOLUME:
        why.append(f"it follows the amount of dealings: eta squared {volume:.2f} above {VOLUME:.2f}")
    if false_share > CHANCE:
        why.append(f"chance explains {false_share:.0%} of the assignments; at most {CHANCE:.0%} are allowed")
    return why


def _share(segment: Places) -> float:
    return float((segment >= 0).mean()) if len(segment) else 0.0


def _stability(
    sample: Sample, rules: SchemeRules, segment: Places, rng: np.random.Generator, rounds: int
) -> dict[str, float | None]:
    known = segment >= 0
    sums = np.zeros(len(rules.segments))
    shown = _aged(sample, sample.sighting)
    expected = [_rates(sample, rate) for rate in (sample.rate_for, sample.rate_against)]
    for _ in range(rounds):
        drawn = rng.poisson(1.0, len(sample.client)).astype(np.float64)
        best = np.where(known, assign(_drawn(sample, shown, expected, drawn), rules).best, -1)
        for at in range(len(sums)):
            before, after = segment == at, best == at
            union = int((before | after).sum())
            sums[at] += (before & after).sum() / union if union else 0.0
    return {
        name: float(sums[at] / rounds) if bool((segment == at).any()) else None
        for at, name in enumerate(rules.segments)
    }


def _drawn(sample: Sample, shown: Floats, expected: Sequence[Floats], drawn: Floats) -> Compositions:
    """The clients with each dealing so many times; `shown`: what each sighting counts, `expected`: needs by dealings,
    for and against."""
    found = sample.found
    seen_for, seen_against = _seen(sample, sample.sighting, shown * drawn[sample.sighting])
    expected_for, expected_against = (_summed(sample, rates * drawn) for rates in expected)
    return Compositions(found.dealings, seen_for, expected_for, seen_against, expected_against, found.said)


def _kinds(sample: Sample) -> list[Places]:
    """The dealings of each kind."""
    in_order = np.argsort(sample.kind, kind="stable")
    return np.split(in_order, np.flatnonzero(np.diff(sample.kind[in_order])) + 1)


def _shuffled(sample: Sample, kinds: Sequence[Places], rng: np.random.Generator) -> Compositions:
    """The clients with what dealings show dealt out anew among dealings of the same kind, and nobody's word."""
    other = np.empty(len(sample.kind), np.int64)
    for dealings in kinds:
        other[dealings] = rng.permutation(dealings)
    dealing = other[sample.sighting]
    seen_for, seen_against = _seen(sample, dealing, _aged(sample, dealing))
    found = sample.found
    return Compositions(
        found.dealings, seen_for, found.expected_for, seen_against, found.expected_against, np.zeros_like(found.said)
    )


def _aged(sample: Sample, dealing: Places) -> Floats:
    """What each sighting counts where it stands in `dealing`, whichever side it speaks for."""
    aged: Floats = np.abs(sample.weight) * np.exp(-sample.ageing[sample.column] * sample.age[dealing])
    return aged


def _seen(sample: Sample, dealing: Places, aged: Floats) -> tuple[Floats, Floats]:
    """What clients show for and against each need, where each sighting stands in `dealing` and counts so much."""
    clients, needs = sample.found.said.shape
    cell = sample.client[dealing] * needs + sample.column
    is_for = sample.weight > 0

    def total(which: npt.NDArray[np.bool_]) -> Floats:
        made: Any = np.bincount(cell[which], aged[which], clients * needs)
        return made.reshape(clients, needs).astype(np.float64)  # type: ignore[no-any-return]

    return total(is_for), total(~is_for)


def _rates(sample: Sample, rate: Floats) -> Floats:
    """What is expected of each dealing, aged: needs by dealings."""
    aged: Floats = np.exp(-sample.ageing[:, None] * sample.age) * rate[sample.kind].T
    return aged


def _summed(sample: Sample, by_need: Floats) -> Floats:
    """Needs by dealings as clients by needs."""
    made = np.empty((len(sample.found.dealings), len(by_need)))
    for need, of_dealings in enumerate(by_need):
        made[:, need] = np.bincount(sample.client, of_dealings, len(made))
    return made
