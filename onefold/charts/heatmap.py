"""A table as a picture: which share each cell has, the larger the stronger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from onefold.charts.canvas import Canvas, Chart

_WIDTH, _LABELS, _HEAD, _ROW = 960.0, 240.0, 84.0, 40.0
_MOST = 0.55
"""How strong the strongest cell is: the figure in it stays readable."""


def heatmap_chart(
    title: str,
    description: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Mapping[tuple[int, int], float | None],
    *,
    words: Callable[[float], str],
    corner: str = "",
    nothing: str = "–",
) -> Chart:
    """`values`: (row, column) -> 0..1; each cell has its figure, so that nothing is said by colour alone. `words`
    writes it, `nothing` stands where there is none; `corner` names the rows in the table."""
    canvas = Canvas(_WIDTH, _HEAD + _ROW * len(rows) + 12)
    canvas.text(16, 28, title, "h", room=_WIDTH - 32)
    step = (_WIDTH - 24 - _LABELS) / max(len(columns), 1)
    for at, column in enumerate(columns):
        canvas.text(_LABELS + step * (at + 0.5), _HEAD - 14, column, "b", anchor="middle", room=step - 8)
    told = []
    for number, row in enumerate(rows):
        y = _HEAD + _ROW * number
        canvas.text(_LABELS - 14, y + 24, row, anchor="end", room=_LABELS - 28)
        known = [values.get((number, at)) for at in range(len(columns))]
        said = [nothing if value is None else words(value) for value in known]
        for at, value in enumerate(known):
            x = _LABELS + step * at
            canvas.rect(
                x + 2, y + 2, step - 4, _ROW - 4, "up", hint=f"{row}, {columns[at]}: {said[at]}",
                opacity=round(0.04 + (_MOST - 0.04) * (value or 0.0), 3),
            )  # fmt: skip
            canvas.text(x + step / 2, y + 24, said[at], anchor="middle")
        told.append((row, *said))
    return canvas.chart(title, description, (corner, *columns), told)
