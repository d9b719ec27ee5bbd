"""What every chart is drawn on: SVG elements with escaped text, one style for light and dark, files of charts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from textwrap import wrap
from typing import Literal

from onefold.errors import UsageError

Anchor = Literal["start", "middle", "end"]
Row = Sequence[object]

CHARACTER = 7.8
"""Width of an average character of the charts' text, in pixels: what labels are cut by."""

# Colours are told apart by those who see no red or green, and nothing is said by colour alone.
_LIGHT = {
    "paper": "#ffffff", "ink": "#1f2328", "faint": "#59636e", "grid": "#d1d9e0", "base": "#6e7781", "up": "#0969da",
    "down": "#bc4c00", "mark": "#8250df", "s0": "#0969da", "s1": "#bc4c00", "s2": "#1a7f64", "s3": "#8250df",
}  # fmt: skip
_DARK = {
    "paper": "#0d1117", "ink": "#e6edf3", "faint": "#9198a1", "grid": "#3d444d", "base": "#8b949e", "up": "#58a6ff",
    "down": "#f0883e", "mark": "#bc8cff", "s0": "#58a6ff", "s1": "#f0883e", "s2": "#3fb99a", "s3": "#bc8cff",
}  # fmt: skip


_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


_SHAPES = {
    "svg": "font:13px system-ui,'Segoe UI','DejaVu Sans',sans-serif", "text": "white-space:pre",
    ".h": "font-size:16px;font-weight:600", ".b": "font-weight:600", ".small": "font-size:11.5px", ".line": "fill:none",
    ".halo": "paint-order:stroke;stroke-width:4px;stroke-linejoin:round",
}  # fmt: skip


def style(within: str = "") -> str:
    """What charts look like, light and dark; of the elements `within` a selector where they stand on others' pages."""
    shapes = "".join(f"{within}{what}{{{how}}}" for what, how in _SHAPES.items())
    return f"{shapes}{_rules(_LIGHT, within)}@media(prefers-color-scheme:dark){{{_rules(_DARK, within)}}}"


def _rules(colours: dict[str, str], within: str) -> str:
    fills = "".join(
        f"{within}.f-{name}{{fill:{colour}}}{within}.l-{name}{{stroke:{colour}}}" for name, colour in colours.items()
    )
    return f"{within}text{{fill:{colours['ink']}}}{within}.halo{{stroke:{colours['paper']}}}{fills}"


STYLE = style()
_PAGE = (
    ":root{color-scheme:light dark}body{margin:2rem auto;max-width:64rem;padding:0 1rem;"
    "font:15px/1.5 system-ui,'Segoe UI','DejaVu Sans',sans-serif}figure{margin:0 0 2rem}svg{max-width:100%;height:auto}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}"
    "summary{cursor:pointer}.wide{overflow-x:auto}.wide svg{display:block;width:100%;min-width:38rem}"
    f"body{{background:{_LIGHT['paper']};color:{_LIGHT['ink']}}}@media(prefers-color-scheme:dark)"
    f"{{body{{background:{_DARK['paper']};color:{_DARK['ink']}}}}}"
)


@dataclass(frozen=True)
class Chart:
    """A finished chart: the SVG document, and its figures as a table for those who cannot see it."""

    title: str
    description: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def embedded(self) -> str:
        """The SVG without a style of its own, for pages that have `style` in their stylesheet and allow none inline."""
        return self.svg.replace(f"<style>{STYLE}</style>", "", 1)


