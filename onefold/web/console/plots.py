"""The plots that templates of the console draw, with the words of the template: what they give goes to `plot.html`.

One way for all of them: a chart of `onefold.charts` without a style of its own, which `/static/charts.css` has, with a
title and description that screen readers tell, and its figures as a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from onefold.charts.axes import Mark, percent, plain
from onefold.charts.balance import Weight, balance_chart
from onefold.charts.bars import Bar, Shares, bar_chart, distribution_chart
from onefold.charts.canvas import Chart, style
from onefold.charts.columns import columns_chart
from onefold.charts.compass import Dot, compass_chart
from onefold.charts.heatmap import heatmap_chart
from onefold.charts.intervals import Estimate, intervals_chart
from onefold.charts.lines import Line, line_chart
from onefold.charts.upset import upset_chart

STYLE: Final = style(".plot ").encode()
"""What `/static/charts.css` holds."""
_BIN: Final = 0.5
"""Bits of a bin of `identity.evaluation.drift`."""
_MOST_BINS: Final = 64


def overlap_plot(title: str, words: str, combinations: Sequence[Any], columns: tuple[str, str]) -> Chart:
    """Which registers clients stand in together."""
    return upset_chart(title, words, [(one.registers, one.clients) for one in combinations], columns)


def volume_plot(
    title: str,
    words: str,
    days: Sequence[Mapping[str, Any]],
    columns: tuple[str, str, str],
    failed: str,
    written: Callable[[date], str],
) -> Chart:
    """What a source showed day by day; days with a failed run are marked."""
    notes = (f"{failed}: {day['failed']}" if day["failed"] else "" for day in days)
    bars = [Bar(written(day["day"]), day["rows"], said) for day, said in zip(days, notes, strict=True)]
    return columns_chart(title, words, bars, columns=columns)


def freshness_plot(
    title: str,
    words: str,
    days: Sequence[Mapping[str, Any]],
    labels: tuple[str, str, str],
    promise: Any,
    written: Callable[[date], str],
) -> Chart | None:
    """How many hours the news of a source were old at most, day by day, beside its promise; None: nothing is known.

    `labels`: what is measured, what warns, what fails.
    """
    hours = [day["hours"] for day in days]
    known = [value for value in hours if value is not None]
    if not known:
        return None
    lines = [Line(labels[0], hours)]
    for label, limit in zip(labels[1:], _limits(promise), strict=True):
        if limit is not None:
            lines.append(Line(label, [limit] * len(days)))
    highest = max([*known, *(value for line in lines[1:] for value in line.values if value is not None)])
    at = {float(number): written(day["day"]) for number, day in enumerate(days)}
    return line_chart(
        title, words, list(at), lines, x_label="", y_range=(0.0, highest * 1.1 or 1.0),
        y_words=lambda value: plain(round(value, 1)), x_words=lambda value: at.get(value, ""),
    )  # fmt: skip


def _limits(promise: Any) -> tuple[float | None, float | None]:
    """Hours after which is warned, and failed."""
    if promise is None:
        return None, None
    return tuple(
        None if one is None else one.total_seconds() / 3600 for one in (promise.warn_after, promise.fail_after)
    )  # type: ignore[return-value]


def levels_plot(title: str, words: str, columns: Sequence[Mapping[str, Any]], names: tuple[str, str, str]) -> Chart:
    """What each level of each comparison adds, in bits."""
    weights = [Weight(one["column"], level["level"], level["bits"]) for one in columns for level in one["levels"]]
    return balance_chart(title, words, weights, columns=names)


def scores_plot(
    title: str, words: str, bins: Mapping[str, int], marks: Sequence[tuple[str, float]], labels: tuple[str, str, str]
) -> Chart:
    """How the weights of pairs lie, with the thresholds; `labels`: weight, share, series. At most `_MOST_BINS` bins."""
    counts = {int(at): count for at, count in bins.items()}
    low, high = min(counts), max(counts)
    width = -(-(high - low + 1) // _MOST_BINS)
    total = sum(counts.values()) or 1
    places = range(low, high + 1, width)
    shares = [sum(counts.get(at, 0) for at in range(place, place + width)) / total for place in places]
    edges = [place * _BIN for place in (*places, places[-1] + width)]
    return distribution_chart(
        title, words, edges, [Shares(labels[2], shares)], x_label=labels[0], y_label=labels[1],
        marks=[Mark(f"{name} {value:+.1f}", value) for name, value in marks],
    )  # fmt: skip


def rules_plot(
    title: str, words: str, rules: Iterable[Mapping[str, Any]], unit: str, note: Callable[[Mapping[str, Any]], str]
) -> Chart:
    """Pairs that each blocking rule proposes, most first."""
    ordered = sorted(rules, key=lambda rule: (-rule["pairs"], rule["rule"]))
    return bar_chart(title, words, [Bar(rule["rule"], rule["pairs"], note(rule)) for rule in ordered], unit=unit)


def rule_note(found: str, alone: str) -> Callable[[Mapping[str, Any]], str]:
    """Writes beside a rule's pairs how many matches it finds, and how many no other rule does."""

    def said(rule: Mapping[str, Any]) -> str:
        only = f", {plain(rule['linked_only'])} {alone}" if rule["linked_only"] else ""
        return f"{plain(rule['linked'])} {found}{only}"

    return said


