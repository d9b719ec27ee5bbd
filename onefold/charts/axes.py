"""Axes: from values to pixels, round ticks, and marks across a plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onefold.charts.canvas import CHARACTER, Canvas

Words = Callable[[float], str]


@dataclass(frozen=True)
class Mark:
    """A value that means something: a threshold, drawn as a dashed line across the plot."""

    label: str
    value: float


@dataclass(frozen=True)
class Scale:
    """A linear scale: `low` lies at pixel `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class Plot:
    """The part of a canvas between the axes."""

    x: Scale
    y: Scale


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round values from `low` to `high`, about so many: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def plain(value: float) -> str:
    """A figure without needless zeros; thousands apart."""
    return f"{value:,.6g}".replace(",", "\u202f") if abs(value) < 1e15 else f"{value:.3g}"


def percent(value: float) -> str:
    """A share as per cent, with as many digits as tell it from 0 and 100, up to four decimals."""
    if 0 < value < 1e-6:
        return "< 0.0001 %"
    if 1 - 1e-6 < value < 1:
        return "> 99.9999 %"
    return f"{value * 100:.3g} %" if 0.001 <= value <= 0.999 or value in (0, 1) else f"{value * 100:.6g} %"


def draw_axes(canvas: Canvas, plot: Plot, *, x_words: Words = plain, y_words: Words = plain) -> None:
    """Grid lines with their values, left of and below the plot."""
    left, right, top, bottom = plot.x.start, plot.x.end, plot.y.end, plot.y.start
    for value in ticks(plot.y.low, plot.y.high):
        canvas.line(left, plot.y(value), right, plot.y(value), "grid")
        canvas.text(left - 8, plot.y(value) + 4, y_words(value), "small f-faint", anchor="end")
    for value in ticks(plot.x.low, plot.x.high, about=10):
        canvas.line(plot.x(value), bottom, plot.x(value), bottom + 4, "faint")
        canvas.text(plot.x(value), bottom + 17, x_words(value), "small f-faint", anchor="middle")
    canvas.line(left, bottom, right, bottom, "faint")
    canvas.line(left, top, left, bottom, "faint")


def draw_marks(canvas: Canvas, scale: Scale, marks: Sequence[Mark], top: float, bottom: float) -> None:
    """Dashed lines at the marks within the scale, each named above the plot; names that would touch go a line up."""
    within = sorted((mark for mark in marks if scale.low <= mark.value <= scale.high), key=lambda mark: mark.value)
    ends = [-math.inf, -math.inf, -math.inf]
    for mark in within:
        x, half = scale(mark.value), len(mark.label) * CHARACTER / 2
        # A name at the edge of the canvas stands beside its line, whole.
        middle = max(half + 4, min(x, canvas.width - half - 4))
        level = next((row for row, end in enumerate(ends) if middle - half > end), len(ends) - 1)
        ends[level] = middle + half + 4
        canvas.line(x, top - 4 - 14 * level, x, bottom, "mark", dash="5 4", width=1.4)
        canvas.text(middle, top - 8 - 14 * level, mark.label, "small f-mark", anchor="middle")
