"""Parts of the report's page: escaped texts, tables, bars, charts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onefold.charts.canvas import Chart

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
LONGEST: Final = 200
"""Letters of one value that are shown."""


def short(value: object) -> str:
    """A value without control characters, cut where it is very long."""
    text = _CONTROL.sub("\ufffd", str(value))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def safe(value: object) -> str:
    """A value escaped, without control characters, cut where it is very long."""
    return html.escape(short(value))


class Raw(str):
    """HTML that is made here, and so is not escaped again."""


def sentence(text: str) -> Raw:
    """What is said here about values, escaped and whole."""
    return Raw(html.escape(_CONTROL.sub("\ufffd", text)))


def _cell(cell: object) -> str:
    if isinstance(cell, Raw):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return safe("" if cell is None else cell)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """A table that scrolls by itself on a narrow screen; cells that are `Raw` are written as they are."""
    head = "".join(
        f"<th scope=col{' class=n' if at in numbers else ''}>{safe(one)}</th>" for at, one in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if at in numbers else ''}>{_cell(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<div class=wide tabindex=0><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def figure(chart: Chart) -> str:
    """A chart with its words beneath."""
    return f"<figure>{chart.svg}<figcaption>{safe(chart.description)}</figcaption></figure>"


def bar(share: float) -> Raw:
    """A bar from the middle: right speaks for one client, left against."""
    width = max(abs(share) * 50, 0.5)
    start, side = (50.0, "for") if share >= 0 else (50 - width, "against")
    return Raw(
        f'<svg class=bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden=true>'
        f'<line x1="50" x2="50" y1="0" y2="10"/>'
        f'<rect class={side} x="{start:.1f}" y="1" width="{width:.1f}" height="8"/></svg>'
    )
