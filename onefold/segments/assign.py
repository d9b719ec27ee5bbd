"""Which segment a client is in, by what its dealings consist of and not by how many they are.

Of each need n a client shows k sightings, where e are expected of so many dealings of those kinds. Beside a client of
no segment, who shows them at the expected rate, one of a segment shows its needs L times as often, and what speaks
against them L times as seldom. With counts that follow Poisson's law the logarithm of the likelihood ratio is

    for:      k ln L - e (L - 1)
    against: -k ln L + e (1 - 1/L)

summed over the needs of the segment, and the client's own word adds its bits. Segments and "none" are equally probable
beforehand. Twice the dealings of the same composition double every term: the order of the segments stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

REASONS: Final = ("composition", "declared", "few", "none", "close")
"""Why a client is where it is; the last three: why it is unknown."""
COMPOSITION, DECLARED, FEW, NONE, CLOSE = range(5)


@dataclass(frozen=True)
class Compositions:
    """Clients (rows) by needs (columns); weights in sightings."""

    dealings: Floats
    seen_for: Floats
    expected_for: Floats
    seen_against: Floats
    expected_against: Floats
    said: Floats
    """The client's own word: 1 it has the need, -1 it has not, 0 nothing."""


@dataclass(frozen=True)
class SchemeRules:
    """A scheme by needs. `needs`: of each segment the columns of its needs."""

    segments: Sequence[str]
    needs: Sequence[Sequence[int]]
    minimum: int
    lift: float
    margin: float
    declared_bits: float


@dataclass(frozen=True)
class Assigned:
    """Of each client the place of its segment (-1: unknown), why, and the two most probable (-1: none of them)."""

    segment: Places
    reason: Places
    best: Places
    probability: Floats
    runner_up: Places
    runner_up_probability: Floats


def evidence(found: Compositions, rules: SchemeRules) -> Floats:
    """Natural logarithm of each segment's likelihood over that of none: clients by segments."""
    lift, log_lift = rules.lift, np.log(rules.lift)
    by_need = (
        found.seen_for * log_lift
        - found.expected_for * (lift - 1)
        - found.seen_against * log_lift
        + found.expected_against * (1 - 1 / lift)
        + found.said * rules.declared_bits * np.log(2)
    )
    return np.stack([by_need[:, list(columns)].sum(axis=1) for columns in rules.needs], axis=1)


def assign(found: Compositions, rules: SchemeRules) -> Assigned:
    """The most probable segment of each client, or unknown: with fewer dealings than the minimum, where none fits
    best, and where the best is not more probable than the next one by the margin."""
    probability = _probabilities(evidence(found, rules))
    rows = np.arange(len(probability))
    order = np.argsort(-probability, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    first, next_ = probability[rows, best], probability[rows, second]
    none = len(rules.segments)
    reason = np.full(len(rows), COMPOSITION)
    reason[_decided_by_word(found, rules, best)] = DECLARED
    reason[first - next_ < rules.margin] = CLOSE
    reason[best == none] = NONE
    reason[found.dealings < rules.minimum] = FEW
    return Assigned(
        segment=np.where(reason <= DECLARED, best, -1),
        reason=reason,
        best=np.where(best == none, -1, best),
        probability=np.round(first, 4),
        runner_up=np.where(second == none, -1, second),
        runner_up_probability=np.round(next_, 4),
    )


def _decided_by_word(found: Compositions, rules: SchemeRules, best: Places) -> npt.NDArray[np.bool_]:
    """Clients whose best segment would be another one without their own word."""
    if not found.said.any():
        return np.zeros(len(best), bool)
    silent = evidence(without_words(found), rules)
    differs: npt.NDArray[np.bool_] = np.argmax(_with_none(silent), axis=1) != best
    return differs


def without_words(found: Compositions) -> Compositions:
    """The same clients, as if none had said anything."""
    return Compositions(
        found.dealings,
        found.seen_for,
        found.expected_for,
        found.seen_against,
        found.expected_against,
        np.zeros_like(found.said),
    )


def _with_none(scores: Floats) -> Floats:
    return np.concatenate([scores, np.zeros((len(scores), 1))], axis=1)


def _probabilities(scores: Floats) -> Floats:
    logs = _with_none(scores)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    made: Floats = shares / shares.sum(axis=1, keepdims=True)
    return made
