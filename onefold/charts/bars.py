"""Bars: one per thing (lying), or the distribution of one or two sets of values (standing)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from onefold.charts.axes import Mark, Plot, Scale, Words, draw_axes, draw_marks, percent, plain, ticks
from onefold.charts.canvas import Canvas, Chart

_WIDTH, _ROW, _LABELS, _MARGIN = 960.0, 26.0, 320.0, 220.0
COLOURS = ("s0", "s1", "s2", "s3")


@dataclass(frozen=True)
class Bar:
    """One thing and its value; `note` stands beside the value."""

    label: str
    value: float
    note: str = ""


@dataclass(frozen=True)
class Shares:
    """A distribution: the share of each bin, 0..1."""

    label: str
    values: Sequence[float]


def bar_chart(
    title: str,
    description: str,
    bars: Sequence[Bar],
    *,
    words: Words = plain,
    unit: str = "",
    marks: Sequence[Mark] = (),
) -> Chart:
    """Lying bars from 0, in the order given; values are not negative. `words` writes a value, `unit` names the axis;
    `marks` stand across the bars."""
    top = 64.0 if not marks else 84.0
    canvas = Canvas(_WIDTH, top + _ROW * len(bars) + 48)
    highest = max([*(bar.value for bar in bars), *(mark.value for mark in marks)], default=0) or 1
    scale = Scale(0, highest, _LABELS, _WIDTH - _MARGIN)
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    bottom = top + _ROW * len(bars)
    for value in ticks(0, scale.high):
        canvas.line(scale(value), top - 6, scale(value), bottom, "grid")
        canvas.text(scale(value), bottom + 16, words(value), "small f-faint", anchor="middle")
    for number, bar in enumerate(bars):
        y = top + _ROW * number
        canvas.text(_LABELS - 10, y + 14, bar.label, anchor="end", room=_LABELS - 24)
        said = f"{words(bar.value)}; {bar.note}" if bar.note else words(bar.value)
        canvas.rect(_LABELS, y, max(scale(bar.value) - _LABELS, 1.0), _ROW - 8, "s0", hint=f"{bar.label}: {said}")
        canvas.text(scale(bar.value) + 6, y + 14, said, "small", room=_WIDTH - scale(bar.value) - 12)
    draw_marks(canvas, scale, marks, top, bottom)
    canvas.text(scale.end, bottom + 34, unit, "small f-faint", anchor="end")
    return canvas.chart(title, description, ("", unit, ""), [(bar.label, words(bar.value), bar.note) for bar in bars])


def distribution_chart(
    title: str,
    description: str,
    edges: Sequence[float],
    shares: Sequence[Shares],
    *,
    x_label: str,
    y_label: str,
    marks: Sequence[Mark] = (),
) -> Chart:
    """Standing bars of one or two distributions over the same bins; `edges` has one more entry than each has shares."""
    canvas = Canvas(_WIDTH, 420)
    top, bottom = 104.0, 360.0
    highest = max((value for share in shares for value in share.values), default=0) or 1.0
    plot = Plot(Scale(edges[0], edges[-1], 70, _WIDTH - 24), Scale(0, highest * 1.05, bottom, top))
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    draw_legend(canvas, [share.label for share in shares], 52)
    draw_axes(canvas, plot, y_words=percent)
    for number, share in enumerate(shares):
        for low, high, value in zip(edges[:-1], edges[1:], share.values, strict=True):
            width = (plot.x(high) - plot.x(low)) / len(shares)
            x, y = plot.x(low) + width * number, plot.y(value)
            if value > 0:
                hint = f"{share.label}, {plain(low)}..{plain(high)}: {percent(value)}"
                canvas.rect(x + 0.5, y, max(width - 1, 0.5), bottom - y, COLOURS[number], hint=hint)
    draw_marks(canvas, plot.x, marks, top, bottom)
    canvas.text(_WIDTH - 24, bottom + 36, x_label, "small f-faint", anchor="end")
    canvas.text(_WIDTH - 24, 52, y_label, "small f-faint", anchor="end")
    rows = [
        (f"{plain(low)}..{plain(high)}", *(percent(share.values[at]) for share in shares))
        for at, (low, high) in enumerate(pairwise(edges))
    ]
    return canvas.chart(title, description, (x_label, *(share.label for share in shares)), rows)


def draw_legend(canvas: Canvas, labels: Sequence[str], y: float, dashes: Sequence[str] = ()) -> None:
    """The name of each series beside its colour, and its dashes where lines have them."""
    x = 16.0
    for number, label in enumerate(labels):
        if dashes:
            canvas.line(x, y - 4, x + 24, y - 4, COLOURS[number % len(COLOURS)], width=2.5, dash=dashes[number])
        else:
            canvas.rect(x + 6, y - 11, 12, 12, COLOURS[number % len(COLOURS)])
        canvas.text(x + 30, y, label, "small")
        x += 52 + len(label) * 6.6
