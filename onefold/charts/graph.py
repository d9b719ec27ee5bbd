"""A graph of weighted links: what holds a group together, what speaks against it, what stands near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onefold.charts.canvas import Canvas, Chart, lines_of
from onefold.charts.layout import stress_layout

LinkStyle = Literal["for", "seam", "against", "outside"]
_WIDTH, _HEIGHT, _MARGIN, _TOP = 1000.0, 640.0, 110.0, 92.0
# By style: colour, width, dashes. Told apart without colour as well.
_DRAWN: dict[LinkStyle, tuple[str, float, str]] = {
    "for": ("up", 2.0, ""),
    "seam": ("mark", 4.0, ""),
    "against": ("down", 2.0, "3 4"),
    "outside": ("base", 1.6, "9 5"),
}


@dataclass(frozen=True)
class Node:
    """A record or a group of them; `size` records are drawn as a larger circle. `name`: in full, where the label is
    short."""

    label: str
    detail: str = ""
    size: int = 1
    outside: bool = False
    name: str = ""

    @property
    def full(self) -> str:
        """What the node is called where there is room."""
        return self.name or self.label


@dataclass(frozen=True)
class Link:
    """A link between nodes (positions), how long it should be (> 0) and how it is drawn."""

    left: int
    right: int
    label: str
    length: float = 1.0
    style: LinkStyle = "for"
    address: str = ""
    """Where its label leads to, on a page."""


def graph_chart(
    title: str,
    description: str,
    nodes: Sequence[Node],
    links: Sequence[Link],
    legend: Sequence[tuple[LinkStyle, str]],
    *,
    columns: Sequence[str],
    notes: Sequence[str] = (),
) -> Chart:
    """Nodes laid out by the lengths of their links; `columns` head the table: two records, style, weight."""
    lines = lines_of(notes, _WIDTH - 32)
    canvas = Canvas(_WIDTH, _TOP + _HEIGHT + 20 + 20 * len(lines))
    canvas.text(16, 28, title, "h", room=_WIDTH - 16)
    canvas.text(16, 48, description, "small f-faint", room=_WIDTH - 16)
    drawn = {link.style for link in links}
    _legend(canvas, [entry for entry in legend if entry[0] in drawn])
    places = stress_layout(len(nodes), [(link.left, link.right, link.length) for link in links])
    x = [_WIDTH / 2 + float(place[0]) * (_WIDTH / 2 - _MARGIN) for place in places]
    y = [_TOP + _HEIGHT / 2 + float(place[1]) * (_HEIGHT / 2 - 50) for place in places]
    for link in links:
        colour, width, dash = _DRAWN[link.style]
        one, two = link.left, link.right
        hint = f"{nodes[one].full} - {nodes[two].full}: {link.label}"
        canvas.line(x[one], y[one], x[two], y[two], colour, width=width, dash=dash, hint=hint)
    for link in links:
        one, two = link.left, link.right
        middle = (x[one] + x[two]) / 2, (y[one] + y[two]) / 2
        if link.address:
            canvas.begin_link(link.address)
        canvas.text(middle[0], middle[1] - 4, link.label, "small halo", anchor="middle")
        if link.address:
            canvas.end_link()
    for number, node in enumerate(nodes):
        radius = min(8 + 3 * (node.size - 1) ** 0.5, 26)
        said = f"{node.full}: {node.detail}" if node.detail else node.full
        canvas.circle(x[number], y[number], radius, "base" if node.outside else "up", hint=said)
        down = y[number] + radius + 14
        canvas.text(x[number], down, node.label, "b small halo", anchor="middle", room=200)
        if node.detail:
            canvas.text(x[number], down + 14, node.detail, "small halo f-faint", anchor="middle", room=200)
    for number, line in enumerate(lines):
        canvas.text(16, _TOP + _HEIGHT + 16 + 20 * number, line)
    named = dict(legend)
    rows = [
        (nodes[link.left].full, nodes[link.right].full, named.get(link.style, link.style), link.label) for link in links
    ]
    return canvas.chart(title, description, columns, [*rows, *((note,) for note in notes)])


def _legend(canvas: Canvas, legend: Sequence[tuple[LinkStyle, str]]) -> None:
    x = 16.0
    for style, label in legend:
        colour, width, dash = _DRAWN[style]
        canvas.line(x, 66, x + 28, 66, colour, width=width, dash=dash)
        canvas.text(x + 34, 70, label, "small")
        x += 58 + len(label) * 6.6
