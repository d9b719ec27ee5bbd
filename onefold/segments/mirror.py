"""The mirror: whether operations treat the clients of a segment differently, and whether that changes what they do.

Of each outcome a client has one value: the mean over its dealings (days as logarithms, shares as they are) or a rate.
It is regressed on the segments beside what may differ between them for other reasons: the volume and the amount of
dealings and the years since the first (as bins and, within them, as logarithms, so that no form of their effect is
supposed), the region and the mix of items. Clients are weighed by how well their mean is known: its variance is
a + b / dealings, both estimated. Standard errors hold whatever the variance is (HC3: MacKinnon and White 1985, Journal
of Econometrics 29). Segments are compared with the clients of none; where there are too few of them, with the segment
in the middle, by preference one to which nothing is promised.

p-values are corrected over all segments and outcomes (Holm 1979, Scandinavian Journal of Statistics 6). That nothing
differs is held to be shown only if the 90 % interval lies within what does not matter (two one-sided tests: Schuirmann
1987, Journal of Pharmacokinetics and Biopharmaceutics 15); else nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any, Final, NamedTuple

import numpy as np
from scipy import linalg, stats

from onefold.segments.assign import Floats, Places

VERDICTS: Final = ("as_promised", "decorative", "opposite", "without_policy", "like_everyone", "cannot_tell")
"""Served as promised; promised but served like everyone; promised and served worse than everyone; treated differently
without a policy; nothing promised and nothing different; cannot tell."""
EFFECTS: Final = ("more", "less", "no_effect", "cannot_tell")
"""What better treatment does to repeat business."""
ALPHA: Final = 0.01
"""Of all tests of a scheme together: the chance to see a difference where there is none."""
FEWEST: Final = 20
"""Clients of a segment with an outcome, and of those it is compared with."""
_BINS: Final = 20
_PER_BIN: Final = 25
_PER_REGION: Final = 10
_REGIONS: Final = 50
"""The largest; the rest are held equal as one."""
_NOT_ALONE: Final = 0.02
"""Share of a segment's own variation that has to be left beside volume, region and items."""
_STEP: Final = log(1.25)
"""Treatment better by a fifth, or by 20 points: for this much of it the effect on repeat business is told."""


class Scale(NamedTuple):
    """What does not matter of a difference, and from where on one is worth a word."""

    alike: float
    worth: float


RATIO, POINTS = Scale(log(1.10), log(1.05)), Scale(0.05, 0.02)
"""Of logarithms: a tenth does not matter. Of shares: five points."""


@dataclass(frozen=True)
class Company:
    """Clients by place, with what differs between them beside the segment."""

    segment: Places
    """Place of the segment; -1: none of them."""
    volume: Floats
    amount: Floats
    region: Places
    """-1: not known."""
    years: Floats
    """Since the first dealing."""
    mix: Floats
    """Clients by items: shares of their lines."""


@dataclass(frozen=True)
class Outcome:
    """What clients get: of each its value and over how many dealings it is a mean (0: it has none)."""

    name: str
    value: Floats
    count: Floats
    is_ratio: bool
    """The value is a logarithm."""
    better: int
    """1: more of it is better for the client; -1: less."""


@dataclass(frozen=True)
class Finding:
    """What was found of one segment and outcome. `difference` is of logarithms, or of shares."""

    segment: int
    outcome: str
    verdict: str
    clients: int
    compared: int
    """Clients it is compared with; 0: it is what the others are compared with, or there are too few."""
    yardstick: int | None = None
    """The segment it is compared with (-1: clients of none); None: it is compared with nobody."""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    """The 95 % interval."""
    p_value: float | None = None
    """Corrected for all segments and outcomes."""
    effect: str | None = None
    """One of EFFECTS where treatment differs; None: not asked."""
    effect_difference: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    """Difference of the logarithm of repeat business for treatment better by a fifth (a share: by 20 points)."""


@dataclass(frozen=True)
class _Estimate:
    value: float
    error: float
    freedom: int
    clients: int
    compared: int
    yardstick: int | None = None

    @property
    def p_value(self) -> float:
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.freedom))

    def interval(self, level: float) -> tuple[float, float]:
        half = float(stats.t.ppf(0.5 + level / 2, self.freedom)) * self.error
        return self.value - half, self.value + half

    def is_within(self, margin: float) -> bool:
        low, high = self.interval(0.90)
        return -margin < low and high < margin


