"""Whether clients who were treated better come back more often: a trend over bands, and a difference with its interval.

Who buys more has more promises made and comes back anyway. So clients are compared within strata of like volume:

- trend over the bands: Mantel's extension test (Mantel 1963, doi:10.1080/01621459.1963.10500879), which within one
  stratum is the Cochran-Armitage test (Cochran 1954, Armitage 1955);
- difference between the upper two bands and the lower two: the Mantel-Haenszel risk difference (Greenland and Robins
  1985) with Sato's variance, right for few large and many small strata (Sato 1989, Biometrics 45, 1323).

Four questions are asked at once (two grounds, two kinds of coming back), so that each is answered at 1 - .05/4
(Bonferroni). An effect is told where trend and difference agree; no effect where the whole interval lies within 5
points of nought (two one-sided tests, Schuirmann 1987); else it cannot be told. It is what goes together, not what
causes what.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from onefold.measures.intervals import normal

QUESTIONS: Final = 4
ALPHA: Final = 0.05 / QUESTIONS
NEGLIGIBLE: Final = 0.05
"""Differences within these points of nought matter to nobody."""
FEWEST: Final = 20
"""Clients in the upper bands, and in the lower ones."""
EXPECTED: Final = 5.0
"""Clients who come back, and who do not, to be expected in either (Cochran 1954): of fewer no interval is right."""
UPPER: Final = 2
"""The first of the upper bands."""

Counts = NDArray[Any]
"""Clients, and those of them who came back: strata by bands, whole numbers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be told of one ground and one kind of coming back."""

    verdict: str
    """effect, no effect, cannot tell."""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    trend_p: float | None = None
    is_few: bool = False
    """Too few clients of like volume are in the upper or the lower bands, or too few of them come back, or do not."""


def judge(clients: Counts, back: Counts) -> Verdict:
    """The verdict on strata x bands of clients, and of those who came back."""
    upper, lower = clients[:, UPPER:].sum(axis=1), clients[:, :UPPER].sum(axis=1)
    # Who has nobody of like volume to be compared with tells nothing.
    both = (upper > 0) & (lower > 0)
    clients, back, upper, lower = clients[both], back[both], upper[both], lower[both]
    fewer = float(min(upper.sum(), lower.sum()))
    rate = back.sum() / max(clients.sum(), 1)
    if fewer < FEWEST or fewer * min(rate, 1 - rate) < EXPECTED:
        return Verdict("cannot tell", is_few=True)
    found = difference(upper, back[:, UPPER:].sum(axis=1), lower, back[:, :UPPER].sum(axis=1))
    p = trend(clients, back)
    if found is None or found[1] == 0:
        # Nothing varies: how sure a difference is cannot be reckoned.
        return Verdict("cannot tell", trend_p=p)
    middle, error = found
    half = normal(1 - ALPHA) * error
    low, high = middle - half, middle + half
    if p is not None and p < ALPHA and (low > 0 or high < 0):
        told = "effect"
    elif low > -NEGLIGIBLE and high < NEGLIGIBLE:
        told = "no effect"
    else:
        told = "cannot tell"
    return Verdict(told, middle, low, high, p)


def trend(clients: Counts, back: Counts) -> float | None:
    """Two-sided probability of such a trend over the bands by chance; None where nothing varies."""
    scores = np.arange(clients.shape[1], dtype=np.float64)
    seen = expected = variance = 0.0
    for n, a in zip(clients.astype(np.float64), back.astype(np.float64), strict=True):
        every, came = n.sum(), a.sum()
        if every < 2:
            continue
        seen += float(scores @ a)
        expected += float(came / every * (scores @ n))
        spread = every * (scores**2 @ n) - (scores @ n) ** 2
        variance += float(came * (every - came) / (every**2 * (every - 1)) * spread)
    if variance <= 0:
        return None
    from scipy.stats import norm

    return float(2 * norm.sf(abs(seen - expected) / sqrt(variance)))


def difference(upper: Counts, upper_back: Counts, lower: Counts, lower_back: Counts) -> tuple[float, float] | None:
    """Mantel-Haenszel risk difference, upper less lower, with its standard error; by strata. None where no stratum has
    both."""
    n1, a, n0, b = (part.astype(np.float64) for part in (upper, upper_back, lower, lower_back))
    both = (n1 > 0) & (n0 > 0)
    n1, a, n0, b = n1[both], a[both], n0[both], b[both]
    if not n1.size:
        return None
    every = n1 + n0
    weight = (n1 * n0 / every).sum()
    middle = ((a * n0 - b * n1) / every).sum() / weight
    p = ((n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / every**2).sum()
    q = ((a * (n0 - b) + b * (n1 - a)) / (2 * every)).sum()
    return float(middle), sqrt(max(float(middle * p + q), 0.0)) / float(weight)
