"""Estimates with what they may be: a point for each thing, and a line over its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onefold.charts.axes import Mark, Scale, Words, draw_marks, plain, ticks
from onefold.charts.canvas import Canvas, Chart

_WIDTH, _ROW, _LABELS, _MARGIN = 960.0, 28.0, 340.0, 210.0


@dataclass(frozen=True)
class Estimate:
    """One thing and its value; `low` and `high` are the ends of its interval, None where none is told."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


def intervals_chart(
    title: str,
    description: str,
    estimates: Sequence[Estimate],
    *,
    columns: tuple[str, str, str, str, str],
    words: Words = plain,
    marks: Sequence[Mark] = (),
    span: tuple[float, float] | None = None,
) -> Chart:
    """In the order given. `columns` names label, value, both ends and note; `span`: what the axis shows at least."""
    known = [end for one in estimates for end in (one.value, one.low, one.high) if end is not None]
    known += [*(mark.value for mark in marks), *(span or ())]
    low, high = min(known, default=0.0), max(known, default=1.0)
    top = 84.0 if marks else 60.0
    bottom = top + _ROW * len(estimates)
    canvas = Canvas(_WIDTH, bottom + 30)
    scale = Scale(low, high if high > low else low + 1, _LABELS, _WIDTH - _MARGIN)
    canvas.text(16, 28, title, "h", room=_WIDTH - 32)
    for value in ticks(low, scale.high):
        canvas.line(scale(value), top - 6, scale(value), bottom, "grid")
        canvas.text(scale(value), bottom + 18, words(value), "small f-faint", anchor="middle")
    draw_marks(canvas, scale, marks, top, bottom)
    for number, one in enumerate(estimates):
        y = top + _ROW * (number + 0.5)
        said = _said(one, words)
        canvas.text(_LABELS - 16, y + 4, one.label, anchor="end", room=_LABELS - 32)
        if one.low is not None and one.high is not None:
            canvas.line(scale(one.low), y, scale(one.high), y, "base", width=2)
            for end in (one.low, one.high):
                canvas.line(scale(end), y - 5, scale(end), y + 5, "base", width=2)
        canvas.circle(scale(one.value), y, 5, "s0", hint=f"{one.label}: {said}")
        canvas.text(_WIDTH - _MARGIN + 16, y + 4, said, "small", room=_MARGIN - 24)
    rows = [
        (one.label, *("" if end is None else words(end) for end in (one.value, one.low, one.high)), one.note)
        for one in estimates
    ]
    return canvas.chart(title, description, columns, rows)


def _said(one: Estimate, words: Words) -> str:
    if one.low is None or one.high is None:
        return words(one.value)
    return f"{words(one.value)} ({words(one.low)} – {words(one.high)})"