def look(
    company: Company, outcomes: Sequence[Outcome], segments: int, promised: Mapping[tuple[int, str], int]
) -> list[Finding]:
    """One finding for each of so many segments and outcome. `promised`: segment and outcome -> 1: better than for
    others, -1: less good; what is not in it is not promised."""
    known: dict[tuple[int, str], _Estimate] = {}
    counts: dict[tuple[int, str], int] = {}
    for outcome in outcomes:
        has = outcome.count > 0
        for place in range(segments):
            counts[place, outcome.name] = int((has & (company.segment == place)).sum())
        kept = {place for place, name in promised if name == outcome.name}
        known |= {(place, outcome.name): one for place, one in _compare(company, outcome, segments, kept).items()}
    corrected = dict(zip(known, holm([one.p_value for one in known.values()]), strict=True))
    found = []
    for outcome in outcomes:
        for place in range(segments):
            key = place, outcome.name
            estimate, clients = known.get(key), counts[key]
            if estimate is None:
                found.append(Finding(place, outcome.name, "cannot_tell", clients, 0))
                continue
            low, high = estimate.interval(0.95)
            verdict = _verdict(estimate, corrected[key], outcome, promised.get(key))
            found.append(
                Finding(
                    place,
                    outcome.name,
                    verdict,
                    clients,
                    estimate.compared,
                    estimate.yardstick,
                    estimate.value,
                    low,
                    high,
                    corrected[key],
                )
            )
    return found


def look_further(
    findings: Sequence[Finding], company: Company, outcomes: Sequence[Outcome], business: Floats
) -> list[Finding]:
    """The findings with what better treatment does, where it differs. `company` and `outcomes`: of an earlier time;
    `business`: the logarithm of what the same clients bought later, NaN of those who were not there.

    Clients of one segment are compared with each other: those that were treated better with those that were not.
    """
    by_name = {outcome.name: outcome for outcome in outcomes}
    asked = {
        at: _response(company, by_name[one.outcome], one.segment, business)
        for at, one in enumerate(findings)
        if one.verdict in ("as_promised", "opposite", "without_policy")
    }
    told = {at: one for at, one in asked.items() if one is not None}
    corrected = dict(zip(told, holm([one.p_value for one in told.values()]), strict=True))
    done = list(findings)
    for at in asked:
        if at not in told:
            done[at] = replace(findings[at], effect="cannot_tell")
            continue
        estimate = told[at]
        low, high = estimate.interval(0.95)
        effect = "cannot_tell"
        if corrected[at] < ALPHA:
            effect = "more" if estimate.value > 0 else "less"
        elif estimate.is_within(RATIO.alike):
            effect = "no_effect"
        done[at] = replace(
            findings[at], effect=effect, effect_difference=estimate.value, effect_low=low, effect_high=high
        )
    return done


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, step by step from the smallest."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, float)[order] * np.arange(len(order), 0, -1)
    made = np.empty(len(order))
    made[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in made]


def _verdict(estimate: _Estimate, p_value: float, outcome: Outcome, promised: int | None) -> str:
    scale = RATIO if outcome.is_ratio else POINTS
    if p_value < ALPHA and abs(estimate.value) >= scale.worth:
        if promised is None:
            return "without_policy"
        return "as_promised" if np.sign(estimate.value) == outcome.better * promised else "opposite"
    if estimate.is_within(scale.alike):
        return "like_everyone" if promised is None else "decorative"
    return "cannot_tell"


