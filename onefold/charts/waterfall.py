"""A waterfall: from a start, every step up or down, to the total; thresholds drawn across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onefold.charts.axes import Mark, Scale, draw_marks, plain, ticks
from onefold.charts.canvas import Canvas, Chart, lines_of

_WIDTH, _LABELS, _ROW, _TOP = 1000.0, 400.0, 40.0, 118.0


@dataclass(frozen=True)
class Step:
    """One step: how much it adds, and what it is about."""

    label: str
    value: float
    detail: str = ""


def waterfall_chart(
    title: str,
    description: str,
    start: Step,
    steps: Sequence[Step],
    total: str,
    *,
    unit: str,
    marks: Sequence[Mark] = (),
    notes: Sequence[str] = (),
) -> Chart:
    """Lying bars, each beginning where the one above ended; `start` and the total begin at 0. `notes` stand beneath."""
    reached = [start.value]
    for step in steps:
        reached.append(reached[-1] + step.value)
    inside = [0.0, *reached, *(mark.value for mark in marks)]
    room = max(max(inside) - min(inside), 1.0) * 0.06
    scale = Scale(min(inside) - room, max(inside) + room, _LABELS + 20, _WIDTH - 70)
    bottom = _TOP + _ROW * (len(steps) + 2)
    lines = lines_of(notes, _WIDTH - 32)
    canvas = Canvas(_WIDTH, bottom + 56 + 20 * len(lines))
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    canvas.text(16, 50, description, "small f-faint", room=_WIDTH - 16)
    for value in ticks(scale.low, scale.high, about=8):
        canvas.line(scale(value), _TOP - 4, scale(value), bottom, "grid")
        canvas.text(scale(value), bottom + 16, plain(value), "small f-faint", anchor="middle")
    canvas.line(scale(0), _TOP - 4, scale(0), bottom, "faint")
    canvas.text(_WIDTH - 16, bottom + 34, unit, "small f-faint", anchor="end")
    draw_marks(canvas, scale, marks, _TOP - 4, bottom)
    _bar(canvas, scale, 0, start, 0.0, "base")
    for number, (step, begin) in enumerate(zip(steps, reached[:-1], strict=True), 1):
        _bar(canvas, scale, number, step, begin, "up" if step.value >= 0 else "down")
        edge = scale(begin)
        canvas.line(edge, _TOP + _ROW * number - 12, edge, _TOP + _ROW * number + 4, "faint")
    _bar(canvas, scale, len(steps) + 1, Step(total, reached[-1]), 0.0, "base")
    for number, line in enumerate(lines):
        canvas.text(16, bottom + 60 + 20 * number, line)
    named = [start, *steps, Step(total, reached[-1])]
    sums = [*reached, reached[-1]]
    rows = [(step.label, step.detail, f"{step.value:+.1f}", f"{at:+.1f}") for step, at in zip(named, sums, strict=True)]
    rows += [(mark.label, "", "", f"{mark.value:+.1f}") for mark in marks]
    return canvas.chart(title, description, ("", "", unit, "Σ"), [*rows, *((note,) for note in notes)])


def _bar(canvas: Canvas, scale: Scale, row: int, step: Step, begin: float, fill: str) -> None:
    y = _TOP + _ROW * row
    one, two = sorted((scale(begin), scale(begin + step.value)))
    canvas.text(16, y + (11 if step.detail else 18), step.label, "b", room=_LABELS)
    if step.detail:
        canvas.text(16, y + 27, step.detail, "small f-faint", room=_LABELS * 1.1)
    canvas.rect(one, y + 4, max(two - one, 1.5), _ROW - 16, fill, hint=f"{step.label}: {step.value:+.1f}")
    canvas.text(two + 6, y + 20, f"{step.value:+.1f}", "small halo")
