"""What the pictures are made of, on the canvas of the charts: boxes, arrows, rows with a name at their left."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.charts.canvas import Canvas


class Drawing(Canvas):
    """A canvas with boxes and arrows. Nothing is said by colour alone: a word stands beside it."""

    def box(
        self, x: float, y: float, width: float, lines: Sequence[str], edge: str = "grid", height: float = 0
    ) -> None:
        """Lines of text in a frame; the first is bold where it begins with `*`."""
        height = height or 10 + 17 * len(lines)
        self.rect(x, y, width, height, edge)
        self.rect(x + 1.5, y + 1.5, width - 3, height - 3, "paper")
        for number, line in enumerate(lines):
            style = "b" if line.startswith("*") else ""
            self.text(x + 9, y + 18 + 17 * number, line.removeprefix("*"), style)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, stroke: str = "base", *, dash: str = "") -> None:
        """A line with a head, down or to a side."""
        self.line(x1, y1, x2, y2, stroke, width=1.6, dash=dash)
        if abs(x2 - x1) > abs(y2 - y1):
            back = -6 if x2 > x1 else 6
            self.polyline([(x2 + back, y2 - 4), (x2, y2), (x2 + back, y2 + 4)], stroke, width=1.6)
        else:
            back = -6 if y2 > y1 else 6
            self.polyline([(x2 - 4, y2 + back), (x2, y2), (x2 + 4, y2 + back)], stroke, width=1.6)

    def name(self, y: float, title: str, about: str = "") -> None:
        """The name of a row, and what happens in it."""
        self.text(12, y, title, "h halo")
        if about:
            self.text(12, y + 18, about, "small f-faint")
