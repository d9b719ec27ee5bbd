"""Bars to both sides of zero, in groups: what speaks for to the right, what speaks against to the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onefold.charts.axes import Scale, plain, ticks
from onefold.charts.canvas import Canvas, Chart

_WIDTH, _LABELS, _ROW, _HEAD, _TOP = 960.0, 300.0, 22.0, 28.0, 64.0


@dataclass(frozen=True)
class Weight:
    """One thing of a group and its weight; None: it has none."""

    group: str
    label: str
    value: float | None


def balance_chart(
    title: str, description: str, weights: Sequence[Weight], *, columns: tuple[str, str, str], nothing: str = "-"
) -> Chart:
    """Lying bars from 0, those of a group beneath its name, in the order given; `columns` names group, label, value."""
    known = [one.value for one in weights if one.value is not None]
    room = max((abs(value) for value in known), default=1.0) * 0.14 or 1.0
    low, high = min([0.0, *known]) - room, max([0.0, *known]) + room
    groups = list(dict.fromkeys(one.group for one in weights))
    bottom = _TOP + _HEAD * len(groups) + _ROW * len(weights)
    canvas = Canvas(_WIDTH, bottom + 44)
    scale = Scale(low, high, _LABELS, _WIDTH - 24)
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    for value in ticks(low, high, about=10):
        canvas.line(scale(value), _TOP - 6, scale(value), bottom, "grid")
        canvas.text(scale(value), bottom + 16, plain(value), "small f-faint", anchor="middle")
    canvas.line(scale(0), _TOP - 6, scale(0), bottom, "faint")
    canvas.text(_WIDTH - 24, bottom + 34, columns[2], "small f-faint", anchor="end")
    y = _TOP
    for group in groups:
        canvas.text(16, y + 18, group, "b", room=_WIDTH - 40)
        y += _HEAD
        for one in (found for found in weights if found.group == group):
            canvas.text(_LABELS - 10, y + 13, one.label, "small", anchor="end", room=_LABELS - 24)
            _bar(canvas, scale, y, one, nothing)
            y += _ROW
    rows = [(one.group, one.label, nothing if one.value is None else f"{one.value:+.1f}") for one in weights]
    return canvas.chart(title, description, columns, rows)


def _bar(canvas: Canvas, scale: Scale, y: float, one: Weight, nothing: str) -> None:
    if one.value is None:
        canvas.text(scale(0) + 6, y + 13, nothing, "small f-faint")
        return
    left, right = sorted((scale(0), scale(one.value)))
    hint = f"{one.group}, {one.label}: {one.value:+.1f}"
    canvas.rect(left, y + 2, max(right - left, 1.0), _ROW - 7, "up" if one.value >= 0 else "down", hint=hint)
    if one.value >= 0:
        canvas.text(right + 5, y + 13, f"{one.value:+.1f}", "small")
    else:
        canvas.text(left - 5, y + 13, f"{one.value:+.1f}", "small halo", anchor="end")