class Canvas:
    """SVG elements, drawn in order. All text is escaped; coordinates are pixels from the top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, hint: str = "", opacity: float = 1
    ) -> None:
        """A filled bar; `hint` is shown under the pointer and read aloud."""
        place = {"x": x, "y": y, "width": width, "height": height, "rx": 2}
        self._draw("rect", hint, {**place, "class": f"f-{fill}", **_opacity(opacity)})

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **how: object) -> None:
        """A straight line; `how`: width, dash, hint."""
        hint = str(how.pop("hint", ""))
        self._draw("line", hint, {"x1": x1, "y1": y1, "x2": x2, "y2": y2, **_stroke(stroke, how)})

    def begin_link(self, address: str) -> None:
        """What is drawn until `end_link` leads to this address of a page."""
        self._parts.append(f'<a href="{_safe(address)}">')

    def end_link(self) -> None:
        """See `begin_link`."""
        self._parts.append("</a>")

    def polyline(self, points: Sequence[tuple[float, float]], stroke: str, **how: object) -> None:
        """Lines from point to point; `how`: width, dash."""
        places = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        style = _stroke(stroke, how)
        self._draw("polyline", "", {"points": places, **style, "class": f"line {style['class']}"})

    def circle(self, x: float, y: float, radius: float, fill: str, *, hint: str = "", opacity: float = 1) -> None:
        """A filled circle."""
        self._draw("circle", hint, {"cx": x, "cy": y, "r": radius, "class": f"f-{fill}", **_opacity(opacity)})

    def polygon(self, points: Sequence[tuple[float, float]], fill: str, *, opacity: float = 1) -> None:
        """A filled shape with these corners."""
        places = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._draw("polygon", "", {"points": places, "class": f"f-{fill}", **_opacity(opacity)})

    def text(
        self, x: float, y: float, text: str, style: str = "", *, anchor: Anchor = "start", room: float = 0
    ) -> None:
        """A line of text on the baseline y, cut to `room` pixels (0: never); `style`: h, b, small, halo, f-faint, ...

        The whole text stays under the pointer where it was cut.
        """
        shown = cut(text, room) if room else text
        hint = text if shown != text else ""
        self._draw("text", hint, {"x": x, "y": y, "text-anchor": anchor, "class": style}, shown)

    def chart(self, title: str, description: str, columns: Sequence[str], rows: Sequence[Row]) -> Chart:
        """The document, with its title and description as the accessible name."""
        name = blake2b(_safe(f"{title}\n{description}").encode(), digest_size=4).hexdigest()
        width, height = _number(self.width), _number(self.height)
        # What is told as one picture may hold nothing that is gone to.
        role = "group" if any(part.startswith("<a ") for part in self._parts) else "img"
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="{role}" aria-labelledby="t{name} d{name}">'
            f'<title id="t{name}">{_safe(title)}</title><desc id="d{name}">{_safe(description)}</desc>'
            f'<style>{STYLE}</style><rect class="f-paper" width="{width}" height="{height}"/>'
            f"{''.join(self._parts)}</svg>\n"
        )
        table = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)
        return Chart(title, description, svg, tuple(columns), table)

    def _draw(self, name: str, hint: str, attributes: Mapping[str, object], content: str = "") -> None:
        written = "".join(
            f' {key}="{_number(value) if isinstance(value, float | int) else _safe(str(value))}"'
            for key, value in attributes.items()
            if value not in ("", None)
        )
        inside = (f"<title>{_safe(hint)}</title>" if hint else "") + _safe(content)
        self._parts.append(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def _opacity(value: float) -> dict[str, object]:
    return {} if value == 1 else {"fill-opacity": f"{value:g}"}


def _stroke(stroke: str, how: dict[str, object]) -> dict[str, object]:
    return {"class": f"l-{stroke}", "stroke-width": how.get("width", 1), "stroke-dasharray": how.get("dash", "")}


def cut(text: str, room: float) -> str:
    """`text` in at most `room` pixels, with an ellipsis where something is missing."""
    most = max(1, int(room / CHARACTER))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def lines_of(texts: Sequence[str], room: float) -> list[str]:
    """Texts broken into lines of at most `room` pixels; what continues a text is indented."""
    most = max(10, int(room / CHARACTER))
    return [line for text in texts for line in wrap(text, most, subsequent_indent="    ") or [""]]


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _safe(text: str) -> str:
    """Escaped, without the characters that no XML may hold."""
    return html.escape(_NO_XML.sub("", text))


def page(title: str, charts: Sequence[Chart], *, lang: str = "en") -> str:
    """One HTML document: each chart, with its figures as a table beneath. Nothing is loaded from elsewhere."""
    figures = "".join(_figure(chart, lang) for chart in charts)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="{_safe(lang)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{_safe(title)}</title>'
        f"<style>{_PAGE}</style></head><body><main><h1>{_safe(title)}</h1>{figures}</main></body></html>\n"
    )


def _figure(chart: Chart, lang: str) -> str:
    head = "".join(f"<th scope='col'>{_safe(column)}</th>" for column in chart.columns)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in chart.rows)
    figures = "Цифры" if lang == "ru" else "The figures"
    return (
        f'<figure><div class="wide" tabindex="0">{chart.svg}</div><figcaption>{_safe(chart.description)}</figcaption>'
        f"<details><summary>{figures}</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details></figure>"
    )


def write(path: Path, title: str, charts: Sequence[Chart], *, lang: str = "en") -> list[Path]:
    """Write charts to `path`: one page for .html; for .svg a file each, numbered from the second on. What was written.

    Raises UsageError for another ending, and where the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending in (".html", ".htm"):
        files = {path: page(title, charts, lang=lang)}
    elif ending == ".svg":
        names = [path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, len(charts) + 1))]
        files = {name: chart.svg for name, chart in zip(names, charts, strict=False)}
    else:
        raise UsageError(f"{path}: a chart is written as .svg or .html.")
    for name, text in files.items():
        try:
            name.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{name} cannot be written: {error.strerror}.") from None
    return list(files)
