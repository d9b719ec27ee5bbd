"""A map of many by what they show most: directions stand around a circle, and each dot is drawn to those it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onefold.charts.axes import plain
from onefold.charts.bars import COLOURS
from onefold.charts.canvas import CHARACTER, Anchor, Canvas, Chart

_WIDTH, _HEIGHT, _RADIUS = 960.0, 620.0, 230.0
_MIDDLE = (_WIDTH / 2, 350.0)
_SIDE = 4.5
_ASIDE, _ROUND, _GOLDEN = 14.0, 40, 2.399963
"""Pixels by which a dot is moved at most; dots until the same distance comes again; the angle between two of them."""


@dataclass(frozen=True)
class Dot:
    """One of a group (None: of none), and how strongly each direction draws it, from 0."""

    group: int | None
    pulls: Sequence[float]


def compass_chart(
    title: str,
    description: str,
    directions: Sequence[str],
    groups: Sequence[str],
    dots: Sequence[Dot],
    *,
    ungrouped: str,
    columns: tuple[str, str],
) -> Chart:
    """Each dot at the mean of the directions by its pulls, with one pull of 1 towards the middle, so that who is drawn
    nowhere stays there; and a little aside, the same in every picture, so that equal ones are seen. Groups differ by
    shape and by colour. The table says of each group how many there are, and two to the power of the mean pull of each
    direction; `columns` names group and number."""
    canvas = Canvas(_WIDTH, _HEIGHT)
    canvas.text(16, 28, title, "h", room=_WIDTH - 32)
    places = [_place(number, len(directions)) for number in range(len(directions))]
    _draw_rim(canvas, directions, places)
    # Those of no group first, so that they hide nobody.
    for number, dot in enumerate(sorted(dots, key=lambda one: (one.group is not None, one.group or 0))):
        total = sum(dot.pulls) + 1.0
        x = sum(pull * place[0] for pull, place in zip(dot.pulls, places, strict=True)) / total
        y = sum(pull * place[1] for pull, place in zip(dot.pulls, places, strict=True)) / total
        aside = _ASIDE * math.sqrt(number % _ROUND / _ROUND), _GOLDEN * number
        dx, dy = aside[0] * math.cos(aside[1]), aside[0] * math.sin(aside[1])
        _draw_dot(canvas, _MIDDLE[0] + x * _RADIUS + dx, _MIDDLE[1] + y * _RADIUS + dy, dot.group)
    _draw_key(canvas, [*groups, ungrouped])
    told = []
    for group, name in [*enumerate(groups), (None, ungrouped)]:
        of = [dot for dot in dots if dot.group == group]
        means = [sum(dot.pulls[at] for dot in of) / len(of) for at in range(len(directions))] if of else []
        told.append((name, plain(len(of)), *(plain(round(2**mean, 1)) for mean in means)))
    rows = [(*row, *[""] * (2 + len(directions) - len(row))) for row in told]
    return canvas.chart(title, description, (*columns, *directions), rows)


def _place(number: int, count: int) -> tuple[float, float]:
    """The first direction is up, the others follow as on a clock."""
    angle = 2 * math.pi * number / max(count, 1) - math.pi / 2
    return math.cos(angle), math.sin(angle)


def _draw_rim(canvas: Canvas, directions: Sequence[str], places: Sequence[tuple[float, float]]) -> None:
    rim = [_at(2 * math.pi * step / 72) for step in range(73)]
    canvas.polyline(rim, "grid", width=1.2)
    for name, (x, y) in zip(directions, places, strict=True):
        end = (_MIDDLE[0] + x * _RADIUS, _MIDDLE[1] + y * _RADIUS)
        canvas.line(*_MIDDLE, *end, "grid")
        anchor: Anchor = "middle" if abs(x) < 0.2 else "start" if x > 0 else "end"
        room = _WIDTH / 2 - _RADIUS * abs(x) - 20 if anchor != "middle" else _WIDTH / 2
        canvas.text(
            end[0] + 12 * x, end[1] + (18 if y > 0.2 else -8 if y < -0.2 else 4), name, "b", anchor=anchor, room=room
        )


def _at(angle: float) -> tuple[float, float]:
    return _MIDDLE[0] + math.cos(angle) * _RADIUS, _MIDDLE[1] + math.sin(angle) * _RADIUS


def _draw_dot(canvas: Canvas, x: float, y: float, group: int | None) -> None:
    if group is None:
        canvas.circle(x, y, 3, "base", opacity=0.45)
        return
    colour = COLOURS[group % len(COLOURS)]
    if group % 4 == 0:
        canvas.circle(x, y, _SIDE, colour, opacity=0.75)
    elif group % 4 == 1:
        canvas.rect(x - 4, y - 4, 8, 8, colour, opacity=0.75)
    else:
        points = ((0, -5.5), (5, 4), (-5, 4)) if group % 4 == 2 else ((0, -6), (6, 0), (0, 6), (-6, 0))
        canvas.polygon([(x + dx, y + dy) for dx, dy in points], colour, opacity=0.75)


def _draw_key(canvas: Canvas, names: Sequence[str]) -> None:
    x, y = 20.0, 56.0
    for number, name in enumerate(names):
        width = 34 + len(name) * CHARACTER
        if x + width > _WIDTH - 16 and x > 20:
            x, y = 20.0, y + 20
        _draw_dot(canvas, x, y - 4, None if number == len(names) - 1 else number)
        canvas.text(x + 12, y, name, "small")
        x += width