def _compare(company: Company, outcome: Outcome, segments: int, promised: set[int]) -> dict[int, _Estimate]:
    """Of each segment by how much it differs from the clients that all are compared with."""
    has = outcome.count > 0
    sizes = {place: int((has & (company.segment == place)).sum()) for place in range(-1, segments)}
    enough = [place for place in range(segments) if sizes[place] >= FEWEST]
    yardstick = -1
    if sizes[-1] < FEWEST:
        if len(enough) < 2:
            return {}
        first = _fit(company, outcome, enough[1:], enough[0])
        middle = sorted(enough, key=lambda place: (first[place].value if place in first else 0.0, place))
        free = [place for place in middle if place not in promised] or middle
        yardstick = free[(len(free) - 1) // 2]
    return _fit(company, outcome, [place for place in enough if place != yardstick], yardstick)


def _fit(company: Company, outcome: Outcome, places: Sequence[int], yardstick: int) -> dict[int, _Estimate]:
    if not places:
        return {}
    rows = (outcome.count > 0) & np.isin(company.segment, [*places, yardstick])
    columns = (company.segment[rows][:, None] == np.asarray(places)).astype(float)
    compared = int((company.segment[rows] == yardstick).sum())
    fits = _regress(columns, _beside(company, rows), outcome.value[rows], outcome.count[rows])
    return {
        place: _Estimate(value, error, freedom, int(columns[:, at].sum()), compared, yardstick)
        for at, place in enumerate(places)
        if (fit := fits[at]) is not None
        for value, error, freedom in [fit]
    }


def _response(company: Company, outcome: Outcome, segment: int, business: Floats) -> _Estimate | None:
    rows = (company.segment == segment) & (outcome.count > 0) & np.isfinite(business)
    count = int(rows.sum())
    if count < 2 * FEWEST:
        return None
    step = outcome.better * (_STEP if outcome.is_ratio else 0.2)
    treatment = (outcome.value[rows] / step)[:, None]
    fit = _regress(treatment, _beside(company, rows), business[rows], np.ones(count))[0]
    return None if fit is None else _Estimate(*fit, count, count)


def _beside(company: Company, rows: Any) -> Floats:
    """What differs between clients beside their segment, with a constant: clients by columns."""
    regions = company.region[rows]
    sizes = np.bincount(regions[regions >= 0])
    large = [place for place in np.argsort(-sizes, kind="stable")[:_REGIONS] if sizes[place] >= _PER_REGION]
    return np.column_stack(
        [
            np.ones(int(rows.sum())),
            *_flexible(company.volume[rows]),
            *_flexible(company.amount[rows]),
            *_flexible(company.years[rows]),
            *((regions == place).astype(float) for place in large),
            company.mix[rows],
        ]
    )


def _flexible(values: Floats) -> list[Floats]:
    """Any form of an effect of `values`: bins of equally many clients, and the logarithm within them."""
    logs = np.log1p(np.maximum(values, 0))
    bins = min(_BINS, len(values) // _PER_BIN)
    edges: Any = np.unique(np.quantile(logs, np.linspace(0, 1, bins + 1)[1:-1])) if bins > 1 else []
    place = np.searchsorted(edges, logs, side="left")
    return [logs, *((place == at).astype(float) for at in range(1, len(edges) + 1))]


def _regress(wanted: Floats, beside: Floats, value: Floats, count: Floats) -> list[tuple[float, float, int] | None]:
    """Of each wanted column its coefficient, standard error and degrees of freedom; None where it cannot be told apart
    from what stands beside it."""
    first = _solve(wanted, beside, value, np.ones(len(value)))
    if first is None:
        return [None] * wanted.shape[1]
    weights = _weights(first.residual, first.leverage, count)
    done = first if weights is None else _solve(wanted, beside, value, weights) or first
    return [
        None if bad else (float(coefficient), float(error), done.freedom)
        for coefficient, error, bad in zip(done.coefficients, done.errors, done.unclear, strict=True)
    ]


@dataclass(frozen=True)
class _Solved:
    coefficients: Floats
    errors: Floats
    unclear: Any
    residual: Floats
    leverage: Floats
    freedom: int


def _solve(wanted: Floats, beside: Floats, value: Floats, weights: Floats) -> _Solved | None:
    """Weighted least squares with HC3 errors; what stands beside is taken out first (Frisch, Waugh and Lovell)."""
    root = np.sqrt(weights)[:, None]
    base, triangle, _ = linalg.qr(beside * root, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    base = base[:, diagonal > 1e-9 * diagonal[0]]
    scaled = np.column_stack([wanted, value]) * root
    left = scaled - base @ (base.T @ scaled)
    part, target = left[:, :-1], left[:, -1]
    centred = (wanted - np.average(wanted, axis=0, weights=weights)) * root
    unclear = (part**2).sum(axis=0) <= _NOT_ALONE * np.maximum((centred**2).sum(axis=0), 1e-12)
    freedom = len(value) - base.shape[1] - part.shape[1]
    if unclear.all() or freedom < FEWEST:
        return None
    used = part[:, ~unclear]
    inverse = np.linalg.pinv(used.T @ used)
    slopes = inverse @ (used.T @ target)
    residual = target - used @ slopes
    leverage = (base**2).sum(axis=1) + ((used @ inverse) * used).sum(axis=1)
    # Who alone has a value of something says nothing of the rest.
    bent = np.where(leverage < 1 - 1e-6, residual / np.maximum(1 - leverage, 1e-6), 0.0)
    spread = inverse @ ((used * bent[:, None] ** 2).T @ used) @ inverse
    coefficients, errors = np.zeros(len(unclear)), np.zeros(len(unclear))
    coefficients[~unclear], errors[~unclear] = slopes, np.sqrt(np.maximum(np.diag(spread), 1e-300))
    # A constant outcome has no error, and nothing is to be told of it.
    unclear |= errors < 1e-12
    return _Solved(coefficients, errors, unclear, residual / root[:, 0], leverage, freedom)


def _weights(residual: Floats, leverage: Floats, count: Floats) -> Floats | None:
    """One over the variance of each client's mean, a + b / dealings; None where all have as many."""
    from scipy.optimize import nnls

    if np.ptp(count) == 0:
        return None
    squares = residual**2 / np.maximum(1 - leverage, 0.05)
    (between, within), _ = nnls(np.column_stack([np.ones(len(count)), 1 / count]), squares)
    variance = between + within / count
    smallest = variance.max() * 0.02
    return np.asarray(1 / np.maximum(variance, smallest)) if smallest > 0 else None
