"""Where the thresholds could lie for a number of cases a day: the band between them, the errors to expect on both
sides, and how long it takes to clear. It proposes; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from identity.explanation.explain import probability_of
from identity.report import BIN
from identity.schema import KINDS, WEIGHT_ONE_BIT
from onefold.errors import NothingFound
from onefold.steps.models import model_in_force
from warehouse import case_queue, source_runs, surroundings

if TYPE_CHECKING:
    import psycopg

    from identity.model import KindModel
    from onefold.context import Context

DAYS: Final = 20
COUNTED: Final = 200_000
"""Plausible pairs at most whose weights are counted whenever a plan is asked for."""
_LEAST, _MOST = 0.0001, 0.9999


@dataclass(frozen=True, slots=True)
class Band:
    """Two thresholds of one kind, and what they come to. Bits; probabilities as matching.yaml has them."""

    review_bits: float
    link_bits: float
    review_at: float
    link_at: float
    pairs: int
    """Plausible pairs between them."""
    cases: int
    """About so many cases: several pairs of the same two clients are one."""
    wrong: float
    """Of the pairs that are linked without asking, so many are expected to be two clients."""
    missed: float
    """Of the pairs below, so many are expected to be one client; what is not even plausible is not known."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The plan of one kind of record."""

    kind: str
    now: Band
    then: Band
    bins: Sequence[Mapping[str, Any]]


def plan(context: Context, per_day: int, days: int = DAYS) -> dict[str, Any]:
    """per_day, days, open (cases now), kinds: kind, now and then (`Band`), bins (low and high in bits, pairs,
    probability); cases and days_to_clear with the thresholds of now and then; lines for matching.yaml.

    The most doubtful pairs are asked, as many as are decided in these days. NothingFound: nothing is plausible yet.
    """
    with context.connection("onefold cases plan") as conn:
        model = model_in_force(context, conn)
        found = _weights(conn, model.version)
        waiting, asked_pairs = case_queue.asked_pairs(conn)
    if not found:
        raise NothingFound("No pair of records is plausible yet.", "`onefold run` brings records in.")
    histograms: dict[str, dict[int, int]] = {
        kind: {int(at): pairs for at, pairs in found[kind].items()} for kind in KINDS if kind in found
    }
    models: dict[str, KindModel] = {kind: model.kind(kind) for kind in KINDS if kind in found}
    # A case is asked of two clients, whose records may be several pairs.
    per_pair = min(waiting / asked_pairs, 1.0) if waiting and asked_pairs else 1.0
    chosen = _most_doubtful(histograms, models, per_day * days / per_pair)
    kinds: list[Kind] = []
    for kind, bins in histograms.items():
        of = models[kind]
        proposed = (min(chosen[kind]) * BIN, (max(chosen[kind]) + 1) * BIN) if chosen[kind] else None
        now = _band(bins, of, of.review, of.link, per_pair)
        then = _band(bins, of, *(proposed or _at_doubt(of)), per_pair)
        kinds.append(Kind(kind, now, then, _bins(bins, of)))
    cases = {"now": waiting, "then": sum(one.then.cases for one in kinds)}
    return {
        "per_day": per_day,
        "days": days,
        "open": waiting,
        "kinds": [asdict(one) for one in kinds],
        "cases": cases,
        "days_to_clear": {name: count / per_day for name, count in cases.items()},
        "lines": _lines(kinds),
    }


def _weights(conn: psycopg.Connection[Any], version: int) -> dict[str, dict[str, int]]:
    """How the weights of plausible pairs lie: counted now, or of many as the last whole resolution by this model kept
    it: what has come since does not change the plan."""
    if surroundings.pairs_about(conn) > COUNTED:
        kept = source_runs.weights(conn)
        if kept is not None and kept["model_version"] == version:
            weights: dict[str, dict[str, int]] = kept["weights"]
            return weights
    return surroundings.weight_histogram(conn)


def _most_doubtful(
    histograms: Mapping[str, Mapping[int, int]], models: Mapping[str, KindModel], room: float
) -> dict[str, list[int]]:
    """The bins nearest to a probability of one half, of all kinds, for as many pairs as there is room; none in part,
    and none that nobody doubts."""
    doubts = ((_doubt(at, models[kind]), kind, at) for kind, bins in histograms.items() for at in bins)
    order = sorted(one for one in doubts if one[0] <= 0.5 - _LEAST)
    chosen: dict[str, list[int]] = {kind: [] for kind in histograms}
    for _, kind, at in order:
        room -= histograms[kind][at]
        if room < 0:
            break
        chosen[kind].append(at)
    return chosen


def _doubt(at: int, model: KindModel) -> float:
    return abs(_probability(at, model) - 0.5)


def _at_doubt(model: KindModel) -> tuple[int, int]:
    """No band: what is likelier one client than two is linked, the rest is not."""
    return -model.prior, -model.prior


def _band(bins: Mapping[int, int], model: KindModel, review: int, link: int, per_pair: float) -> Band:
    inside = sum(pairs for at, pairs in bins.items() if review <= _middle(at) < link)
    wrong = sum(pairs * (1 - _probability(at, model)) for at, pairs in bins.items() if _middle(at) >= link)
    missed = sum(pairs * _probability(at, model) for at, pairs in bins.items() if _middle(at) < review)
    review_at, link_at = (
        min(max(round(probability_of(limit + model.prior), 4), _LEAST), _MOST) for limit in (review, link)
    )
    return Band(
        review_bits=review / WEIGHT_ONE_BIT,
        link_bits=link / WEIGHT_ONE_BIT,
        review_at=review_at,
        link_at=max(link_at, 0.5001),
        pairs=inside,
        cases=round(inside * per_pair),
        wrong=wrong,
        missed=missed,
    )


def _middle(at: int) -> float:
    return (at + 0.5) * BIN


def _probability(at: int, model: KindModel) -> float:
    return probability_of(round(_middle(at)) + model.prior)


def _bins(bins: Mapping[int, int], model: KindModel) -> list[dict[str, Any]]:
    whole = range(min(bins), max(bins) + 1)
    return [
        {"low": at / 2, "high": (at + 1) / 2, "pairs": bins.get(at, 0), "probability": _probability(at, model)}
        for at in whole
    ]


def _lines(kinds: Sequence[Kind]) -> str:
    said = [f"{one.kind}: {{review_at: {one.then.review_at}, link_at: {one.then.link_at}}}" for one in kinds]
    return "\n".join(["# matching.yaml", *said])
