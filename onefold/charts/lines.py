"""Lines: how one or several measures go with a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onefold.charts.axes import Mark, Plot, Scale, Words, draw_axes, draw_marks, percent, plain
from onefold.charts.bars import COLOURS, draw_legend
from onefold.charts.canvas import Canvas, Chart

_WIDTH = 960.0
_DASHES = ("", "8 4", "2 3", "10 3 2 3")


@dataclass(frozen=True)
class Line:
    """One measure at each x, 0..1 unless the chart says otherwise; None where it is not defined."""

    label: str
    values: Sequence[float | None]


def line_chart(
    title: str,
    description: str,
    x: Sequence[float],
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str = "",
    marks: Sequence[Mark] = (),
    y_range: tuple[float, float] = (0.0, 1.0),
    y_words: Words = percent,
    x_words: Words = plain,
) -> Chart:
    """At most four measures over ascending `x`, told apart by colour and dashes; `marks` stand across the plot."""
    canvas = Canvas(_WIDTH, 460)
    top, bottom = 112.0, 400.0
    low, high = (min(x), max(x)) if x else (0.0, 1.0)
    plot = Plot(Scale(low, high, 70, _WIDTH - 24), Scale(*y_range, bottom, top))
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    draw_legend(canvas, [line.label for line in lines], 52, _DASHES)
    draw_axes(canvas, plot, x_words=x_words, y_words=y_words)
    draw_marks(canvas, plot.x, marks, top, bottom)
    for number, line in enumerate(lines):
        for piece in _pieces(x, line.values):
            points = [(plot.x(at), plot.y(value)) for at, value in piece]
            canvas.polyline(points, COLOURS[number % 4], width=2.2, dash=_DASHES[number % 4])
    canvas.text(_WIDTH - 24, bottom + 36, x_label, "small f-faint", anchor="end")
    canvas.text(_WIDTH - 24, 52, y_label, "small f-faint", anchor="end")
    rows = [
        (x_words(at), *(None if line.values[i] is None else y_words(_known(line.values[i])) for line in lines))
        for i, at in enumerate(x)
    ]
    return canvas.chart(title, description, (x_label, *(line.label for line in lines)), rows)


def _pieces(x: Sequence[float], values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Runs of points without a gap."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(x, values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((at, value))
    return [piece for piece in pieces if piece]


def _known(value: float | None) -> float:
    return 0.0 if value is None else value
