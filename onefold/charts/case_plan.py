"""The chart of a plan: how the weights of pairs lie, and where the thresholds are and could be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onefold.charts.axes import Mark
from onefold.charts.bars import Shares, distribution_chart
from onefold.charts.canvas import Chart

_WORDS: Final = {
    "en": {
        "title": "Weights of plausible pairs: {kind}",
        "person": "persons", "organisation": "organisations",
        "more": "Between the thresholds people are asked: {now} pairs now, {then} as proposed.",
        "share": "share of pairs", "bits": "bits", "pairs": "pairs",
        "review": "ask from", "link": "link from", "proposed": "proposed",
    },
    "ru": {
        "title": "Веса правдоподобных пар: {kind}",
        "person": "физлица", "organisation": "организации",
        "more": "Между порогами спрашивают людей: сейчас {now} пар, по предложению {then}.",
        "share": "доля пар", "bits": "биты", "pairs": "пары",
        "review": "спрашивать от", "link": "связывать от", "proposed": "предложено",
    },
}  # fmt: skip


def plan_chart(kind: Mapping[str, Any], language: str = "en") -> Chart:
    """The distribution of one kind, of a plan's `kinds`, with the thresholds of now and those proposed."""
    words, bins = _WORDS[language], kind["bins"]
    total = sum(one["pairs"] for one in bins) or 1
    now, then = kind["now"], kind["then"]
    marks = [Mark(f"{words[name]} {now[f'{name}_bits']:+.1f}", now[f"{name}_bits"]) for name in ("review", "link")]
    marks += [
        Mark(f"{words['proposed']} {then[f'{name}_bits']:+.1f}", then[f"{name}_bits"])
        for name in ("review", "link")
        if then[f"{name}_bits"] != now[f"{name}_bits"]
    ]
    return distribution_chart(
        words["title"].format(kind=words[kind["kind"]]),
        words["more"].format(now=now["pairs"], then=then["pairs"]),
        [bins[0]["low"], *(one["high"] for one in bins)],
        [Shares(words["pairs"], [one["pairs"] / total for one in bins])],
        x_label=words["bits"],
        y_label=words["share"],
        marks=marks,
    )
