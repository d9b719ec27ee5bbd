"""Estimates with 95 % intervals from sums by client.

Observations of one client are alike, so that the sample is one of clients, not of observations: the variance of a
ratio of sums is taken between clients (linearised, Cochran 1977, Sampling Techniques, 6.3; Woodruff 1971).

- share: Wilson's score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953) at the effective number of
  observations p(1-p)/variance, less for few clients by (normal/Student's)^2, and never more than there are (after
  Korn and Graubard 1998; compared by Dean and Pagano 2015, doi:10.1093/jssam/smv024). Where all agree nothing is known
  of how alike clients are, and each counts once. Of a single client there is none.
- mean, ratio: Student's t with one degree of freedom less than clients.
- total: counted in full, without an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Final

LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the clients of one place: n how many observations, m of how many clients; over clients the sums of the total
    t and weight w, of t squared, t times w, and w squared. The weight of all but a ratio is how many there are."""

    n: int
    m: int
    t: float
    w: float
    tt: float
    tw: float
    ww: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value; without an end there is no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


def estimate(kind: str, sums: Sums) -> Estimate:
    """The value of a share, mean, ratio or total with its interval.

    >>> found = estimate("share", Sums(10, 10, 8.0, 10.0, 8.0, 8.0, 10.0))
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.8, 0.43, 0.96)
    """
    if kind == "total":
        return Estimate(sums.t)
    if not sums.w:
        return Estimate(None)
    ratio, variance = sums.t / sums.w, between_clients(sums)
    if variance is None:
        return Estimate(ratio)
    if kind == "share":
        inner = ratio * (1 - ratio)
        effective = float(sums.m if inner <= 0 else sums.n)
        if inner > 0 and variance:
            # Few clients tell little of how unlike clients are.
            effective = min(effective, inner / variance * (normal() / student(sums.m - 1)) ** 2)
        return Estimate(ratio, *wilson(ratio, effective))
    half = student(sums.m - 1) * sqrt(variance)
    return Estimate(ratio, ratio - half, ratio + half)


def between_clients(sums: Sums) -> float | None:
    """The variance of t/w; None for a single client, who has nobody to differ from."""
    if sums.m < 2 or not sums.w:
        return None
    ratio = sums.t / sums.w
    spread = max(sums.tt - 2 * ratio * sums.tw + ratio * ratio * sums.ww, 0.0)
    return float(sums.m / (sums.m - 1) * spread / sums.w**2)


def wilson(share: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share of n."""
    z = normal(level)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@cache
def normal(level: float = LEVEL) -> float:
    """Half the width of a two-sided interval in standard errors."""
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))


@cache
def student(freedom: int, level: float = LEVEL) -> float:
    """The same of Student's t."""
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, freedom))
