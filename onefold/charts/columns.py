"""Columns: one standing bar per day, or per whatever else comes in an order."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.charts.axes import Scale, Words, plain, ticks
from onefold.charts.bars import Bar
from onefold.charts.canvas import CHARACTER, Canvas, Chart

_WIDTH, _LEFT, _TOP, _BOTTOM = 960.0, 70.0, 52.0, 300.0


def columns_chart(
    title: str, description: str, bars: Sequence[Bar], *, columns: tuple[str, str, str], words: Words = plain
) -> Chart:
    """Standing bars from 0 in the order given; values are not negative. `columns` names label, value and note; a bar
    with a note has a mark at its foot, so that nothing is said by colour alone."""
    canvas = Canvas(_WIDTH, _BOTTOM + 44)
    highest = max((bar.value for bar in bars), default=0) or 1
    scale = Scale(0, highest * 1.05, _BOTTOM, _TOP)
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    for value in ticks(0, scale.high):
        canvas.line(_LEFT, scale(value), _WIDTH - 24, scale(value), "grid")
        canvas.text(_LEFT - 8, scale(value) + 4, words(value), "small f-faint", anchor="end")
    step = (_WIDTH - 24 - _LEFT) / max(len(bars), 1)
    widest = max((len(bar.label) for bar in bars), default=1) * CHARACTER + 12
    every = max(1, int(widest / step) + 1)
    for number, bar in enumerate(bars):
        x = _LEFT + step * number
        hint = f"{bar.label}: {words(bar.value)}" + (f"; {bar.note}" if bar.note else "")
        if bar.value:
            top = min(scale(bar.value), _BOTTOM - 1)
            canvas.rect(x + step * 0.12, top, step * 0.76, _BOTTOM - top, "s0", hint=hint)
        if bar.note:
            canvas.circle(x + step / 2, _BOTTOM + 8, min(4.0, step / 3), "down", hint=hint)
        # From the last backwards: what is newest is named in any case.
        if (len(bars) - 1 - number) % every == 0:
            canvas.text(x + step / 2, _BOTTOM + 28, bar.label, "small f-faint", anchor="middle")
    canvas.line(_LEFT, _BOTTOM, _WIDTH - 24, _BOTTOM, "faint")
    canvas.text(_WIDTH - 24, 28, columns[1], "small f-faint", anchor="end")
    return canvas.chart(title, description, columns, [(bar.label, words(bar.value), bar.note) for bar in bars])