def held_plot(
    title: str,
    words: str,
    rows: Sequence[tuple[str | None, str]],
    columns: Sequence[tuple[str, str]],
    held: Mapping[tuple[str | None, str], float],
    written: Callable[[float], str],
    corner: str,
) -> Chart:
    """In which share of the clients of each segment each need is held. `rows`, `columns`: code and label."""
    values = {
        (number, at): held.get((segment, need))
        for number, (segment, _) in enumerate(rows)
        for at, (need, _) in enumerate(columns)
    }
    names = [label for _, label in rows], [label for _, label in columns]
    return heatmap_chart(title, words, *names, values, words=written, corner=corner)


def needs_map(
    title: str,
    words: str,
    needs: Sequence[tuple[str, str]],
    segments: Sequence[tuple[str, str]],
    dots: Iterable[Mapping[str, Any]],
    unknown: str,
    columns: tuple[str, str],
) -> Chart:
    """Clients by what they need: each is drawn to a need by the binary logarithm of how many times as often as expected
    it shows it. `needs`, `segments`: code and label."""
    places = {code: number for number, (code, _) in enumerate(segments)}
    drawn = []
    for one in dots:
        lifts = dict(zip(one["needs"], one["lifts"], strict=True))
        pulls = [max(0.0, math.log2(lifts.get(code) or 1.0)) for code, _ in needs]
        drawn.append(Dot(places.get(one["segment"]), pulls))
    names = [label for _, label in needs], [label for _, label in segments]
    return compass_chart(title, words, *names, drawn, ungrouped=unknown, columns=columns)


def limit_plot(
    title: str, words: str, values: Sequence[tuple[str, float | None]], limit: tuple[str, float] | None, unit: str
) -> Chart:
    """Shares as lying bars, with the limit that they are held to; those that are not known are left out."""
    bars = [Bar(label, value) for label, value in values if value is not None]
    marks = [] if limit is None else [Mark(f"{limit[0]} {percent(limit[1])}", limit[1])]
    return bar_chart(title, words, bars, words=percent, unit=unit, marks=marks)


def moves_plot(
    title: str, words: str, months: Sequence[Mapping[str, Any]], labels: tuple[str, str], written: Callable[[date], str]
) -> Chart:
    """How many came and how many went, month by month."""
    lines = [
        Line(label, [one[name] for one in months]) for label, name in zip(labels, ("entered", "left"), strict=True)
    ]
    highest = max([value for line in lines for value in line.values if value is not None], default=0)
    at = {float(number): written(one["month"]) for number, one in enumerate(months)}
    return line_chart(
        title, words, list(at), lines, x_label="", y_range=(0.0, highest * 1.1 or 1.0), y_words=plain,
        x_words=lambda value: at.get(value, ""),
    )  # fmt: skip


def estimates_plot(
    title: str,
    words: str,
    rows: Sequence[tuple[str, Any, Any, Any, str]],
    written: Callable[[float], str],
    columns: tuple[str, str, str, str, str],
    span: tuple[float, float] | None,
) -> Chart:
    """Values with their intervals. `rows`: label, value, both ends (None: none is told) and a note."""
    made = [Estimate(label, float(value), *_ends(low, high), note) for label, value, low, high, note in rows]
    return intervals_chart(title, words, made, columns=columns, words=written, span=span)


def months_plot(
    title: str,
    words: str,
    months: Sequence[Mapping[str, Any]],
    labels: tuple[str, str, str],
    written: Callable[[float], str],
    month: Callable[[str], str],
) -> Chart:
    """A value month by month, between the ends of its interval where these are told."""
    names = ("value", "low", "high")
    lines = [
        Line(label, [None if one[name] is None else float(one[name]) for one in months])
        for label, name in zip(labels, names, strict=True)
        if any(one[name] is not None for one in months)
    ]
    known = [value for line in lines for value in line.values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    at = {float(number): month(one["month"]) for number, one in enumerate(months)}
    return line_chart(
        title, words, list(at), lines, x_label="", y_range=(low, high * 1.05 if high > 0 else 1.0), y_words=written,
        x_words=lambda value: at.get(value, ""),
    )  # fmt: skip


def _ends(low: Any, high: Any) -> tuple[float | None, float | None]:
    return (None, None) if low is None or high is None else (float(low), float(high))


MAKERS: Final[Mapping[str, Callable[..., object]]] = {
    make.__name__: make
    for make in (
        overlap_plot, volume_plot, freshness_plot, levels_plot, scores_plot, rules_plot, rule_note, held_plot,
        needs_map, limit_plot, moves_plot, estimates_plot, months_plot,
    )
}  # fmt: skip
"""What templates call."""
