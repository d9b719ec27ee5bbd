"""Which combinations of registers clients stand in: a column per combination, a dot for each register of it."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.charts.axes import Scale, plain, ticks
from onefold.charts.canvas import Canvas, Chart

_WIDTH, _LABELS, _ROW, _TOP, _BARS = 960.0, 180.0, 26.0, 64.0, 220.0
MOST = 20
"""Combinations that are drawn; the figures beside the chart have all."""


def upset_chart(
    title: str,
    description: str,
    combinations: Sequence[tuple[Sequence[str], int]],
    columns: tuple[str, str] = ("registers", "clients"),
) -> Chart:
    """An UpSet plot of (registers, clients), largest first: no Venn diagram can be read from four registers on."""
    registers = sorted({name for names, _ in combinations for name in names})
    shown = combinations[:MOST]
    bottom = _TOP + _BARS
    canvas = Canvas(_WIDTH, bottom + _ROW * (len(registers) + 1))
    scale = Scale(0, max((count for _, count in shown), default=0) or 1, bottom, _TOP)
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    for value in ticks(0, scale.high):
        canvas.line(_LABELS, scale(value), _WIDTH - 24, scale(value), "grid")
        canvas.text(_LABELS - 8, scale(value) + 4, plain(value), "small f-faint", anchor="end")
    places = {name: bottom + _ROW * (number + 1) for number, name in enumerate(registers)}
    for name, y in places.items():
        canvas.text(_LABELS - 10, y + 4, name, anchor="end", room=_LABELS - 24)
    step = min(48.0, (_WIDTH - _LABELS - 24) / max(len(shown), 1))
    for number, (names, count) in enumerate(shown):
        x = _LABELS + step * (number + 0.5)
        hint = f"{' + '.join(names)}: {plain(count)}"
        canvas.rect(x - step * 0.35, scale(count), step * 0.7, max(bottom - scale(count), 1.0), "s0", hint=hint)
        canvas.text(x, scale(count) - 5, plain(count), "small", anchor="middle")
        held = [places[name] for name in names]
        if len(held) > 1:
            canvas.line(x, min(held), x, max(held), "s0", width=2)
        for name, y in places.items():
            canvas.circle(x, y, 6, "s0" if name in names else "grid")
    rows = [(" + ".join(names), plain(count)) for names, count in combinations]
    return canvas.chart(title, description, columns, rows)
